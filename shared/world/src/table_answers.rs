//! The answer key of the relational tables: what the rows of the star have to come to, and which landed bytes hold them.
//!
//! It is a sum, so shards write one each, the two tables of the whole population have one of their own, and
//! [`TableAnswers::merge`] adds them up.

use serde::{Deserialize, Serialize};

use crate::answers::DifferentWorlds;
use crate::view::tables::TableTotals;
use crate::world::World;

/// A file or object of a table that a key covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoveredTable {
    /// The name that it was written under; it may land under another one.
    pub name: String,
    /// The fingerprint of its bytes, which names it wherever it lands.
    pub content_id: String,
}

/// Which part of a world's tables a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TablePart {
    /// The shard `part` of `of`; the first one has the clinicians and hospitals as well.
    Shard {
        /// Which shard, from 1.
        part: u64,
        /// How many shards there are.
        of: u64,
    },
    /// The measures and infections of the whole population, which were summed over so many shards.
    Reports {
        /// How many shards there are.
        of: u64,
    },
}

/// An answer key of tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAnswers {
    /// The world's name, [`crate::Spec::slug`].
    world: String,
    covers: Vec<CoveredTable>,
    totals: TableTotals,
}

impl TableAnswers {
    /// A key with the totals of some of a world's tables, which covers nothing yet.
    pub fn new(world: &World, totals: TableTotals) -> TableAnswers {
        TableAnswers { world: world.slug(), covers: Vec::new(), totals }
    }

    /// Says that bytes of the world's tables were written, which hold rows that the totals count.
    pub fn cover(&mut self, table: CoveredTable) {
        self.covers.push(table);
        self.covers.sort();
    }

    /// The bytes that the key covers.
    pub fn covers(&self) -> &[CoveredTable] {
        &self.covers
    }

    /// What the rows come to.
    pub fn totals(&self) -> &TableTotals {
        &self.totals
    }

    /// Adds the key of another part.
    ///
    /// # Errors
    /// The keys are of different worlds.
    pub fn merge(&mut self, other: &TableAnswers) -> Result<(), DifferentWorlds> {
        if self.world != other.world {
            return Err(DifferentWorlds(self.world.clone(), other.world.clone()));
        }
        self.totals.merge(&other.totals);
        self.covers.extend(other.covers.iter().cloned());
        self.covers.sort();
        self.covers.dedup();
        Ok(())
    }

    /// Where the key lies in the lake bucket: `reference/_answers/<spec>/tables/<layout>/<k>-of-<n>.json`, or
    /// `reports-of-<n>.json`. A layout is a way to write the same tables as files: their format, and how they are cut.
    pub fn key(&self, layout: &str, part: TablePart) -> String {
        format!("reference/_answers/{}/tables/{layout}/{}.json", self.world, part.name())
    }

    /// The key as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a key is numbers and text, which JSON can hold")
    }

    /// Reads a key from JSON.
    ///
    /// # Errors
    /// It is not one.
    pub fn from_json(text: &str) -> Result<TableAnswers, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl TablePart {
    fn name(self) -> String {
        match self {
            TablePart::Shard { part, of } => format!("{part}-of-{of}"),
            TablePart::Reports { of } => format!("reports-of-{of}"),
        }
    }

    /// The part that a key's file name, without its ending, names.
    pub fn parse(name: &str) -> Option<TablePart> {
        let (part, of) = name.split_once("-of-")?;
        let of = of.parse().ok()?;
        Some(if part == "reports" {
            TablePart::Reports { of }
        } else {
            TablePart::Shard { part: part.parse().ok()?, of }
        })
    }

    /// How many shards there are.
    pub fn of(self) -> u64 {
        match self {
            TablePart::Shard { of, .. } | TablePart::Reports { of } => of,
        }
    }
}
