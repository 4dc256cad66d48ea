//! The simulator's folders: `fhir_data/json/<resource>/<resource>_<timestamp>.json`, one JSON array each.
//!
//! The timestamp is the world's own, the end of its year: the same answers write the same files again.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use metriccare_world::{Resources, World};

use crate::{commands::generate::atomic_file::AtomicFile, output::failure::Failure};

/// The resources that are written.
pub(super) const KINDS: [&str; 3] = ["patient", "encounter", "condition"];

/// The three files under construction.
pub(super) struct Files {
    folder: PathBuf,
    arrays: Vec<Array>,
}

struct Array {
    draft: AtomicFile,
    file: BufWriter<File>,
    empty: bool,
}

impl Files {
    pub(super) fn create(out: &Path, world: &World) -> Result<Self, Failure> {
        let folder = out.join("fhir_data").join("json");
        let array = |kind: &&str| {
            let folder = folder.join(kind);
            std::fs::create_dir_all(&folder)
                .map_err(|error| Failure::usage(format!("--out {}: {error}", out.display())))?;
            let draft = AtomicFile::new(&folder, &format!("{kind}_{}1231T235959Z.json", world.spec().year));
            let file = BufWriter::new(draft.create()?);
            Ok(Array { draft, file, empty: true })
        };
        let arrays = KINDS.iter().map(array).collect::<Result<_, Failure>>()?;
        Ok(Files { folder, arrays })
    }

    /// Where the files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn append(&mut self, resources: &Resources) -> Result<(), Failure> {
        let types = [&resources.patient, &resources.encounter, &resources.condition];
        self.arrays.iter_mut().zip(types).try_for_each(|(array, lines)| array.append(lines))
    }

    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.arrays.iter_mut().try_for_each(Array::finish)
    }
}

impl Array {
    fn append(&mut self, lines: &[u8]) -> Result<(), Failure> {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let before: &[u8] = if self.empty { b"[\n" } else { b",\n" };
            self.empty = false;
            let written = self.file.write_all(before).and_then(|()| self.file.write_all(line));
            written.map_err(|error| self.draft.failure(&error))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let end: &[u8] = if self.empty { b"[]\n" } else { b"\n]\n" };
        let written = self.file.write_all(end).and_then(|()| self.file.flush());
        written.map_err(|error| self.draft.failure(&error))?;
        self.draft.publish()?;
        Ok(())
    }
}
