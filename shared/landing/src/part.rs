//! One thread's share of a world: ranges of patients become objects that land, and what they hold is remembered for the
//! answer key.

use std::{collections::BTreeMap, ops::Range};

use metriccare_ports::{ObjectStore, PutMode};
use metriccare_world::{Answers, Covered, Destination, FhirWriter, Known, LifeObserver, Resources, World};
use tokio::runtime::Handle;

use crate::{
    Failure, Generated, Request,
    format::{Packer, Written, pack_batch, pack_deletions},
    place::Place,
};

/// One thread's share of the work.
pub(crate) struct Part<'w> {
    request: Request,
    writer: FhirWriter<'w>,
    resources: Resources,
    packer: Packer,
    pub(crate) answers: Answers,
    pub(crate) made: Generated,
}

impl<'w> Part<'w> {
    pub(crate) fn new(world: &'w World, request: Request) -> Self {
        let known = request.day.map_or(Known::YearEnd, Known::Day);
        Part {
            request,
            writer: FhirWriter::new(world, request.version, known),
            resources: Resources::default(),
            packer: Packer::default(),
            answers: Answers::new(world),
            made: Generated::default(),
        }
    }

    pub(crate) fn write(
        &mut self,
        range: Range<u64>,
        place: &Place,
        landing: &dyn ObjectStore,
        runtime: &Handle,
    ) -> Result<(), Failure> {
        self.resources.clear();
        let name = format!("{:08}-{:08}", range.start + 1, range.end);
        // The days of a feed add up to one key: its last day counts the patients.
        let counts = self.request.day.is_none_or(|day| day.ymd().1 == 12 && day.ymd().2 == 31);
        let observer = counts.then_some(&mut self.answers as &mut dyn LifeObserver);
        self.writer.write(range, &mut self.resources, observer);
        let [patients, encounters, conditions] = self.resources.counts;
        self.made.patients += patients;
        self.made.encounters += encounters;
        self.made.conditions += conditions;
        for (dirt, count) in &self.resources.faults {
            self.answers.inject(*dirt, *count);
        }
        let mut objects = Vec::new();
        for written in self.packer.pack(&mut self.resources, self.request.format, self.request.gzip)? {
            objects.push(Object { name: name.clone(), late: false, written, quarantined: BTreeMap::new(), skipped: 0 });
        }
        objects.extend(self.dirty_objects(&name)?);
        let late = place.late();
        for object in objects {
            let place = if object.late { &late } else { place };
            let Written { kind, ending, bytes, records, memory } = object.written;
            let key = place.key(kind, &format!("{kind}-{}", object.name), &ending);
            self.made.objects += 1;
            self.made.bytes += bytes.len() as u64;
            let put = landing.put_stamped(&key, bytes.clone().into(), PutMode::Overwrite, place.stamp);
            let etag = runtime.block_on(put)?;
            self.answers.cover(Covered {
                name: key,
                etag: etag.as_str().to_owned(),
                accepted: records,
                quarantined: object.quarantined,
                skipped: object.skipped,
            });
            self.packer.take_back(&mut self.resources, memory, bytes);
        }
        Ok(())
    }

    /// What lands apart from the rest since it is dirty; copies land twice.
    fn dirty_objects(&self, name: &str) -> Result<Vec<Object>, Failure> {
        let mut objects = Vec::new();
        if self.resources.deleted > 0 {
            objects.push(Object {
                name: format!("{name}-deleted"),
                late: false,
                written: pack_deletions(&self.resources, self.request.gzip)?,
                quarantined: BTreeMap::new(),
                skipped: 0,
            });
        }
        for (destination, batches) in Destination::ALL.into_iter().zip(&self.resources.batches) {
            let endings: &[&str] = if destination == Destination::Copies { &["", "-again"] } else { &[""] };
            for (kind, batch) in batches.iter().enumerate().filter(|(_, batch)| !batch.lines.is_empty()) {
                for ending in endings {
                    let quarantined = batch.quarantined.iter().map(|(rule, count)| ((*rule).to_owned(), *count));
                    objects.push(Object {
                        name: format!("{name}-{}{ending}", destination.name()),
                        late: destination == Destination::Late,
                        written: pack_batch(kind, batch, self.request.gzip)?,
                        quarantined: quarantined.collect(),
                        skipped: batch.skipped,
                    });
                }
            }
        }
        Ok(objects)
    }
}

/// An object that is about to land.
struct Object {
    /// The end of its name.
    name: String,
    /// Whether it lands later than the rest.
    late: bool,
    written: Written,
    /// Records in it that cannot be read, by the rule that they break.
    quarantined: BTreeMap<String, u64>,
    /// Records in it of types that the lake does not keep.
    skipped: u64,
}
