//! Text columns as small integers: every distinct value once, and one code per row.
//!
//! Most text of the lake repeats (hospitals, departments, statuses), so what is costly per value (normalising,
//! hashing, comparing) is done once per distinct value, and rows only carry codes. Codes follow first appearance.

use arrow_array::{Array, StringArray, builder::StringBuilder};
use hashbrown::{HashTable, hash_table::Entry};
use xxhash_rust::xxh3::xxh3_64;

/// Gives each distinct text a code, in order of first appearance.
pub(crate) struct Interner<'a> {
    table: HashTable<u32>,
    values: Vec<&'a str>,
}

impl<'a> Interner<'a> {
    /// An interner without values.
    pub(crate) fn new() -> Self {
        Interner { table: HashTable::new(), values: Vec::new() }
    }

    /// The code of a text, a new one where it has not been seen.
    pub(crate) fn intern(&mut self, text: &'a str) -> u32 {
        let hash = xxh3_64(text.as_bytes());
        let Interner { table, values } = self;
        let rehash = |code: &u32| xxh3_64(values[*code as usize].as_bytes());
        match table.entry(hash, |code| values[*code as usize] == text, rehash) {
            Entry::Occupied(seen) => *seen.get(),
            Entry::Vacant(slot) => {
                let code = values.len() as u32;
                slot.insert(code);
                values.push(text);
                code
            }
        }
    }

    /// The code of a text that may never have been seen.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let same = |code: &u32| self.values[*code as usize] == text;
        self.table.find(xxh3_64(text.as_bytes()), same).copied()
    }

    /// The distinct texts, by code.
    pub(crate) fn values(&self) -> &[&'a str] {
        &self.values
    }
}

/// A text column as codes: `values[codes[row]]`, where code 0 is null.
pub(crate) struct Coded<'a> {
    /// One code per row.
    pub(crate) codes: Vec<u32>,
    /// The value of each code; the first is null.
    pub(crate) values: Vec<Option<&'a str>>,
}

impl<'a> Coded<'a> {
    /// Codes a column.
    pub(crate) fn new(column: &'a StringArray) -> Self {
        let mut interner = Interner::new();
        let mut codes = Vec::with_capacity(column.len());
        let mut last: Option<(&str, u32)> = None;
        for value in column {
            codes.push(match (value, last) {
                (None, _) => 0,
                (Some(text), Some((seen, code))) if text == seen => code,
                (Some(text), _) => {
                    let code = interner.intern(text) + 1;
                    last = Some((text, code));
                    code
                }
            });
        }
        let values = std::iter::once(None).chain(interner.values().iter().map(|text| Some(*text))).collect();
        Coded { codes, values }
    }

    /// The value of a row.
    pub(crate) fn value(&self, row: usize) -> Option<&'a str> {
        self.values[self.codes[row] as usize]
    }

    /// Computes something once per distinct value; `result[codes[row]]` is a row's.
    pub(crate) fn map<T>(&self, f: impl FnMut(Option<&'a str>) -> T) -> Vec<T> {
        self.values.iter().copied().map(f).collect()
    }
}

/// A column with every value mapped by `f`, which runs once per distinct value; null stays null.
pub(crate) fn map_text(column: &StringArray, f: impl Fn(&str) -> Option<String>) -> StringArray {
    let coded = Coded::new(column);
    let mapped = coded.map(|value| value.and_then(&f));
    expand(&coded.codes, &mapped)
}

/// A text column from codes and the text of each code.
pub(crate) fn expand<T: AsRef<str>>(codes: &[u32], values: &[Option<T>]) -> StringArray {
    let bytes = codes.iter().map(|code| values[*code as usize].as_ref().map_or(0, |text| text.as_ref().len())).sum();
    let mut builder = StringBuilder::with_capacity(codes.len(), bytes);
    for code in codes {
        builder.append_option(values[*code as usize].as_ref());
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_first_appearance_and_null_is_zero() {
        let column = StringArray::from(vec![Some("b"), None, Some("a"), Some("a"), Some("b")]);
        let coded = Coded::new(&column);
        assert_eq!(coded.codes, [1, 0, 2, 2, 1]);
        assert_eq!(coded.values, [None, Some("b"), Some("a")]);
        assert_eq!(
            map_text(&column, |text| (text == "a").then(|| "x".into())).iter().collect::<Vec<_>>(),
            [None, None, Some("x"), Some("x"), None]
        );
    }

    #[test]
    fn a_thousand_values_keep_their_codes() {
        let texts: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
        let mut interner = Interner::new();
        for (code, text) in texts.iter().enumerate() {
            assert_eq!(interner.intern(text), code as u32);
        }
        assert!(texts.iter().enumerate().all(|(code, text)| interner.find(text) == Some(code as u32)));
        assert_eq!(interner.find("none"), None);
    }
}
