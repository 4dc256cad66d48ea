//! When a message that was not done is delivered again.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Seconds until the next delivery of a message whose work another invocation has, or that there was no time for: soon,
/// and later each time. Over the eight deliveries that a queue grants, that is longer than any lease.
const SOON: [u64; 7] = [10, 30, 90, 270, 270, 270, 270];

/// Seconds until the next delivery of a message whose work failed: what it needs may be out of reach for an hour, and a
/// queue that gives up within minutes would make dead letters of all that is waiting.
const LATER: [u64; 7] = [60, 300, 900, 1800, 3600, 3600, 3600];

/// The milliseconds until the next delivery of a message that was delivered so many times: work that was tried and failed is
/// given more time than work that another invocation has, which is done in a moment. Between half and all of the delay, so
/// that messages which failed together are not delivered together again.
pub(super) fn delay_millis(receipt: &str, receives: u32, tried: bool) -> u32 {
    let delays = if tried { LATER } else { SOON };
    let at = usize::try_from(receives.saturating_sub(1)).unwrap_or(usize::MAX).min(delays.len() - 1);
    let millis = delays[at] * 1000;
    let jitter = BuildHasherDefault::<DefaultHasher>::default().hash_one((receipt, receives)) % (millis / 2 + 1);
    u32::try_from(millis - jitter).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_are_jittered_and_shorter_for_what_was_not_tried() {
        let receipts: Vec<String> = (0..100).map(|number| format!("receipt-{number}")).collect();
        for (receives, full) in [(1, 60_000), (2, 300_000), (8, 3_600_000), (u32::MAX, 3_600_000)] {
            let delays: Vec<u32> = receipts.iter().map(|receipt| delay_millis(receipt, receives, true)).collect();
            assert!(delays.iter().all(|delay| (full / 2..=full).contains(delay)), "{delays:?}");
            let spread = delays.iter().max().expect("some") - delays.iter().min().expect("some");
            assert!(spread > full / 4, "messages that failed together are spread: {spread} ms");
        }
        assert!(receipts.iter().all(|receipt| delay_millis(receipt, 1, false) <= 10_000));
    }
}
