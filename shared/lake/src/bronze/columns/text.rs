//! Texts that hardly repeat: their bytes one behind the other, and where each ends.

/// The bit of an end that says that there is no value.
const NULL: u32 = 1 << 31;

/// A column of texts that hardly repeat.
#[derive(Debug, Default)]
pub struct TextColumn {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl TextColumn {
    /// Appends a value.
    pub fn append_value(&mut self, value: impl AsRef<str>) {
        self.append(Some(value.as_ref().as_bytes()));
    }

    /// Appends a value, or that there is none.
    #[expect(clippy::needless_pass_by_value, reason = "as Arrow's builders take it")]
    pub fn append_option(&mut self, value: Option<impl AsRef<str>>) {
        self.append(value.as_ref().map(|value| value.as_ref().as_bytes()));
    }

    #[inline]
    pub(super) fn append(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.bytes.extend_from_slice(value);
        }
        // Row groups are written long before a column has 2 GiB.
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX) & !NULL;
        self.ends.push(if value.is_some() { end } else { end | NULL });
    }

    /// The rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] & !NULL };
        let end = self.ends[row];
        (end & NULL == 0).then(|| &self.bytes[start as usize..end as usize])
    }

    /// The bytes of all values.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Takes out all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}
