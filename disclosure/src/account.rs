//! What a budget means: conversion of zCDP to statements people can weigh.
//!
//! `(eps, 1e-6 + sum of deltas)` with eps the minimum over integer orders
//! alpha >= 2 of `rho alpha + ln((alpha-1)/alpha) - (ln 1e-6 + ln alpha)/(alpha-1)`
//! (Canonne, Kamath and Steinke 2020, proposition 12, at integer orders). For
//! display: floats are used here and nowhere in the ledger, and printed
//! figures are rounded up.

/// The epsilon of `rho` at `delta`, minimised over integer orders.
///
/// `rho` in (0, 1000), `delta` in (0, 1).
pub fn epsilon(rho: f64, delta: f64) -> f64 {
    let at = |alpha: f64| rho * alpha + ((alpha - 1.0) / alpha).ln() - (delta.ln() + alpha.ln()) / (alpha - 1.0);
    // The bound falls and then rises in alpha: stop at the first rise.
    let mut best = at(2.0);
    let mut alpha = 3.0;
    while alpha < 1e7 {
        let next = at(alpha);
        if next > best {
            break;
        }
        best = next;
        alpha += 1.0;
    }
    best
}

/// The epsilon at delta 1e-6 of a budget in nano-rho, rounded up to two decimals.
#[expect(clippy::cast_precision_loss, reason = "display only")]
pub fn shown_epsilon(nano_rho: u64) -> f64 {
    (epsilon(nano_rho as f64 / 1e9, 1e-6) * 100.0).ceil() / 100.0
}

/// A picture of a budget in nano-rho (at most 10 rho): somebody who knows all but whether one
/// client is in the register, and starts at even odds, guesses right so many times in 100.
/// Rounded up; exact for Gaussian noise, Phi(sqrt(2 rho) / 2).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "display only, of a number from 50 to 100"
)]
pub fn shown_guesses(nano_rho: u64) -> u64 {
    let x = (nano_rho as f64 / 2e9).sqrt();
    // Phi as its series around 0, which converges at once: x stays below 3.
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term > 1e-12 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    let right = 0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    (right * 100.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // US Census Bureau 2020 privacy-loss certificate: 2.4747 over real orders.
        let census = epsilon(11_417_641.0 / 152_349_649.0, 1e-10);
        assert!((census - 2.4755).abs() < 5e-5, "{census}");
        assert!((epsilon(0.25, 1e-6) - 3.543).abs() < 5e-4);
        assert!((shown_epsilon(250_000_000) - 3.55).abs() < 1e-9);
    }

    #[test]
    fn guesses_of_a_normal_table() {
        // Phi(0.25) = 0.5987, Phi(0.3536) = 0.6382, Phi(2.2361) = 0.9873.
        assert_eq!([125_000_000, 250_000_000, 10_000_000_000].map(shown_guesses), [60, 64, 99]);
        assert_eq!(shown_guesses(1), 51, "rounded up");
    }
}
