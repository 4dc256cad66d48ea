//! The cohorts that exact shares ask for: which places of the population must, must not or may have a stay, an infection,
//! a readmission, a death in hospital.
//!
//! Cohorts are ranges of places; [`crate::population`] gives every patient a place.

/// The sizes of the cohorts, in patients; none where no share is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shares {
    /// All patients.
    pub(crate) patients: u64,
    /// Those with a completed stay; where given, nobody else has one.
    pub(crate) stays: Option<u64>,
    /// Those with a hospital-onset infection.
    pub(crate) infection: Option<u64>,
    /// Those with a naive readmission.
    pub(crate) readmission: Option<u64>,
    /// Those who die in hospital.
    pub(crate) mortality: Option<u64>,
}

/// Whether something must, must not, or may happen to a patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Need {
    /// As it comes.
    #[default]
    Free,
    /// It has to.
    Must,
    /// It may not.
    Never,
}

/// What is demanded of one patient.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    /// A completed stay.
    pub(crate) stay: Need,
    /// Death in hospital.
    pub(crate) death: Need,
    /// A hospital-onset infection.
    pub(crate) infection: Need,
    /// A naive readmission.
    pub(crate) readmission: Need,
    /// The exact number of encounters.
    pub(crate) encounters: Option<u64>,
    /// The frailty, where it has to fit the number of encounters.
    pub(crate) frailty: Option<f64>,
}

/// The places that belong to each cohort.
#[derive(Clone, Debug)]
pub(crate) struct Cohorts {
    infection: Option<(u64, u64)>,
    readmission: Option<(u64, u64)>,
    mortality: Option<(u64, u64)>,
    /// The places below this one need a completed stay.
    stays: u64,
    /// Whether no other place may have one.
    only: bool,
}

impl Cohorts {
    /// Lays the cohorts out: each overlaps the one before it in part, and all lie among those with a stay.
    pub(crate) fn of(shares: &Shares) -> Cohorts {
        let within = shares.stays.unwrap_or(shares.patients);
        let lay = |share: Option<u64>, from: u64| {
            share.map(|share| {
                let count = share.min(within);
                let start = from.min(within - count);
                (start, start + count)
            })
        };
        let end = |range: Option<(u64, u64)>| range.map_or(0, |(_, end)| end);
        let infection = lay(shares.infection, 0);
        let readmission = lay(shares.readmission, end(infection) / 2);
        let reached = end(infection).max(end(readmission));
        let mortality = lay(shares.mortality, reached / 4 * 3);
        let only = shares.stays.is_some();
        let stays = if only { within } else { reached.max(end(mortality)) };
        Cohorts { infection, readmission, mortality, stays, only }
    }

    /// How many patients need a completed stay.
    pub(crate) fn stays(&self) -> u64 {
        self.stays
    }

    /// The fewest encounters that the cohorts can be made of: a stay each, and a second one for a readmission.
    pub(crate) fn encounters_needed(&self) -> u64 {
        self.stays + self.readmission.map_or(0, |(start, end)| end - start)
    }

    pub(crate) fn demand(&self, place: u64) -> Demand {
        let need = |range: Option<(u64, u64)>| match range {
            None => Need::Free,
            Some((start, end)) if (start..end).contains(&place) => Need::Must,
            Some(_) => Need::Never,
        };
        let stay = match place < self.stays {
            true => Need::Must,
            false if self.only => Need::Never,
            false => Need::Free,
        };
        Demand {
            stay,
            death: need(self.mortality),
            infection: need(self.infection),
            readmission: need(self.readmission),
            ..Demand::default()
        }
    }
}
