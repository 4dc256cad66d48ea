//! The lines of the tables that are written patient by patient.

/// Lines of the four tables that are written patient by patient, without headers. Cleared by the caller.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Lines of patients.csv.
    pub patients: Vec<u8>,
    /// Lines of encounters.csv.
    pub encounters: Vec<u8>,
    /// Lines of claims.csv.
    pub claims: Vec<u8>,
    /// Lines of registry.csv.
    pub registry: Vec<u8>,
    /// How many lines of each were written, in this order.
    pub counts: [u64; 4],
}

impl Rows {
    /// The lines of each table, in the order of [`super::BY_PATIENT`].
    pub fn tables(&self) -> [&[u8]; 4] {
        [&self.patients, &self.encounters, &self.claims, &self.registry]
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        for bytes in [&mut self.patients, &mut self.encounters, &mut self.claims, &mut self.registry] {
            bytes.clear();
        }
        self.counts = [0; 4];
    }
}
