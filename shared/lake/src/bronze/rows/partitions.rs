//! The rows of a chunk by partition value.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// One set of rows for each partition value, in the order in which the values came.
#[derive(Debug)]
pub struct Partitions<R> {
    values: Vec<(Option<String>, R)>,
    index: HashMap<String, usize, Xxh3DefaultBuilder>,
    null: Option<usize>,
    last: usize,
}

impl<R> Default for Partitions<R> {
    fn default() -> Self {
        Partitions { values: Vec::new(), index: HashMap::default(), null: None, last: 0 }
    }
}

impl<R: Default> Partitions<R> {
    /// The rows of a value.
    pub fn of(&mut self, value: Option<&str>) -> &mut R {
        // Neighbours in an object mostly belong together.
        if self.values.get(self.last).is_some_and(|(last, _)| last.as_deref() == value) {
            return &mut self.values[self.last].1;
        }
        let known = match value {
            Some(value) => self.index.get(value).copied(),
            None => self.null,
        };
        let at = known.unwrap_or_else(|| {
            let at = self.values.len();
            match value {
                Some(value) => _ = self.index.insert(value.to_owned(), at),
                None => self.null = Some(at),
            }
            self.values.push((value.map(str::to_owned), R::default()));
            at
        });
        self.last = at;
        &mut self.values[at].1
    }

    /// Every value with its rows.
    pub fn into_values(self) -> Vec<(Option<String>, R)> {
        self.values
    }
}
