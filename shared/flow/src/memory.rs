//! The memory that the data of one invocation may take, planned from the sizes that commits and objects state.
//!
//! A bronze or silver file is compressed and encoded; as rows it takes several times its size. What is about to be decoded
//! reserves that much before it starts, and waits while others hold it. What would never fit is refused before it starts.

use std::sync::Arc;

use metriccare_ports::{Error, ErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::FlowError;

/// How many bytes of memory a byte of a bronze or silver file takes while it is merged or measured: the file itself, its
/// rows, and the rows that are made of them.
pub(crate) const EXPANSION: u64 = 8;

/// What is reserved together, in bytes: semaphores count in 32 bits.
const UNIT: u64 = 1 << 20;

/// A number of bytes that is shared by what runs side by side.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget {
    units: u32,
    free: Arc<Semaphore>,
}

impl MemoryBudget {
    /// So many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).clamp(1, MOST_UNITS);
        MemoryBudget { units, free: Arc::new(Semaphore::new(units as usize)) }
    }

    /// Reserves the memory that files of so many bytes take as rows, and waits while others hold it.
    ///
    /// # Errors
    /// More than there is in all, with both sizes.
    pub(crate) async fn reserve(&self, subject: &str, file_bytes: u64) -> Result<OwnedSemaphorePermit, FlowError> {
        let units = u32::try_from(file_bytes.saturating_mul(EXPANSION).div_ceil(UNIT)).unwrap_or(u32::MAX);
        if units > self.units {
            let reason = format!(
                "its files of {} MB take about {units} MB of memory as rows, and there are {} MB: give the function more \
                 memory, or rebuild the lake with more buckets",
                file_bytes.div_ceil(UNIT),
                self.units
            );
            return Err(Error::new(ErrorKind::Full, "plan", subject, reason).into());
        }
        let permit = Arc::clone(&self.free).acquire_many_owned(units).await;
        Ok(permit.expect("the semaphore is never closed"))
    }
}

/// More than any function has, and no more than a semaphore counts.
const MOST_UNITS: u32 = 1 << 28;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fits_goes_on_what_does_not_waits_and_what_never_will_is_refused() {
        let budget = MemoryBudget::new(100 * UNIT);
        let first = budget.reserve("a", 10 * UNIT).await.expect("80 of 100");
        let second = budget.reserve("b", 5 * UNIT);
        tokio::pin!(second);
        let early = tokio::time::timeout(std::time::Duration::from_millis(20), &mut second).await;
        assert!(early.is_err(), "40 more do not fit yet");
        drop(first);
        drop(second.await.expect("now they do"));
        let words = budget.reserve("silver/bucket=07", 20 * UNIT).await.expect_err("160 of 100").to_string();
        assert!(words.contains("silver/bucket=07") && words.contains("160 MB") && words.contains("100 MB"), "{words}");
    }
}
