//! What the claims of a life come to.

use super::claims;
use crate::life::Life;
use crate::world::World;

/// What the claims of lives come to, for the calibration; its memory is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClaimTotals {
    lines: Vec<claims::Line>,
}

impl ClaimTotals {
    /// Draws the claims of a life: what was paid in cents, the lines, and the denied ones among them.
    pub(crate) fn of(&mut self, world: &World, life: &Life) -> (i64, u64, u64) {
        let paid = claims::draw(world, life, &mut self.lines);
        (paid, self.lines.len() as u64, claims::denied(&self.lines) as u64)
    }
}
