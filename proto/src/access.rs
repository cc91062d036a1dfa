//! Who may call what: one table, default deny.
//!
//! A caller is known by two things together: the one URI SAN of the client
//! certificate and the hash of its key, both looked up in the coordinator's
//! registry at every request. Roles come from the roster. A call whose path is
//! not in [`RULES`] is denied to everybody; a test walks all methods of the
//! compiled protos against all roles.

use crate::edge::pki::SpiffeId;
use koonti_disclosure::Name;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio::sync::watch;

const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/koonti.bin"));

/// What a caller may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A node of the region.
    Node,
    /// A person who asks for tables.
    Requester,
    /// A person who reads evidence, in which the tables are, and nothing else.
    Auditor,
}

/// A caller that the registry knows.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The node's or person's name.
    pub name: Name,
    /// What the roster lets it be; empty before it is in the roster.
    pub roles: Vec<Role>,
}

/// Every method on the mutual listener and who may call it.
pub const RULES: &[(&str, &[Role])] = &[
    ("/koonti.v1.NodeService/Attend", &[Role::Node]),
    ("/koonti.v1.NodeService/Answer", &[Role::Node]),
    ("/koonti.v1.NodeService/Deliver", &[Role::Node]),
    ("/koonti.v1.NodeService/Deposit", &[Role::Node]),
    ("/koonti.v1.NodeService/Retrieve", &[Role::Node]),
    ("/koonti.v1.NodeService/Cosign", &[Role::Node]),
    ("/koonti.v1.CertificateService/Renew", &[Role::Node, Role::Requester, Role::Auditor]),
    ("/koonti.v1.EvidenceService/FetchEvidence", &[Role::Auditor]),
    ("/koonti.v1.TableService/CreateTable", &[Role::Requester]),
    ("/koonti.v1.TableService/GetTable", &[Role::Requester]),
    ("/koonti.v1.TableService/ReadTable", &[Role::Requester]),
    ("/koonti.v1.TableService/ListTables", &[Role::Requester]),
    ("/koonti.v1.TableService/WatchTable", &[Role::Requester]),
    ("/koonti.v1.TableService/ListNodes", &[Role::Requester]),
    ("/koonti.v1.TableService/GetRoster", &[Role::Node, Role::Requester, Role::Auditor]),
];

/// True when one of `roles` may call `path`.
pub fn allowed(path: &str, roles: &[Role]) -> bool {
    RULES.iter().any(|(method, may)| *method == path && may.iter().any(|role| roles.contains(role)))
}

/// The path of every method of the compiled protos, as `/package.Service/Method`.
///
/// # Panics
/// Never: the descriptor set was made by the build.
pub fn methods() -> Vec<String> {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("written by the build");
    let mut methods = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                methods.push(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

/// Knows callers.
pub trait Registry: Send + Sync + 'static {
    /// The caller with this certificate name and key hash; none when unknown,
    /// revoked, or when the key is not the one registered for the name.
    fn identify(&self, id: &SpiffeId, spki_sha256: &[u8; 32]) -> Option<Caller>;

    /// True when whoever had this name has been revoked: all that is said of it.
    fn is_revoked(&self, _id: &SpiffeId) -> bool {
        false
    }

    /// Told whenever somebody may no longer do what they could: streams under way are then
    /// looked at again.
    fn changes(&self) -> watch::Receiver<()> {
        watch::channel(()).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_one_rule_and_every_rule_a_method() {
        let mut methods = methods();
        methods.retain(|m| !m.starts_with("/koonti.v1.EnrolmentService/"));
        methods.sort();
        let mut rules: Vec<String> = RULES.iter().map(|(path, _)| (*path).to_owned()).collect();
        rules.sort();
        assert_eq!(methods, rules);
        assert!(!allowed("/koonti.v1.EnrolmentService/Enroll", &[Role::Node, Role::Requester, Role::Auditor]));
        assert!(!allowed("/koonti.v1.TableService/CreateTable", &[]));
        assert!(!allowed("/koonti.v1.TableService/CreateTable", &[Role::Auditor, Role::Node]));
    }
}
