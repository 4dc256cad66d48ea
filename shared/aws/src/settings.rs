//! The settings of a function, read from its environment once, with all faults said together.

use std::{fmt, num::NonZeroUsize};

/// The settings of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bucket that data lands in.
    pub landing_bucket: String,
    /// The bucket of bronze, silver, gold and reference data.
    pub lake_bucket: String,
    /// The ledger's table.
    pub ledger_table: String,
    /// How many days the ledger keeps a finished work.
    pub ledger_days: u32,
    /// The Glue database.
    pub database: String,
    /// The number of buckets that silver is hash-partitioned into.
    pub buckets: u16,
    /// The namespace of metrics.
    pub namespace: String,
    /// The region of the account.
    pub region: String,
    /// Where AWS answers, if not at its own address.
    pub endpoint: Option<String>,
    /// The function's name, for logs and the ledger.
    pub function: String,
    /// The least level that is logged.
    pub log_level: String,
    /// The threads that the function's memory buys processors for.
    pub threads: NonZeroUsize,
    /// The bytes of the function's memory that data may take: what the program and its buffers need is left out.
    pub memory_bytes: u64,
    /// How many reads, claims and writes wait for their answers at once.
    pub io_width: NonZeroUsize,
    /// How often a queue delivers a message before it is a dead letter.
    pub max_receives: u32,
    /// The function's own queue.
    pub queue_url: Option<String>,
    /// The patients of the population that a schedule lands days of.
    pub feed_patients: u64,
    /// The seed of that population.
    pub feed_seed: u64,
}

/// Everything that is wrong with an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    faults: Vec<String>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment is not as the template sets it: {}", self.faults.join("; "))
    }
}

/// Megabytes of memory that come with one whole processor.
const MEMORY_PER_PROCESSOR: usize = 1769;

impl Settings {
    /// Reads the settings of this process.
    ///
    /// # Errors
    /// Every variable that is missing or cannot be read, in one error.
    pub fn from_env() -> Result<Self, SettingsError> {
        #[expect(clippy::disallowed_methods, reason = "this is the edge where settings are read")]
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads settings from wherever they are.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader { variable, faults: Vec::new() };
        let memory: usize = reader.number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Some(1769), 128, 10_240);
        let settings = Settings {
            landing_bucket: reader.text("LANDING_BUCKET", None),
            lake_bucket: reader.text("LAKE_BUCKET", None),
            ledger_table: reader.text("LEDGER_TABLE", None),
            ledger_days: reader.number("LEDGER_DAYS", Some(90), 1, 36_500),
            database: reader.text("DATABASE", None),
            buckets: reader.number("BUCKETS", None, 1, 1024),
            namespace: reader.text("METRICS_NAMESPACE", Some("metriccare")),
            region: reader.text("AWS_REGION", None),
            endpoint: reader.optional("AWS_ENDPOINT_URL"),
            function: reader.text("AWS_LAMBDA_FUNCTION_NAME", Some("metriccare")),
            log_level: reader.text("AWS_LAMBDA_LOG_LEVEL", Some("INFO")),
            threads: NonZeroUsize::new(memory.div_ceil(MEMORY_PER_PROCESSOR)).unwrap_or(NonZeroUsize::MIN),
            memory_bytes: ((memory * 3 / 4) as u64) << 20,
            io_width: NonZeroUsize::new(reader.number("IO_WIDTH", Some(16), 1, 256)).unwrap_or(NonZeroUsize::MIN),
            max_receives: reader.number("MAX_RECEIVES", Some(8), 1, 1000),
            queue_url: reader.optional("QUEUE_URL"),
            feed_patients: reader.number("FEED_PATIENTS", Some(1000), 1, 100_000_000),
            feed_seed: reader.number("FEED_SEED", Some(42), 0, u64::MAX),
        };
        if reader.faults.is_empty() { Ok(settings) } else { Err(SettingsError { faults: reader.faults }) }
    }
}

struct Reader<V> {
    variable: V,
    faults: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn text(&mut self, name: &str, default: Option<&str>) -> String {
        match (self.optional(name), default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.to_owned(),
            (None, None) => {
                self.faults.push(format!("{name} is missing"));
                String::new()
            }
        }
    }

    fn number<N>(&mut self, name: &str, default: Option<N>, low: N, high: N) -> N
    where
        N: std::str::FromStr + PartialOrd + fmt::Display + Copy,
    {
        match (self.optional(name), default) {
            (None, Some(default)) => return default,
            (None, None) => self.faults.push(format!("{name} is missing")),
            (Some(value), _) => match value.parse::<N>() {
                Ok(number) if low <= number && number <= high => return number,
                _ => self.faults.push(format!("{name} is {value}: it must be a whole number from {low} to {high}")),
            },
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let map: HashMap<_, _> = pairs.iter().copied().collect();
        Settings::read(|name| map.get(name).map(|value| (*value).to_owned()))
    }

    const WHOLE: [(&str, &str); 6] = [
        ("LANDING_BUCKET", "landing"),
        ("LAKE_BUCKET", "lake"),
        ("LEDGER_TABLE", "ledger"),
        ("DATABASE", "metriccare"),
        ("BUCKETS", "16"),
        ("AWS_REGION", "eu-central-1"),
    ];

    #[test]
    fn what_the_template_sets_is_enough() {
        let settings = read(&WHOLE).expect("whole");
        assert_eq!((settings.buckets, settings.threads.get(), settings.feed_seed), (16, 1, 42));
        let large = read(&[&WHOLE[..], &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3538")]].concat()).expect("whole");
        assert_eq!(large.threads.get(), 2);
    }

    #[test]
    fn all_faults_are_said_together() {
        let error = read(&[("LANDING_BUCKET", "landing"), ("BUCKETS", "0"), ("FEED_PATIENTS", "many")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment is not as the template sets it: LAKE_BUCKET is missing; LEDGER_TABLE is missing; \
             DATABASE is missing; BUCKETS is 0: it must be a whole number from 1 to 1024; AWS_REGION is missing; \
             FEED_PATIENTS is many: it must be a whole number from 1 to 100000000"
        );
    }
}
