//! What a table costs: zero-concentrated differential privacy plus delta.
//!
//! Unit of privacy: one client at one node in one period, add or remove. For a
//! vector with squared L2 sensitivity `D2` and a discrete Gaussian of variance
//! `s2` the cost is `rho = D2 / (2 s2)` (Canonne, Kamath and Steinke 2020,
//! theorem 4), rounded up to a nano-rho. The gate costs `delta_gate` besides.
//!
//! In a regional table the noise is Skellam of variance `mu` or more. With the L1
//! sensitivity `D1` it costs
//! `rho = D2 / (2 mu) (1 + 1 / mu) + max(0, 6 D1 - D2) / (4 mu^2)`, which at every
//! integer order bounds the divergence of Agarwal, Kairouz and Liu 2021 ("The
//! Skellam mechanism for differentially private federated learning", theorem
//! 3.5); checked numerically in `tests/skellam.rs`. There is no gate; the
//! sampler's distance from the exact distribution costs [`poisson::ATTO_DELTA`].

use crate::poisson;
use crate::request::{MOST_EVENTS, Measure, ReleaseKind, TableRequest};
use crate::variance::{self, Variance};
use serde::{Deserialize, Serialize};

/// One vector of a table: what one client can move, and the noise on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Most that one client moves one cell by.
    pub per_cell: u64,
    /// L1 sensitivity of the vector for one client and period.
    pub l1: u64,
    /// Squared L2 sensitivity of the vector for one client and period.
    pub l2_squared: u64,
    /// The noise of each cell.
    pub variance: Variance,
}

/// The cost of one period of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Privacy loss in units of 1e-9 rho.
    pub nano_rho: u64,
    /// Failure probability in units of 1e-18.
    pub atto_delta: u64,
}

/// The number of cells that one client can touch in one period: the bound, and
/// one more for `ANY`; 1 where all dimensions are exclusive.
pub fn cells_touched(request: &TableRequest) -> u64 {
    request.max_per_client().map_or(1, |bound| u64::from(bound) + 1)
}

/// The vectors of one period of the table. The first gates and divides.
///
/// # Errors
/// When the noise of a companion sum is out of range.
pub fn vectors(request: &TableRequest) -> Result<Vec<Vector>, variance::Error> {
    let touched = cells_touched(request);
    let clients = Vector { per_cell: 1, l1: touched, l2_squared: touched, variance: request.variance() };
    match (request.measure(), request.score_range()) {
        (Measure::Score, Some((lo, hi))) => {
            // The sum of 2x - (lo + hi) lies within hi - lo of zero per client.
            Ok(vec![clients, companion(touched, hi.abs_diff(lo), request.variance())?])
        }
        (Measure::Events, _) => {
            // At most so many of one client in each cell that it touches, `ANY` among them.
            let most = u64::from(request.max_events().unwrap_or(MOST_EVENTS));
            Ok(vec![clients, companion(touched, most, request.variance())?])
        }
        _ => Ok(vec![clients]),
    }
}

/// A vector beside the clients whose cells move by up to `per_cell` where theirs
/// move by one. Its noise is larger by as much, so that it costs as much as they do.
fn companion(touched: u64, per_cell: u64, variance: Variance) -> Result<Vector, variance::Error> {
    Ok(Vector {
        per_cell,
        l1: touched * per_cell,
        l2_squared: touched * per_cell * per_cell,
        variance: variance.scaled(per_cell)?,
    })
}

/// The cost of one period of the table at a node whose gate costs `gate_atto_delta`;
/// a regional table has no gate.
///
/// # Errors
/// When the noise of a companion sum is out of range.
pub fn of_period(request: &TableRequest, gate_atto_delta: u64) -> Result<Cost, variance::Error> {
    let vectors = vectors(request)?;
    Ok(match request.release() {
        ReleaseKind::PerNode => Cost { nano_rho: vectors.iter().map(nano_rho).sum(), atto_delta: gate_atto_delta },
        ReleaseKind::Regional => {
            Cost { nano_rho: vectors.iter().map(nano_rho_of_skellam).sum(), atto_delta: poisson::ATTO_DELTA }
        }
    })
}

