//! Deletions: one entry, one row of `bronze/deletion`.

use super::{Origin, columns::columns};
use crate::bronze::entry::Deletion;

columns! {
    /// Rows of `bronze/deletion`.
    DeletionRows for BRONZE_DELETION;
    resource_type DictionaryColumn, resource_id TextColumn, deleted_time NumberColumn, version_id DictionaryColumn,
    sourcename DictionaryColumn, precombine_ts NumberColumn,
}

impl DeletionRows {
    /// Appends a deletion; one that does not say when it was is as old as its landed object.
    pub(in crate::bronze) fn append(&mut self, origin: Origin<'_>, deletion: &Deletion) {
        self.resource_type.append_value(&deletion.resource_type);
        self.resource_id.append_option(origin.id(Some(&deletion.resource_id)));
        self.deleted_time.append_value(deletion.time.unwrap_or(origin.landed_micros));
        self.version_id.append_option(deletion.version_id.as_deref());
        self.sourcename.append_value(origin.sourcename);
        self.precombine_ts.append_value(origin.landed_micros);
    }
}
