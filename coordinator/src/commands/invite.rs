//! `koonti-coordinator node|person invite`.

use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::invitation::{Invitation, random};
use crate::keys::authority;
use clap::{Args, ValueEnum};
use koonti_disclosure::roster::Role;
use koonti_disclosure::{Codebook, Digest, Name};
use koonti_evidence::entry::coordinator::MemberKind;
use koonti_proto::Token;
use koonti_proto::edge::pki::Kind;

#[derive(Args)]
pub(super) struct NodeInvite {
    /// The node's name: a-z, 0-9 and "-".
    name: Name,
    /// Codes of the municipalities that it serves.
    #[arg(long, value_delimiter = ',', required = true)]
    areas: Vec<String>,
    /// Hours until the invitation expires.
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u64).range(1..=720))]
    hours: u64,
}

#[derive(Args)]
pub(super) struct PersonInvite {
    /// The account's name: a-z, 0-9 and "-".
    name: Name,
    /// What the person will do; governance decides.
    #[arg(long, value_enum, required = true, value_delimiter = ',')]
    role: Vec<RoleArg>,
    /// Hours until the invitation expires.
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u64).range(1..=720))]
    hours: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum RoleArg {
    /// Asks for tables.
    Requester,
    /// Reads tables and evidence.
    Auditor,
}

pub(super) fn node(config: &Config, invite: &NodeInvite) -> Result<(), Error> {
    let areas = Codebook::built_in().dimension("area");
    let unknown = invite.areas.iter().find(|a| areas.is_none_or(|d| d.position(a).is_none() || *a == "unknown"));
    if let Some(area) = unknown {
        let why = format!("{area} is no municipality code: see `koonti codebook show area` (three digits, zeros kept)");
        return Err(Error::Refused(why));
    }
    let mut areas = invite.areas.clone();
    areas.sort();
    areas.dedup();
    print(config, MemberKind::Node, &invite.name, areas, Vec::new(), invite.hours)
}

pub(super) fn person(config: &Config, invite: &PersonInvite) -> Result<(), Error> {
    let mut roles = invite.role.clone();
    roles.sort();
    roles.dedup();
    let roles = roles.into_iter().map(|role| match role {
        RoleArg::Requester => Role::Requester,
        RoleArg::Auditor => Role::Auditor,
    });
    print(config, MemberKind::Person, &invite.name, Vec::new(), roles.collect(), invite.hours)
}

fn print(
    config: &Config,
    kind: MemberKind,
    name: &Name,
    areas: Vec<String>,
    roles: Vec<Role>,
    hours: u64,
) -> Result<(), Error> {
    let authority = authority(config)?;
    let secret = random()?;
    let expires = clock::now() + hours * 3600;
    let secret_sha256 = Digest::of(&secret.0);
    Invitation { areas, expires, kind, name: name.clone(), roles, secret_sha256 }.write(config)?;
    let token = Token {
        kind: if kind == MemberKind::Node { Kind::Node } else { Kind::Person },
        region: config.region.clone(),
        name: name.clone(),
        ca_sha256: Digest(authority.cert_sha256()),
        governance: config.governance,
        secret,
        expires,
    };
    println!("{token}");
    let command = if kind == MemberKind::Node { "koonti-node enroll" } else { "koonti enroll" };
    eprintln!(
        "The line above works once, within {hours} hours. {name} runs: {command} --token-file FILE\n\
         and reads you the fingerprint it prints; compare it with the list of members before the roster is signed."
    );
    Ok(())
}
