//! `koonti-coordinator node list` and `person list`.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use comfy_table::{Table, presets};
use koonti_evidence::entry::coordinator::MemberKind;
use koonti_proto::edge::pki::fingerprint;

pub(super) fn list(config: &Config, kind: MemberKind) -> Result<(), Error> {
    let fold = Fold::read(&config.journal())?;
    let mut table = Table::new();
    let proposed = if kind == MemberKind::Node { "areas" } else { "roles" };
    table.load_style(presets::NOTHING).set_header(vec!["name", proposed, "fingerprint", "state"]);
    for member in fold.members.values().filter(|m| m.kind == kind) {
        let roles: Vec<String> = member.roles.iter().map(|r| format!("{r:?}").to_lowercase()).collect();
        let proposed = if kind == MemberKind::Node { member.areas.join(" ") } else { roles.join(" ") };
        let fingerprint = fingerprint(&[&member.identity.0, &member.spki.0]);
        let revoked = fold.is_revoked(&(kind, member.name.clone()));
        let state = if revoked { "revoked" } else { "enrolled" };
        table.add_row(vec![member.name.to_string(), proposed, fingerprint, state.to_owned()]);
    }
    println!("{table}");
    Ok(())
}
