//! Texts that repeat: each is hashed and kept once, and the rows hold its id.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Texts by id, and ids by text. The id 0 is no value.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    ids: HashTable<u32>,
}

impl Dictionary {
    /// The id of no value.
    pub const NULL: u32 = 0;

    /// The id of a text, a new one where it is new.
    #[inline]
    pub fn id(&mut self, text: &str) -> u32 {
        let hash = xxh3_64(text.as_bytes());
        if let Some(id) = self.ids.find(hash, |id| text_of(&self.bytes, &self.ends, *id) == text.as_bytes()) {
            return *id;
        }
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
        // A dictionary is cleared long before it has so many texts.
        let id = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.ids.insert_unique(hash, id, |id| xxh3_64(text_of(&self.bytes, &self.ends, *id)));
        id
    }

    /// The text of an id other than [`NULL`](Self::NULL).
    pub fn text(&self, id: u32) -> &[u8] {
        text_of(&self.bytes, &self.ends, id)
    }

    /// The texts from the so-manieth on, in the order of their ids.
    pub(crate) fn texts_from(&self, known: usize) -> impl Iterator<Item = &str> {
        (known + 1..=self.ends.len()).map(|id| {
            let text = self.text(u32::try_from(id).unwrap_or(u32::MAX));
            std::str::from_utf8(text).expect("only texts are put in")
        })
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// About what the dictionary takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * 16
    }

    /// Takes out all texts.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.ids.clear();
    }
}

#[inline]
fn text_of<'a>(bytes: &'a [u8], ends: &[usize], id: u32) -> &'a [u8] {
    let at = id as usize - 1;
    let start = if at == 0 { 0 } else { ends[at - 1] };
    &bytes[start..ends[at]]
}

/// A column of texts that repeat.
#[derive(Debug, Default)]
pub struct DictionaryColumn {
    pub(super) dictionary: Dictionary,
    ids: Vec<u32>,
}

impl DictionaryColumn {
    /// Appends a value.
    pub fn append_value(&mut self, value: impl AsRef<str>) {
        self.append(Some(value.as_ref()));
    }

    /// Appends a value, or that there is none.
    #[expect(clippy::needless_pass_by_value, reason = "as Arrow's builders take it")]
    pub fn append_option(&mut self, value: Option<impl AsRef<str>>) {
        self.append(value.as_ref().map(AsRef::as_ref));
    }

    #[inline]
    fn append(&mut self, value: Option<&str>) {
        let id = value.map_or(Dictionary::NULL, |value| self.dictionary.id(value));
        self.ids.push(id);
    }

    /// The texts that the ids stand for.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The id of each row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Takes out all rows; the texts keep their ids.
    pub fn clear(&mut self) {
        self.ids.clear();
    }
}
