//! R22 and R28, of one field: what a published table says its organisations' registers
//! cover is what their logs state of the vintages that were debited.
//!
//! Of a node whose log cannot be read, what the table says is taken: other rules fail.

use crate::state::State;
use crate::tables::{Standing, Table};
use crate::walk::Walked;
use crate::world::{Held, World};
use koonti_disclosure::combine::Published;
use koonti_disclosure::coverage::{Coverage, Covered, list};
use koonti_disclosure::ledger::Debit;
use koonti_disclosure::{Digest, Name, Period};

/// What a node's log states of the periods of a debit.
pub(crate) fn of_debit(state: &State<'_>, debit: &Debit) -> Vec<(Period, Coverage)> {
    let of =
        |(period, vintage): (&Period, &Digest)| state.covers(*vintage, *period).map(|coverage| (*period, coverage));
    debit.periods().iter().zip(debit.vintages()).filter_map(of).collect()
}

/// The list that belongs into a table per organisation.
pub(crate) fn of_table(world: &World<'_>, walked: &Walked, table: &Table, claimed: Option<&Published>) -> Vec<Covered> {
    let counted = table.nodes.iter().filter_map(|(node, standing)| match standing {
        Standing::Released(release) => Some((node.clone(), *release)),
        _ => None,
    });
    of_counted(world, walked, counted, claimed)
}

/// The list that belongs into the table of an opened round.
pub(crate) fn of_round(
    world: &World<'_>,
    walked: &Walked,
    (counted, round): (&[Name], Digest),
    claimed: Option<&Published>,
) -> Vec<Covered> {
    of_counted(world, walked, counted.iter().map(|node| (node.clone(), round)), claimed)
}

fn of_counted(
    world: &World<'_>,
    walked: &Walked,
    counted: impl Iterator<Item = (Name, Digest)>,
    claimed: Option<&Published>,
) -> Vec<Covered> {
    let claims = |node: &Name| {
        let of = claimed.into_iter().flat_map(|table| &table.coverage).filter(|covered| covered.node == *node);
        of.flat_map(|covered| covered.periods.iter().map(|period| (*period, covered.coverage))).collect()
    };
    list(counted.map(|(node, paid)| {
        let stated = match world.node(&node) {
            Held::Sound(_) => walked.nodes.get(&node).and_then(|books| books.covered.get(&paid)).cloned(),
            Held::Unknown => Some(claims(&node)),
        };
        (node, stated.unwrap_or_default())
    }))
}
