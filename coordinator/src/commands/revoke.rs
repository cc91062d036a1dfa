//! `koonti-coordinator node revoke` and `person revoke`.

use crate::config::Config;
use crate::error::Error;
use crate::orders::{Order, hand_in};
use clap::Args;
use koonti_disclosure::Name;
use koonti_evidence::entry::coordinator::MemberKind;

#[derive(Args)]
#[command(
    after_help = "It takes effect with the next request; streams that are open end at once. An open\ninvitation of the name is void. To undo it, invite the name again.\n\nExample:\n  koonti-coordinator node revoke kainuu"
)]
pub(super) struct Revoke {
    /// The name.
    name: Name,
}

pub(super) fn revoke(config: &Config, kind: MemberKind, revoke: &Revoke) -> Result<(), Error> {
    let name = hand_in(config, &Order::Revoke { kind, name: revoke.name.clone() })?;
    let role = if kind == MemberKind::Node { "node" } else { "person" };
    eprintln!(
        "revoked: {role} {name} is let in no more. Have governance strike it from the roster, too:\n\
         other nodes go by that. To undo it: koonti-coordinator {role} invite {name} ..."
    );
    Ok(())
}
