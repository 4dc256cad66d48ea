//! One work's record and its moves, pure: every adapter that can read, decide and write in one step uses them as they are.
//!
//! absent → in progress (1) → completed | rejected; in progress and lapsed, or failed → in progress (attempt + 1).

use serde::{Deserialize, Serialize};

use super::{Begin, Claim, Receipt, WorkId};
use crate::{Error, ErrorKind, Result};

/// What the ledger knows of a work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Who tried it last.
    pub owner: String,
    /// The number of that attempt, from 1.
    pub attempt: u32,
    /// How it stands.
    pub state: State,
}

/// How a work stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// An owner has it until the lease ends.
    InProgress {
        /// When the lease ends, in milliseconds since 1970.
        lease_until_millis: i64,
    },
    /// The last attempt failed; anybody may try it again.
    Failed {
        /// Why.
        why: String,
    },
    /// Done.
    Completed {
        /// What it left.
        receipt: Receipt,
    },
    /// Given up for good.
    Rejected {
        /// Why.
        reason: String,
    },
}

impl State {
    /// What brings a work into this state, for errors.
    pub fn operation(&self) -> &'static str {
        match self {
            State::InProgress { .. } => "begin",
            State::Failed { .. } => "fail",
            State::Completed { .. } => "complete",
            State::Rejected { .. } => "reject",
        }
    }
}

impl Record {
    /// Claims a work: the answer, and the record to write if there is one.
    pub fn begin(
        current: Option<&Self>,
        work: &WorkId,
        owner: &str,
        now_millis: i64,
        lease_until_millis: i64,
    ) -> Result<(Begin, Option<Self>)> {
        if lease_until_millis <= now_millis {
            let reason = format!("the lease ends at {lease_until_millis} ms, before it begins at {now_millis} ms");
            return Err(Error::new(ErrorKind::Invalid, "begin", work, reason));
        }
        let (attempt, takes_over) = match current {
            None => (1, false),
            Some(Self { state: State::Completed { receipt }, .. }) => return Ok((Begin::Done(receipt.clone()), None)),
            Some(Self { state: State::Rejected { reason }, .. }) => return Ok((Begin::Rejected(reason.clone()), None)),
            Some(Self { state: State::Failed { .. }, attempt, .. }) => (attempt + 1, false),
            Some(Self { state: State::InProgress { lease_until_millis: until }, attempt, owner: holder }) => {
                if *until <= now_millis {
                    (attempt + 1, true)
                } else if holder == owner {
                    (*attempt, false)
                } else {
                    return Ok((Begin::Busy { until_millis: *until }, None));
                }
            }
        };
        let claim = Claim { work: work.clone(), owner: owner.to_owned(), attempt, takes_over };
        let record = Self { owner: owner.to_owned(), attempt, state: State::InProgress { lease_until_millis } };
        Ok((Begin::Claimed(claim), Some(record)))
    }

    /// Ends a claim in a new state: the record to write, or none where this very end is written already.
    pub fn end(current: Option<&Self>, claim: &Claim, state: State) -> Result<Option<Self>> {
        let operation = state.operation();
        let ended = Self { owner: claim.owner.clone(), attempt: claim.attempt, state };
        match current {
            Some(record) if *record == ended => Ok(None),
            Some(Self { owner, attempt, state: State::InProgress { .. } })
                if *owner == claim.owner && *attempt == claim.attempt =>
            {
                Ok(Some(ended))
            }
            other => {
                let found = other.map_or_else(
                    || "the ledger does not know the work".to_owned(),
                    |record| format!("the ledger has attempt {} of {}", record.attempt, record.owner),
                );
                let reason = format!("attempt {} of {} no longer holds it: {found}", claim.attempt, claim.owner);
                Err(Error::new(ErrorKind::LeaseLost, operation, &claim.work, reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_refused_says_which_end_it_was() {
        let claim = Claim {
            work: WorkId::new("bronze", "b", "k", "etag", 0),
            owner: "o".into(),
            attempt: 1,
            takes_over: false,
        };
        let states = [
            (State::InProgress { lease_until_millis: 1 }, "begin"),
            (State::Failed { why: "w".into() }, "fail"),
            (State::Completed { receipt: Receipt::default() }, "complete"),
            (State::Rejected { reason: "r".into() }, "reject"),
        ];
        for (state, operation) in states {
            let refused = Record::end(None, &claim, state).expect_err("nobody has claimed it").to_string();
            assert!(refused.starts_with(operation) && refused.contains("does not know the work"), "{refused}");
        }
    }
}
