//! How fast messages are sent again.

use std::time::Duration;

/// How long to wait between messages to stay below a rate.
pub(super) fn pause(per_second: Option<i32>) -> Option<Duration> {
    let rate = u32::try_from(per_second?).ok()?;
    Duration::from_secs(1).checked_div(rate)
}
