//! `_lake.json`: what is fixed when a lake is made, and the rules that its tables were made by.
//!
//! Rules have numbers, one for each of bronze, silver and gold. A number counts up when the same inputs would give
//! other rows; what was made by older rules is never mixed with what is made by newer ones. Such a lake is read-only
//! until `metriccare rebuild` has made it again.

use serde::{Deserialize, Serialize};

use crate::gold;

/// The greatest number of buckets.
pub const MOST_BUCKETS: u16 = 1024;

/// The rules by which the tables of a lake are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How landed objects become rows of bronze.
    pub bronze: u32,
    /// How rows of bronze become silver.
    pub silver: u32,
    /// How silver becomes gold.
    pub gold: u32,
}

impl Rules {
    /// The rules of this program.
    pub const CURRENT: Rules = Rules { bronze: 3, silver: 3, gold: gold::RULES };

    /// The rules of the lakes that name none.
    pub const UNNAMED: Rules = Rules { bronze: 1, silver: 1, gold: 1 };
}

/// The three layers of a lake, from below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Rows as they landed.
    Bronze,
    /// The latest version of every resource.
    Silver,
    /// Stays and metrics.
    Gold,
}

/// What is fixed when a lake is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LakeSettings {
    /// The number of buckets into which patients are partitioned, from 1 to [`MOST_BUCKETS`].
    pub buckets: u16,
    /// The rules that the lake's tables were made by.
    #[serde(default = "unnamed")]
    pub rules: Rules,
}

fn unnamed() -> Rules {
    Rules::UNNAMED
}

/// Why a lake cannot be used or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is no JSON of its kind.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// The number of buckets is out of range.
    #[error("buckets is {0}: it must be from 1 to {MOST_BUCKETS}")]
    Buckets(u16),
    /// Tables were made by older rules.
    #[error(
        "the lake's {table} was made by rules {found}, this program's are {wanted}: until `metriccare rebuild{from}` has \
         made it again, the lake can be read but not written"
    )]
    OlderRules {
        /// What was made by older rules: bronze, silver or gold.
        table: &'static str,
        /// The rules that it was made by.
        found: u32,
        /// The rules of this program.
        wanted: u32,
        /// What `rebuild` has to begin with, as it is written behind the verb.
        from: &'static str,
    },
    /// Tables were made by rules that this program does not know yet.
    #[error(
        "the lake's {table} was made by rules {found}, this program knows up to {wanted}: take a newer version of it"
    )]
    NewerRules {
        /// What was made by newer rules: bronze, silver or gold.
        table: &'static str,
        /// The rules that it was made by.
        found: u32,
        /// The rules of this program.
        wanted: u32,
    },
}

impl LakeSettings {
    /// The settings of a new lake.
    pub fn new(buckets: u16) -> Self {
        LakeSettings { buckets, rules: Rules::CURRENT }
    }

    /// Reads `_lake.json`.
    ///
    /// # Errors
    /// What is no JSON of its kind, and numbers of buckets that are out of range.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SettingsError> {
        let settings: LakeSettings =
            serde_json::from_slice(bytes).map_err(|error| SettingsError::Unreadable(error.to_string()))?;
        match settings.buckets {
            1..=MOST_BUCKETS => Ok(settings),
            other => Err(SettingsError::Buckets(other)),
        }
    }

    /// The bytes of `_lake.json`.
    pub fn to_json(&self) -> Vec<u8> {
        let rules = self.rules;
        let json = serde_json::json!({
            "buckets": self.buckets,
            "rules": { "bronze": rules.bronze, "silver": rules.silver, "gold": rules.gold },
        });
        json.to_string().into_bytes()
    }

    /// Whether this program may write to a layer of the lake: it and those below were made by the same rules.
    ///
    /// # Errors
    /// The lowest layer whose rules are others, with what to do.
    pub fn check_rules(&self, layer: Layer) -> Result<(), SettingsError> {
        let (found, wanted) = (self.rules, Rules::CURRENT);
        let layers = [
            (Layer::Bronze, "bronze", found.bronze, wanted.bronze, " --from landing"),
            (Layer::Silver, "silver", found.silver, wanted.silver, ""),
            (Layer::Gold, "gold", found.gold, wanted.gold, ""),
        ];
        for (_, table, found, wanted, from) in layers.into_iter().filter(|(other, ..)| *other <= layer) {
            if found < wanted {
                return Err(SettingsError::OlderRules { table, found, wanted, from });
            }
            if found > wanted {
                return Err(SettingsError::NewerRules { table, found, wanted });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_from_their_json() {
        let settings = LakeSettings::new(1024);
        assert_eq!(LakeSettings::from_json(&settings.to_json()), Ok(settings));
        assert_eq!(settings.check_rules(Layer::Gold), Ok(()));
    }

    #[test]
    fn a_lake_that_names_no_rules_is_read_only() {
        let settings = LakeSettings::from_json(br#"{"buckets":16}"#).unwrap();
        let words = settings.check_rules(Layer::Gold).unwrap_err().to_string();
        assert!(words.contains("the lake's bronze was made by rules 1"), "{words}");
        assert!(words.contains("`metriccare rebuild --from landing`"), "{words}");
        let silver = LakeSettings { rules: Rules { silver: 1, ..Rules::CURRENT }, ..settings };
        assert_eq!(silver.check_rules(Layer::Bronze), Ok(()), "bronze goes on");
        assert!(silver.check_rules(Layer::Silver).unwrap_err().to_string().contains("`metriccare rebuild`"));
        let newer = LakeSettings { rules: Rules { gold: u32::MAX, ..Rules::CURRENT }, ..settings };
        assert!(newer.check_rules(Layer::Gold).unwrap_err().to_string().contains("take a newer version"));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        assert_eq!(LakeSettings::from_json(br#"{"buckets":0}"#), Err(SettingsError::Buckets(0)));
        assert_eq!(LakeSettings::from_json(br#"{"buckets":1025}"#), Err(SettingsError::Buckets(1025)));
        assert!(matches!(LakeSettings::from_json(b"{"), Err(SettingsError::Unreadable(_))));
    }
}
