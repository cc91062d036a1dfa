//! What `check` says of a party's way to the coordinator: its certificate, the network, the
//! coordinator, the clocks. One finding each, with what to do.

use crate::client::PeopleLink;
use crate::credentials::Credentials;
use crate::edge::dial::Route;
use crate::edge::pki::{Life, shown};
use crate::edge::probe::{Trouble, Trust, firewall_line, probe};
use crate::failure::Failure;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How a thing stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// As it should.
    Ok,
    /// Still working, and soon not.
    Warning,
    /// Not working.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// The finding, and what to do.
    pub text: String,
}

impl Standing {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

impl Finding {
    fn new(what: &'static str, standing: Standing, text: String) -> Self {
        Self { what, standing, text }
    }
}

/// Looks at everything between a member and the coordinator. `hold` is how long a
/// connection is held to see whether it is cut.
pub async fn checkup(route: &Route, credentials: &Credentials, hold: Duration) -> Vec<Finding> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut findings = vec![certificate(credentials, now)];
    let network = network(route, &credentials.trust(), hold).await;
    let open = network.standing == Standing::Ok;
    findings.push(network);
    if !open {
        let text = "not tried: the network is not open".to_owned();
        findings.push(Finding::new("coordinator", Standing::Failed, text));
        return findings;
    }
    // Not as a node attends: that would take the place of the running daemon.
    let began = std::time::Instant::now();
    let time = match PeopleLink::new(route.clone(), credentials) {
        Ok(link) => link.clock().await,
        Err(failure) => Err(failure),
    };
    match time {
        Ok(time) => {
            findings.push(Finding::new(
                "coordinator",
                Standing::Ok,
                format!("{} answers and knows this member", route.url()),
            ));
            findings.push(clocks(now + began.elapsed().as_secs(), time));
        }
        Err(failure) => {
            let text = match &failure {
                Failure::Denied(_) => {
                    "it answers, but its roster does not list this member yet, or with another key: ask its operator"
                        .to_owned()
                }
                other => other.to_string(),
            };
            findings.push(Finding::new("coordinator", Standing::Failed, text));
        }
    }
    findings
}

/// Looks at the network alone.
pub async fn network(route: &Route, trust: &Trust<'_>, hold: Duration) -> Finding {
    let (standing, text) = match probe(route, trust, hold).await {
        Ok(()) => (Standing::Ok, format!("name, TCP, TLS 1.3 and HTTP/2 go through to {}", route.url())),
        Err(trouble) => (Standing::Failed, explained(route, &trouble)),
    };
    Finding::new("network", standing, text)
}

/// What is wrong, what to do, and what to ask the firewall's owner for: one line.
fn explained(route: &Route, trouble: &Trouble) -> String {
    let text = format!("{trouble}; {}", trouble.remedy());
    if trouble.is_the_networks() { format!("{text}. For the firewall: {}", firewall_line(route)) } else { text }
}

fn certificate(credentials: &Credentials, now: u64) -> Finding {
    let (standing, text) = match credentials.life() {
        Err(error) => (Standing::Failed, error.to_string()),
        Ok(Life { from, .. }) if now < from => {
            (Standing::Failed, format!("it begins only on {}: is the clock of this machine right?", shown(from)))
        }
        Ok(Life { until, .. }) if now > until => (
            Standing::Failed,
            format!("it ended on {}: ask the coordinator's operator for an invitation, and enrol again", shown(until)),
        ),
        Ok(life) => {
            // A day's worth of attempts, for a certificate of thirty days.
            let late = life.renew_at() + (life.until - life.renew_at()) / 10;
            let (until, renewed) = (shown(life.until), shown(life.renew_at()));
            match now > late {
                true => (
                    Standing::Warning,
                    format!(
                        "it ends on {until} and should have been renewed since {renewed}: see below, and the log of the daemon"
                    ),
                ),
                false => (Standing::Ok, format!("good until {until}, renewed by itself from {renewed} on")),
            }
        }
    };
    Finding::new("certificate", standing, text)
}

fn clocks(here: u64, there: u64) -> Finding {
    let apart = here.abs_diff(there);
    let (standing, text) = match apart {
        0..=FEW_S => (Standing::Ok, "the coordinator has the same time".to_owned()),
        _ => {
            let which = if here > there { "ahead of" } else { "behind" };
            (
                Standing::Warning,
                format!(
                    "this machine is {apart} seconds {which} the coordinator: have both set by a time server (NTP)"
                ),
            )
        }
    };
    Finding::new("clock", standing, text)
}

/// How far clocks may be apart. Logs allow 300 seconds.
const FEW_S: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_far_apart_are_told() {
        assert_eq!(clocks(1000, 1060).standing, Standing::Ok);
        let ahead = clocks(1061, 1000);
        assert!(ahead.standing == Standing::Warning && ahead.text.contains("61 seconds ahead of"), "{}", ahead.text);
        assert!(clocks(1000, 4600).text.contains("3600 seconds behind"));
    }
}
