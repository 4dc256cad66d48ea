//! The dial: how much of each kind of dirt, as `duplicates=2%,late=1%,broken=0.5%` or as a table.
//!
//! A rate is a share of the records that can have the fault: of stays for overlaps, of encounters for the other FHIR
//! version, of all records for most. `broken` deals its rate to truncated, wrong-types and missing-ids in equal parts.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::kinds::Dirt;
use crate::spec_error::{InvalidField, SpecError, beginning};

/// How much of each kind of dirt; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dial {
    rates: [f64; Dirt::ALL.len()],
}

/// What `broken` stands for.
const BROKEN: [Dirt; 3] = [Dirt::Truncated, Dirt::WrongTypes, Dirt::MissingIds];

impl Dial {
    /// The share of a kind of dirt, from 0 to 1.
    pub fn rate(&self, dirt: Dirt) -> f64 {
        self.rates[dirt as usize]
    }

    /// Whether there is no dirt at all.
    pub fn is_clean(&self) -> bool {
        self.rates.iter().all(|&rate| rate == 0.0)
    }

    /// Refuses impossible rates, with the field's name, the value and the range.
    pub(crate) fn faults(&self) -> impl Iterator<Item = InvalidField> + '_ {
        let wrong = Dirt::ALL.into_iter().filter(|&dirt| !(0.0..=1.0).contains(&self.rate(dirt)));
        wrong.map(|dirt| out_of_range(dirt.field(), percent(self.rate(dirt))))
    }

    /// Adds a rate under one of the names.
    fn add(&mut self, name: &str, rate: f64) -> Result<(), InvalidField> {
        let name = name.trim().replace('_', "-");
        if name == "broken" {
            if !(0.0..=1.0).contains(&rate) {
                return Err(out_of_range("dirty.broken", percent(rate)));
            }
            BROKEN.into_iter().for_each(|dirt| self.rates[dirt as usize] += rate / BROKEN.len() as f64);
            return Ok(());
        }
        let Some(dirt) = Dirt::ALL.into_iter().find(|dirt| dirt.name() == name) else {
            let names: Vec<_> = Dirt::ALL.into_iter().map(Dirt::name).chain(["broken"]).collect();
            return Err(InvalidField { field: "dirty", value: name, allowed: format!("one of {}", names.join(", ")) });
        };
        self.rates[dirt as usize] += rate;
        self.faults().next().map_or(Ok(()), Err)
    }
}

fn out_of_range(field: &'static str, value: String) -> InvalidField {
    InvalidField { field, value, allowed: "from 0% to 100%".into() }
}

fn percent(rate: f64) -> String {
    format!("{}%", libm::round(rate * 1e8) / 1e6)
}

/// `2%` or `0.02`.
fn rate(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match text.strip_suffix('%') {
        Some(text) => Some(number(text)? / 100.0),
        None => number(text),
    }
}

impl FromStr for Dial {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Dial, SpecError> {
        let mut dial = Dial::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let set = match part.split_once('=').and_then(|(name, value)| Some((name, rate(value)?))) {
                Some((name, rate)) => dial.add(name, rate),
                None => {
                    let allowed = "a list of name=rate such as duplicates=2%,late=0.01".into();
                    Err(InvalidField { field: "dirty", value: part.trim().into(), allowed })
                }
            };
            set.map_err(|fault| SpecError { faults: vec![fault] })?;
        }
        Ok(dial)
    }
}

impl Serialize for Dial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let some = Dirt::ALL.into_iter().filter(|&dirt| self.rate(dirt) != 0.0);
        serializer.collect_map(some.map(|dirt| (dirt.name(), self.rate(dirt))))
    }
}

impl<'de> Deserialize<'de> for Dial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dial, D::Error> {
        deserializer.deserialize_any(DialVisitor)
    }
}

struct DialVisitor;

/// A rate in a table: a number, or a text with a per cent sign.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rate {
    Number(f64),
    Text(String),
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Number(number) => write!(f, "{number}"),
            Rate::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl<'de> Visitor<'de> for DialVisitor {
    type Value = Dial;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text such as \"duplicates=2%,late=1%\", or a table of such rates")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Dial, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Dial, A::Error> {
        let mut dial = Dial::default();
        while let Some((name, value)) = map.next_entry::<String, Rate>()? {
            let rate = match &value {
                Rate::Number(number) => Some(*number),
                Rate::Text(text) => rate(text),
            };
            let refused = |fault| de::Error::custom(SpecError { faults: vec![fault] });
            let rate = rate.ok_or_else(|| {
                let (name, value) = (beginning(&name), value.to_string());
                let value = beginning(&value);
                de::Error::custom(format!("dirty.{name} is {value}: it must be a rate such as 0.02 or \"2%\""))
            })?;
            dial.add(&name, rate).map_err(refused)?;
        }
        Ok(dial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_table_mean_the_same() {
        let dial: Dial = "duplicates=2%, late=0.01,broken=0.6%".parse().unwrap();
        assert_eq!((dial.rate(Dirt::Duplicates), dial.rate(Dirt::Late)), (0.02, 0.01));
        assert!((dial.rate(Dirt::MissingIds) - 0.002).abs() < 1e-12 && dial.rate(Dirt::BadValues) == 0.0);
        let text = serde_json::to_string(&dial).unwrap();
        assert_eq!(serde_json::from_str::<Dial>(&text).unwrap(), dial);
        let table = r#"{"duplicates":"2%","late":0.01,"broken":"0.6%"}"#;
        assert_eq!(serde_json::from_str::<Dial>(table).unwrap(), dial);
        assert_eq!(serde_json::from_str::<Dial>(r#""duplicates=2%,late=1%,broken=0.6%""#).unwrap(), dial);
        assert!("".parse::<Dial>().unwrap().is_clean());
        assert_eq!("out_of_order=100%".parse::<Dial>().unwrap().rate(Dirt::OutOfOrder), 1.0);
    }

    #[test]
    fn impossible_values_are_refused_with_name_value_and_range() {
        let refusal = |text: &str| text.parse::<Dial>().unwrap_err().to_string();
        assert_eq!(refusal("late=140%"), "dirty.late is 140%: it must be from 0% to 100%");
        assert_eq!(refusal("broken=-1%"), "dirty.broken is -1%: it must be from 0% to 100%");
        assert!(refusal("brokn=1%").starts_with("dirty is brokn: it must be one of duplicates, "));
        assert!(refusal("late").starts_with("dirty is late: it must be a list of name=rate"));
        assert!(refusal("late=NaN").starts_with("dirty is late=NaN"));
        let error = serde_json::from_str::<Dial>(r#"{"late":2}"#).unwrap_err().to_string();
        assert!(error.starts_with("dirty.late is 200%: it must be from 0% to 100%"), "{error}");
    }
}
