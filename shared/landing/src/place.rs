//! Where and when a world's objects land: by the world's own days, never by a clock.

use metriccare_fhir::calendar::{Date, SECOND};
use metriccare_world::World;

use crate::Request;

/// How many days after the rest dirty data lands that is late.
const LATE_DAYS: i32 = 10;

/// Where and when objects land.
pub(crate) struct Place {
    day: Date,
    /// `YYYY/MM/DD`.
    date: String,
    /// The world's own time of landing, in UTC microseconds: the last second of the day, or of the year.
    pub(crate) stamp: i64,
}

impl Place {
    pub(crate) fn new(world: &World, request: Request) -> Self {
        Place::on(request.day.unwrap_or_else(|| Date::from_ymd(world.spec().year, 12, 31)))
    }

    /// The place of a day.
    pub(crate) fn on(date: Date) -> Self {
        let stamp = Date(date.0 + 1).midnight().0 - SECOND;
        Place { day: date, date: date.to_string().replace('-', "/"), stamp }
    }

    /// Where what is late lands.
    pub(crate) fn late(&self) -> Self {
        Place::on(Date(self.day.0 + LATE_DAYS))
    }

    pub(crate) fn key(&self, kind: &str, name: &str, ending: &str) -> String {
        format!("{kind}/{}/{name}{ending}", self.date)
    }
}
