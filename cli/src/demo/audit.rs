//! The end of the demo: the evidence is fetched and checked, offline, by another program;
//! then one byte of it is flipped.

use super::region::{Region, binary};
use crate::commands::evidence;
use crate::error::Error;
use crate::profile::Profile;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What the verifier said.
pub(super) struct Audit {
    bundle: PathBuf,
    trust: PathBuf,
    report: Value,
    tampered: Vec<String>,
}

/// Fetches the evidence as the region's auditor, and has it verified.
pub(super) async fn tell(region: &Region) -> Result<Audit, Error> {
    let auditor = Profile::load(&region.auditor())?;
    let (bundle, trust) = (region.dir().join("evidence.tar"), region.dir().join("keys.txt"));
    let size = evidence::fetch(&auditor, &bundle).await?;
    crate::files::write(&trust, &format!("{}\n", evidence::keys(&auditor).await?))?;
    eprintln!("fetched: {} kB of evidence", size / 1000);
    let report = verify(&bundle, &trust)?;
    let failed = rules(&report, "FAIL");
    if !failed.is_empty() {
        return Err(Error::Other(format!("the evidence of the demo breaks rules {}", failed.join(", "))));
    }
    // One byte in the middle.
    let altered = region.dir().join("evidence-altered.tar");
    let mut bytes = std::fs::read(&bundle).map_err(|e| Error::file(&bundle, &e))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&altered, bytes).map_err(|e| Error::file(&altered, &e))?;
    let tampered = rules(&verify(&altered, &trust)?, "FAIL");
    std::fs::remove_file(&altered).map_err(|e| Error::file(&altered, &e))?;
    if tampered.is_empty() {
        return Err(Error::Other("a flipped byte of the evidence was not noticed".into()));
    }
    eprintln!("verified: {} rules hold; with one byte flipped, {} fails", rules(&report, "PASS").len(), tampered[0]);
    Ok(Audit { bundle, trust, report, tampered })
}

fn verify(bundle: &Path, trust: &Path) -> Result<Value, Error> {
    let mut command = binary("koonti-verify")?;
    command.arg("bundle").arg(bundle).arg("--trust").arg(trust).args(["--output", "json"]);
    let output = command.output().map_err(|e| Error::Other(format!("koonti-verify: {e}")))?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        Error::Other(format!("koonti-verify has ended: {}", String::from_utf8_lossy(&output.stderr).trim()))
    })
}

/// The rules with this verdict.
fn rules(report: &Value, verdict: &str) -> Vec<String> {
    let lines = report["rules"].as_array().into_iter().flatten();
    let with = lines.filter(|line| line["verdict"] == verdict);
    with.filter_map(|line| Some(line["rule"].as_str()?.to_owned())).collect()
}

impl Audit {
    /// The interface: `evidence`.
    pub(super) fn json(&self) -> Value {
        json!({
            "bundle": self.bundle.display().to_string(),
            "trust": self.trust.display().to_string(),
            "rules_passed": rules(&self.report, "PASS").len(),
            "rules_failed": rules(&self.report, "FAIL").len(),
            "releases": self.report["releases"],
            "cells": self.report["cells"],
        })
    }

    /// The interface: `tampered`.
    pub(super) fn tampered(&self) -> Value {
        json!({"rule": self.tampered[0]})
    }

    /// For people.
    pub(super) fn print(&self) {
        say!(
            "\nThe evidence, checked offline by `koonti-verify` with nothing but the governance key: {} rules hold\n\
             over {} releases and {} figures; with one byte of it flipped, rule {} fails.",
            rules(&self.report, "PASS").len(),
            self.report["releases"],
            self.report["cells"],
            self.tampered[0]
        );
    }
}
