//! The text of every table: as shipped, or as a user replaces it.

/// The text of every table of the world; by default the shipped ones.
#[derive(Clone, Debug)]
pub struct TableTexts {
    texts: [(&'static str, std::borrow::Cow<'static, str>); FILES.len()],
}

const FILES: [(&str, &str); 7] = [
    ("chronic.tsv", include_str!("../../data/chronic.tsv")),
    ("drg.tsv", include_str!("../../data/drg.tsv")),
    ("hospitals.tsv", include_str!("../../data/hospitals.tsv")),
    ("names.tsv", include_str!("../../data/names.tsv")),
    ("procedures.tsv", include_str!("../../data/procedures.tsv")),
    ("stay_reasons.tsv", include_str!("../../data/stay_reasons.tsv")),
    ("visit_reasons.tsv", include_str!("../../data/visit_reasons.tsv")),
];

impl Default for TableTexts {
    fn default() -> TableTexts {
        TableTexts { texts: FILES.map(|(file, text)| (file, text.into())) }
    }
}

impl TableTexts {
    /// The file names of the tables.
    pub fn files() -> impl Iterator<Item = &'static str> {
        FILES.into_iter().map(|(file, _)| file)
    }

    /// The shipped text of a table that cannot be replaced, because gold compares with the same figures.
    pub fn fixed(file: &str) -> Option<&'static str> {
        (file == "benchmarks.tsv").then_some(include_str!("../../data/benchmarks.tsv"))
    }

    /// Replaces the text of a table; false where no table has this file name.
    pub fn replace(&mut self, file: &str, text: String) -> bool {
        let found = self.texts.iter_mut().find(|(name, _)| *name == file);
        found.map(|(_, known)| *known = text.into()).is_some()
    }

    /// The text of a table.
    pub(super) fn of(&self, file: &str) -> &str {
        self.texts.iter().find(|(name, _)| *name == file).map_or("", |(_, text)| text)
    }

    /// A digest of the texts that are not the shipped ones; none where all are.
    pub(super) fn digest(&self) -> Option<u64> {
        let replaced = self.texts.iter().zip(FILES).filter(|((_, text), (_, shipped))| *text != *shipped);
        let bytes = replaced.flat_map(|((name, text), _)| name.bytes().chain(text.bytes()));
        let mut any = false;
        let digest = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            any = true;
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        any.then_some(digest)
    }
}
