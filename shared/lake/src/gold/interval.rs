//! Confidence intervals of 95 %: Wilson's for proportions, Byar's approximation of Poisson limits for counts.

/// The standard normal deviate of a two-sided 95 % interval.
pub const Z: f64 = 1.959964;

/// Wilson's interval of `events` in `trials`; none without trials.
///
/// The lower limit of no events is exactly 0, the upper limit of nothing but events exactly 1.
pub fn wilson(events: i64, trials: i64) -> Option<(f64, f64)> {
    if trials <= 0 {
        return None;
    }
    let n = trials as f64;
    let p = events as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let low = if events <= 0 { 0.0 } else { (centre - half) / scale };
    let high = if events >= trials { 1.0 } else { (centre + half) / scale };
    Some((low, high))
}

/// Byar's limits of an observed count, to be divided by what the count is a rate of; the lower limit of 0 is 0.
pub fn byar(observed: i64) -> (f64, f64) {
    let cube = |x: f64| x * x * x;
    let o = observed as f64;
    let low = if observed <= 0 { 0.0 } else { o * cube(1.0 - 1.0 / (9.0 * o) - Z / (3.0 * o.sqrt())) };
    let above = o + 1.0;
    (low, above * cube(1.0 - 1.0 / (9.0 * above) + Z / (3.0 * above.sqrt())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: (f64, f64), expected: (f64, f64)) {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
        assert!(close(found.0, expected.0) && close(found.1, expected.1), "{found:?} is not {expected:?}");
    }

    #[test]
    fn wilson_has_its_known_values() {
        near(wilson(10, 100).unwrap(), (0.05522913680507259, 0.17436566221012442));
        near(wilson(0, 25).unwrap(), (0.0, 0.13319225276039098));
        near(wilson(25, 25).unwrap(), (0.8668077472396091, 1.0));
        near(wilson(1, 2).unwrap(), (0.0945312046392008, 0.9054687953607992));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn byar_has_its_known_values() {
        near(byar(0), (0.0, 3.668011868943879));
        near(byar(1), (0.013072132043599862, 5.5637556257215));
        near(byar(10), (4.7874498840487645, 18.39145867798687));
    }
}
