//! `koonti-coordinator node revoke` and `person revoke`.

use crate::config::Config;
use crate::error::Error;
use crate::fold::Fold;
use crate::orders::{Order, hand_in};
use clap::Args;
use koonti_disclosure::Name;
use koonti_evidence::entry::coordinator::MemberKind;
use koonti_proto::wire::TableState;

#[derive(Args)]
#[command(
    after_help = "It takes effect with the next request; streams that are open end at once. An open\ninvitation of the name is void. To undo it, invite the name again.\n\nExample:\n  koonti-coordinator node revoke kainuu"
)]
pub(super) struct Revoke {
    /// The name.
    name: Name,
}

pub(super) fn revoke(config: &Config, kind: MemberKind, revoke: &Revoke) -> Result<(), Error> {
    let name = &revoke.name;
    hand_in(config, &Order::Revoke { kind, name: name.clone() })?;
    let role = if kind == MemberKind::Node { "node" } else { "person" };
    eprintln!(
        "revoked: {role} {name} is let in no more. Have governance strike it from the roster, too:\n\
         other nodes go by that. To undo it: koonti-coordinator {role} invite {name} ..."
    );
    if kind == MemberKind::Person {
        let fold = Fold::read(&config.journal())?;
        let open = fold.tables.iter().filter(|(_, t)| t.requester == *name && t.state == TableState::Open);
        for (id, _) in open {
            eprintln!(
                "question {} of {name} may still wait at nodes, and leave them if it is approved there. Have it\n\
                 refused: koonti-node requests refuse {}",
                id.short(),
                id.short()
            );
        }
    }
    Ok(())
}
