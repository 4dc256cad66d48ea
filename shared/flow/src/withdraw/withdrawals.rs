//! What was withdrawn from a lake, as bronze has to know it before it takes a landed object in.

use std::{collections::BTreeSet, sync::Arc};

use metriccare_lake::{bronze::WithdrawnPatients, keys};
use metriccare_ports::ObjectStore;

use super::file_stem;
use crate::error::FlowError;

/// What was withdrawn from a lake. Only names are listed: a withdrawal's file is named by the id of its landed object, or by
/// the keyed digest of its patient.
#[derive(Debug, Clone, Default)]
pub struct Withdrawals {
    names: BTreeSet<String>,
    /// The patients, where any was withdrawn.
    pub patients: Option<Arc<WithdrawnPatients>>,
}

impl Withdrawals {
    /// Lists the withdrawals of a lake. Nothing is read where nothing was withdrawn.
    ///
    /// # Errors
    /// What the store does.
    pub async fn of(lake: &dyn ObjectStore) -> Result<Self, FlowError> {
        let listed = lake.list(keys::WITHDRAWALS).await?;
        let names: BTreeSet<String> = listed.iter().filter_map(|it| file_stem(&it.key)).map(str::to_owned).collect();
        if names.is_empty() {
            return Ok(Self::default());
        }
        // The key is made with the first withdrawal of a patient.
        let key = lake.read_opt(keys::WITHDRAWAL_KEY).await?;
        let patients = key.map(|(_, key)| Arc::new(WithdrawnPatients::new(key.to_vec(), names.clone())));
        Ok(Withdrawals { names, patients })
    }

    /// Whether the landed object with this id was withdrawn.
    pub fn holds(&self, object_id: &str) -> bool {
        self.names.contains(object_id)
    }
}
