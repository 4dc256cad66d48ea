//! 95 % intervals: Wilson's for proportions, Byar's for counts over an exposure.

const Z: f64 = 1.959_964;

/// Wilson's interval of a proportion.
pub(crate) fn wilson(events: i64, of: i64) -> Option<(f64, f64)> {
    if of == 0 {
        return None;
    }
    let (n, p) = (of as f64, events as f64 / of as f64);
    let middle = p + Z * Z / (2.0 * n);
    let half = Z * libm::sqrt(p * (1.0 - p) / n + Z * Z / (4.0 * n * n));
    let below = 1.0 + Z * Z / n;
    // At the ends one limit is the end itself, which rounding would miss.
    let low = if events == 0 { 0.0 } else { (middle - half) / below };
    let high = if events == of { 1.0 } else { (middle + half) / below };
    Some((low, high))
}

/// Byar's approximation to the exact Poisson limits of a count.
pub(crate) fn byar(events: i64) -> (f64, f64) {
    let limit = |count: f64, z: f64| {
        if count == 0.0 {
            return 0.0;
        }
        let root = 1.0 - 1.0 / (9.0 * count) + z / (3.0 * libm::sqrt(count));
        (count * root * root * root).max(0.0)
    };
    (limit(events as f64, -Z), limit(events as f64 + 1.0, Z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_agree_with_published_examples() {
        let (low, high) = wilson(10, 100).unwrap();
        assert!((low - 0.055_23).abs() < 1e-4 && (high - 0.174_37).abs() < 1e-4, "{low} {high}");
        let (low, high) = byar(10);
        assert!((low - 4.789).abs() < 0.01 && (high - 18.39).abs() < 0.01, "{low} {high}");
        assert_eq!(byar(0).0, 0.0);
        assert_eq!(wilson(0, 0), None);
    }
}
