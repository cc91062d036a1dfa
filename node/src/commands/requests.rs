//! `koonti-node requests list|approve|refuse`: a person decides on the
//! question, before any record is read.

use super::output::{Flag, Output};
use super::{by_prefix, summary};
use crate::clock;
use crate::config::{Config, read_toml};
use crate::error::Error;
use crate::fold::{Fold, Known, Standing};
use crate::inbox::{self, Order};
use clap::Subcommand;
use koonti_disclosure::cost::{self, Cost};
use koonti_disclosure::request::ReleaseKind;
use koonti_disclosure::{Digest, Policy, Refusal};
use koonti_evidence::entry::node::By;
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the questions, waiting ones first.
    List {
        #[command(flatten)]
        output: Flag,
    },
    /// Answer a question. The allowance is spent before the extract is opened.
    #[command(after_help = "Example:\n  koonti-node requests approve 3f5a90c1b2d4")]
    Approve {
        /// The question's id, or its first digits.
        id: String,
    },
    /// Do not answer a question. Nothing is spent and nothing is read.
    #[command(after_help = "Example:\n  koonti-node requests refuse 3f5a90c1b2d4")]
    Refuse {
        /// The question's id, or its first digits.
        id: String,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    let (fold, _) = Fold::read(&config.journal())?;
    match command {
        Command::List { output } => {
            list(&fold, &read_toml(&config.policy)?, output.output());
            Ok(ExitCode::SUCCESS)
        }
        Command::Approve { id } => decide(config, &fold, id, |request| Order::Approve { request }, "approved"),
        Command::Refuse { id } => decide(config, &fold, id, |request| Order::Decline { request }, "refused"),
    }
}

fn decide(config: &Config, fold: &Fold, id: &str, order: fn(Digest) -> Order, what: &str) -> Result<ExitCode, Error> {
    let id = by_prefix(fold.questions.keys().copied(), id)?;
    let known = &fold.questions[&id];
    if !matches!(known.standing, Standing::Waiting | Standing::Refused(Refusal::DeclinedByPerson)) {
        return Err(Error::Refused(format!("this question does not wait for a decision: it is {}", shown(known))));
    }
    let by_daemon = inbox::hand_in(config, &order(id))?;
    let when = if by_daemon { "the running node has taken it" } else { "the node takes it up when it runs" };
    eprintln!("{what}: {}; {when}", id.short());
    let regional = known.question.as_ref().and_then(koonti_evidence::entry::node::Question::signed);
    let regional = regional.is_some_and(|signed| signed.request().release() == ReleaseKind::Regional);
    if what == "approved" && known.standing != Standing::Waiting && !regional {
        eprintln!(
            "it was refused before: if its table is closed by now, the figures join it when somebody asks with --retry-missing"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn list(fold: &Fold, policy: &Policy, output: Output) {
    let mut questions: Vec<(&Digest, &Known)> = fold.questions.iter().collect();
    questions.sort_by_key(|(_, known)| (known.standing != Standing::Waiting, std::cmp::Reverse(known.time)));
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for (id, known) in questions {
        let signed = known.question.as_ref().and_then(koonti_evidence::entry::node::Question::signed);
        let what = signed.as_ref().map_or_else(|| "refused when it came".to_owned(), |s| summary(s.request()));
        let who = signed.as_ref().map_or_else(String::new, |s| s.requester().to_string());
        let purpose = signed.as_ref().map_or("", |s| s.request().purpose().basis());
        let cost = signed.as_ref().and_then(|s| cost::of_period(s.request(), policy.allowance().gate_atto_delta).ok());
        let percent = |cost: Cost| 100 * u128::from(cost.nano_rho) / u128::from(policy.allowance().nano_rho_per_period);
        let share = cost.map_or_else(String::new, |cost| format!("{} %", percent(cost)));
        let until = known.question.as_ref().map_or_else(String::new, |q| clock::shown(q.deadline));
        rows.push(vec![id.short(), shown(known), what, share, who.clone(), purpose.to_owned(), until]);
        items.push(json!({
            "id": id.to_string(),
            "state": shown(known),
            "requester": who,
            "cost_nano_rho": cost.map(|c| c.nano_rho),
            "request": signed.as_ref().map(|s| s.request().json()),
            "deadline": known.question.as_ref().map(|q| q.deadline),
            "time": known.time,
        }));
    }
    output.print(
        &["id", "state", "question", "costs of each quarter", "asked by", "for", "answer before (UTC)"],
        &rows,
        &items.into(),
    );
}

fn shown(known: &Known) -> String {
    let expired = known.question.as_ref().is_some_and(|q| q.deadline < clock::now());
    match known.standing {
        Standing::Waiting if expired => "expired".to_owned(),
        Standing::Waiting => "waiting".to_owned(),
        Standing::Approved(By::Person) => "approved".to_owned(),
        Standing::Approved(By::Policy) => "approved by standing rule".to_owned(),
        Standing::Refused(reason) => format!("refused ({})", reason.code()),
        Standing::Debited => "being computed".to_owned(),
        Standing::Released => "released".to_owned(),
        Standing::Aborted => "aborted".to_owned(),
    }
}
