//! What each rule asks, in plain words.

use crate::replay;
use crate::report::Rule;

/// Every rule with its text, those of a replay last.
pub fn all() -> impl Iterator<Item = (String, &'static str)> {
    let of_bundle = Rule::ALL.iter().map(|rule| (format!("{rule:?}"), text(*rule)));
    of_bundle.chain(replay::Rule::ALL.iter().map(|rule| (format!("{rule:?}"), of_replay(*rule))))
}

/// The rule in a sentence or two.
pub fn text(rule: Rule) -> &'static str {
    match rule {
        Rule::R01 => "The bundle is whole: every file is listed with its hash, and there is nothing else in it.",
        Rule::R02 => {
            "Every log shows a checkpoint of its own, by keys of the newest roster, which governance has signed."
        }
        Rule::R03 => "All signatures under the checkpoints that are by known keys are good.",
        Rule::R04 => "Enough witnesses have cosigned each checkpoint; with --now, recently enough.",
        Rule::R05 => "The entries of each log are exactly those that its checkpoint was signed over.",
        Rule::R06 => "What one log, or you, saw of another log earlier is still its beginning: nothing was rewritten.",
        Rule::R07 => "No log has shown two different histories of the same length.",
        Rule::R08 => "Every entry is of a known kind with exactly its fields, and the first one says whose log it is.",
        Rule::R09 => "Times only move forward, and no entry is later than those who cosigned it.",
        Rule::R10 => {
            "Each node answered a question that stands in the coordinator's log, and each release that the coordinator took stands in the node's."
        }
        Rule::R11 => "Each spending follows rules that two persons at the organisation have approved.",
        Rule::R12 => {
            "Each question was signed by somebody who may ask, was still open, and is one that the organisation's rules allow; it was counted from the newest extract or the one first released from, of the only data source."
        }
        Rule::R13 => "Each spending follows a question and a yes, and ends once.",
        Rule::R14 => {
            "The allowance of each quarter was kept, for everybody and for each who asks; nothing was spent on a closed quarter."
        }
        Rule::R15 => "Each cost and threshold is the one that the question and the rules give.",
        Rule::R16 => "No printed figure lies under its threshold, and withheld figures say nothing.",
        Rule::R17 => "Each release and table has exactly the size and shape of its question, and nothing besides.",
        Rule::R18 => "What the coordinator took is what the node stored, signed and paid for.",
        Rule::R19 => "No organisation has answered one question twice.",
        Rule::R20 => "The coordinator left out no release of any node, and added none.",
        Rule::R21 => {
            "Secrets for noise and the counted data were fixed before the public half of the noise was known, and no secret was used twice."
        }
        Rule::R22 => "Each published table per organisation is what its releases add up to.",
        Rule::R24 => "Everybody has kept the keys they began with, and governance has signed every roster.",
        Rule::R26 => "Each regional round was as strict as its roster and every node demanded.",
        Rule::R27 => "There is something in the bundle to check.",
        Rule::R28 => "Each published regional table is what its masked figures add up to.",
        Rule::R29 => {
            "A round was tried again only after the first was sealed for ever, and only masked figures that stand in a node's log were added."
        }
    }
}

/// What a rule of a replay asks, in plain words.
pub fn of_replay(rule: replay::Rule) -> &'static str {
    use replay::Rule::{S1, S2, S3, S4, S5};
    match rule {
        S1 => "Each secret for noise that is still here is the one that was fixed in the log.",
        S2 => "Each extract of the register that is still here is the one that was fixed in the log.",
        S3 => "Counting again, the same figures are printed and the same withheld.",
        S4 => "With the noise drawn again, each release has the same bytes.",
        S5 => "What the node has on its disk begins with the log that was checked.",
    }
}