/// `l2_squared / (2 variance)` in nano-rho, rounded up.
fn nano_rho(vector: &Vector) -> u64 {
    let num = 1_000_000_000 * u128::from(vector.l2_squared) * u128::from(vector.variance.den());
    let rho = num.div_ceil(2 * u128::from(vector.variance.num()));
    u64::try_from(rho).expect("at most 1e9 * 33 * 1e4 / 2")
}

/// The bound of the module header in nano-rho, each of its terms rounded up.
fn nano_rho_of_skellam(vector: &Vector) -> u64 {
    let (num, den) = (u128::from(vector.variance.num()), u128::from(vector.variance.den()));
    // x / mu = x den / num, and once more for mu^2.
    let over_mu = |x: u128| (x * den).div_ceil(num);
    let rest = u128::from((6 * vector.l1).saturating_sub(vector.l2_squared));
    let first = over_mu(500_000_000 * u128::from(vector.l2_squared));
    let second = over_mu(first);
    let third = over_mu(over_mu(250_000_000 * rest));
    u64::try_from(first + second + third).expect("at most 1e9 * 33 * 1e4 * 3")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codebook::Codebook;

    fn request(json: &str) -> TableRequest {
        let hash = Codebook::built_in().hash();
        let json = format!(
            r#"{{"by":["age_group","need"],"codebook":"{hash}",{}"max_per_client":5,{json},"periods":["2026Q3"],"purpose":"structural-social-work","region":"ita","register":"r","release":"per_node"{},"v":1,"variance":[25,1]}}"#,
            if json.contains("events") { r#""max_events":12,"# } else { "" },
            if json.contains("score") { r#","score":"D07""# } else { "" }
        );
        TableRequest::parse(json.as_bytes(), Codebook::built_in()).unwrap()
    }

    #[test]
    fn the_two_tables_of_the_demo() {
        let clients = request(r#""measure":"clients""#);
        assert_eq!(of_period(&clients, 7).unwrap(), Cost { nano_rho: 120_000_000, atto_delta: 7 });
        let score = request(r#""measure":"score""#);
        assert_eq!(of_period(&score, 7).unwrap().nano_rho, 240_000_000);
        assert_eq!(vectors(&score).unwrap()[1].variance, Variance::new(2500, 1).unwrap());
    }

    #[test]
    fn a_table_of_events_costs_twice_its_clients() {
        let events = request(r#""measure":"events""#);
        let [clients, sum] = vectors(&events).unwrap()[..] else { panic!("two vectors") };
        assert_eq!((clients.l1, clients.l2_squared), (6, 6));
        // Twelve events in each of five needs and in `ANY`; standard deviation 5 times 12.
        assert_eq!((sum.per_cell, sum.l1, sum.l2_squared), (12, 72, 864));
        assert_eq!(sum.variance, Variance::new(3600, 1).unwrap());
        assert_eq!(of_period(&events, 7).unwrap(), Cost { nano_rho: 240_000_000, atto_delta: 7 });
    }

    #[test]
    fn rounds_up() {
        let v = Vector { per_cell: 1, l1: 1, l2_squared: 1, variance: Variance::new(3, 1).unwrap() };
        assert_eq!(nano_rho(&v), 166_666_667);
        // 1/6 (1 + 1/3) + 5/36 = 13/36
        assert!((361_111_111..361_111_116).contains(&nano_rho_of_skellam(&v)));
        // sd 5, six cells: 6/50 (1 + 1/25) + 30/2500 = 0.1368
        let v = Vector { per_cell: 1, l1: 6, l2_squared: 6, variance: Variance::new(25, 1).unwrap() };
        assert_eq!(nano_rho_of_skellam(&v), 136_800_000);
    }
}
