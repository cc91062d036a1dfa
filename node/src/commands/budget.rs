//! `koonti-node budget`: how much of each period's allowance is left.

use super::output::Output;
use crate::config::{Config, read_toml};
use crate::error::Error;
use crate::fold::Fold;
use crate::source::Mapping;
use koonti_disclosure::policy::Allowance;
use koonti_disclosure::{Policy, Refusal, account};
use serde_json::json;
use std::process::ExitCode;

/// What a typical table costs: clients by need and age group, five needs
/// counted per client, noise of standard deviation 5.
const TYPICAL_NANO_RHO: u64 = 120_000_000;

pub(super) fn budget(config: &Config, output: Output, explain: bool) -> Result<ExitCode, Error> {
    let policy: Policy = read_toml(&config.policy)?;
    let mapping = Mapping::load(&config.register)?;
    let (fold, _) = Fold::read(&config.journal())?;
    let cap = policy.allowance();
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    for period in fold.holdings(&mapping.register, &mapping.source).keys() {
        let of_period = fold.ledger.spent(&mapping.source, *period);
        let (spent, left) = (of_period.cost, of_period.left_nano_rho(cap.nano_rho_per_period));
        let (state, enough_for) = match of_period.ended() {
            None => ("open", format!("typical tables: {}", typical_tables(left))),
            Some(Refusal::PeriodClosed) => ("closed", "closed: nothing may be released any more".to_owned()),
            Some(_) => ("ended", "ended by a recovery: nothing may be released any more".to_owned()),
        };
        let share = |part: u64| format!("{} %", u128::from(part) * 100 / u128::from(cap.nano_rho_per_period));
        rows.push(vec![mapping.source.to_string(), period.to_string(), share(spent.nano_rho), share(left), enough_for]);
        items.push(json!({
            "source": mapping.source.as_str(),
            "period": period.to_string(),
            "state": state,
            "allowance_nano_rho": cap.nano_rho_per_period,
            "spent_nano_rho": spent.nano_rho,
            "left_nano_rho": left,
            "allowance_atto_delta": cap.atto_delta_per_period,
            "spent_atto_delta": spent.atto_delta,
        }));
    }
    let header = ["data source", "period", "spent", "left", "enough for"];
    output.print(&header, &rows, &items.into());
    if explain {
        eprintln!("{}", explained(cap));
    }
    Ok(ExitCode::SUCCESS)
}

/// How many typical tables this part of an allowance is enough for.
pub(super) fn typical_tables(nano_rho: u64) -> u64 {
    nano_rho / TYPICAL_NANO_RHO
}

/// What the allowance means for one client relationship, in exact terms.
fn explained(cap: Allowance) -> String {
    let quarter = account::shown_epsilon(cap.nano_rho_per_period);
    let person = account::shown_epsilon(4 * cap.nano_rho_per_period);
    let year = account::shown_epsilon(4 * cap.nano_rho_per_period);
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    let delta = |periods: u64| format!("1e-6 + {:e}", (periods * cap.atto_delta_per_period) as f64 / 1e18);
    #[expect(clippy::cast_precision_loss, reason = "display only")]
    let rho = cap.nano_rho_per_period as f64 / 1e9;
    format!(
        "If a whole allowance is spent, everything that leaves about one client relationship is\n\
         differentially private (zero-concentrated, rho {rho} a quarter; add or remove one client):\n\
         \x20 one quarter           epsilon {quarter:.2}, delta {}\n\
         \x20 four rolling quarters epsilon {year:.2}, delta {}\n\
         A person known to two organisations has two such relationships. In regional tables their parts add up\n\
         before the noise: if both allowances went there, four times the rho, one quarter epsilon {person:.2}.\n\
         docs/privacy.md has the formulas.",
        delta(1),
        delta(4),
    )
}
