//! The kinds of dirt, and what the lake has to make of each.

/// What the lake has to make of a record with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedOutcome {
    /// A row of bronze and silver that counts as what it is.
    Accepted,
    /// A row of bronze, of which silver keeps none but the latest version.
    MergedAway,
    /// A row of bronze/deletion; nothing of the resource is in silver or gold.
    Deleted,
    /// Counted by its type, and no row.
    Skipped,
    /// A row of the quarantine, under this rule.
    Quarantined(&'static str),
}

/// A kind of dirt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirt {
    /// The same bytes under another key.
    Duplicates,
    /// The same version once more, in an object that lands later.
    Replays,
    /// The version before, in an object that lands later.
    OutOfOrder,
    /// A record that lands later than the others.
    Late,
    /// An encounter that never was, and says so in the end.
    EnteredInError,
    /// A stay within another stay of the same patient.
    Overlaps,
    /// An encounter in the other FHIR version.
    MixedVersions,
    /// Times of another zone than UTC.
    Offsets,
    /// A discharge disposition as a bare number: `1` for NUBC's `01`.
    BareCodes,
    /// A resource of a type that the lake does not keep.
    ForeignTypes,
    /// JSON that ends too early.
    Truncated,
    /// A number where a text belongs.
    WrongTypes,
    /// A time that is none.
    BadValues,
    /// A resource without id.
    MissingIds,
    /// An encounter that was first filed under another patient.
    Moved,
    /// A resource that was entered twice, and whose second record is deleted.
    Deleted,
}

impl Dirt {
    /// All kinds.
    pub const ALL: [Dirt; 16] = [
        Dirt::Duplicates,
        Dirt::Replays,
        Dirt::OutOfOrder,
        Dirt::Late,
        Dirt::EnteredInError,
        Dirt::Overlaps,
        Dirt::MixedVersions,
        Dirt::Offsets,
        Dirt::BareCodes,
        Dirt::ForeignTypes,
        Dirt::Truncated,
        Dirt::WrongTypes,
        Dirt::BadValues,
        Dirt::MissingIds,
        Dirt::Moved,
        Dirt::Deleted,
    ];

    /// The name in `--dirty` and in a spec file.
    pub fn name(self) -> &'static str {
        &self.field()["dirty.".len()..]
    }

    /// What the lake has to make of it.
    pub fn expected_outcome(self) -> ExpectedOutcome {
        match self {
            Dirt::Duplicates | Dirt::Replays | Dirt::OutOfOrder | Dirt::Moved => ExpectedOutcome::MergedAway,
            Dirt::ForeignTypes => ExpectedOutcome::Skipped,
            Dirt::Deleted => ExpectedOutcome::Deleted,
            Dirt::Truncated => ExpectedOutcome::Quarantined("truncated"),
            Dirt::WrongTypes => ExpectedOutcome::Quarantined("wrong-type"),
            Dirt::BadValues => ExpectedOutcome::Quarantined("bad-value"),
            Dirt::MissingIds => ExpectedOutcome::Quarantined("no-id"),
            _ => ExpectedOutcome::Accepted,
        }
    }

    /// The name of its field in a spec.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Dirt::Duplicates => "dirty.duplicates",
            Dirt::Replays => "dirty.replays",
            Dirt::OutOfOrder => "dirty.out-of-order",
            Dirt::Late => "dirty.late",
            Dirt::EnteredInError => "dirty.entered-in-error",
            Dirt::Overlaps => "dirty.overlaps",
            Dirt::MixedVersions => "dirty.mixed-versions",
            Dirt::Offsets => "dirty.offsets",
            Dirt::BareCodes => "dirty.bare-codes",
            Dirt::ForeignTypes => "dirty.foreign-types",
            Dirt::Truncated => "dirty.truncated",
            Dirt::WrongTypes => "dirty.wrong-types",
            Dirt::BadValues => "dirty.bad-values",
            Dirt::MissingIds => "dirty.missing-ids",
            Dirt::Moved => "dirty.moved",
            Dirt::Deleted => "dirty.deleted",
        }
    }
}
