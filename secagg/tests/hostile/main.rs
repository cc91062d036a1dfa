//! A hostile coordinator against honest nodes.
//!
//! The nodes are real sessions with real ledgers. The attacker is the coordinator
//! with up to c corrupted nodes: it sees every message, knows all that its nodes drew,
//! signs anything with their keys, and shows each node what it likes. Its arithmetic
//! is its own ([`page`], from the format page alone), and what it can open is computed,
//! not searched for ([`mallory`]). Every attack must end in a named abort of the honest
//! nodes or in garbage, and never in two open sums; [`cases`] counts the attacks.

mod beyond;
mod cases;
mod chunks;
mod g01_both_lists;
mod g02_two_survivor_sets;
mod g03_two_sets_of_dealers;
mod g04_after_release;
mod g05_signatures;
mod g06_keys;
mod g07_other_terms;
mod g08_weak_terms;
mod g09_sizes;
mod g10_shares;
mod g11_rounds_again;
mod g12_late_input;
mod g13_retry;
mod g14_again;
mod g15_malformed;
mod lying_nodes;
mod mallory;
mod page;
mod stage;
mod starved;
#[path = "../support/mod.rs"]
mod support;
mod swapped;
mod vectors;
