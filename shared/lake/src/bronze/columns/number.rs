//! Times, dates, counts and flags: all of them as 64-bit numbers until they are written.

/// A column of numbers.
#[derive(Debug, Default)]
pub struct NumberColumn {
    values: Vec<i64>,
}

impl NumberColumn {
    /// Stands for no value: no time, date or count of a record is this one.
    pub const NULL: i64 = i64::MIN;

    /// Appends a value.
    pub fn append_value(&mut self, value: impl Into<i64>) {
        self.values.push(value.into());
    }

    /// Appends a value, or that there is none.
    pub fn append_option(&mut self, value: Option<impl Into<i64>>) {
        self.values.push(value.map_or(Self::NULL, Into::into));
    }

    pub(super) fn append_from(&mut self, other: &NumberColumn, rows: &[u32]) {
        self.values.extend(rows.iter().map(|row| other.values[*row as usize]));
    }

    /// The rows.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of each row, [`NULL`](Self::NULL) where it has none.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// Takes out all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}
