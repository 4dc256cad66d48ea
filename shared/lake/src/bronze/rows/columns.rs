//! Columns of one table, in the order of its schema.

use crate::{
    bronze::columns::{Column, DictionaryColumn},
    schema::Table,
};

/// The rows of one table that a thread has made.
pub trait TableRows {
    /// The table.
    fn table(&self) -> &'static Table;

    /// The table's file columns, in order.
    fn columns(&self) -> Vec<Column<'_>>;

    /// The value of the partition column of each row; none in a table that is partitioned by the day of its object.
    fn partitions(&self) -> &DictionaryColumn;

    /// The rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes out all rows and keeps the memory.
    fn clear(&mut self);

    /// Takes out the texts of columns that have no rows.
    fn forget_texts(&mut self);

    /// The rows as they are read from their file.
    #[cfg(test)]
    fn finish(&self) -> arrow_array::RecordBatch
    where
        Self: Sized,
    {
        read_back(self)
    }
}

/// Writes rows as a file and reads it.
#[cfg(test)]
fn read_back(rows: &dyn TableRows) -> arrow_array::RecordBatch {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

    let file = crate::bronze::row_group::write_file(rows, Vec::new()).expect("memory");
    let mut batches = ParquetRecordBatchReader::try_new(bytes::Bytes::from(file), rows.len()).expect("a file");
    batches.next().expect("rows").expect("a batch")
}

/// Declares a struct of columns for a table's file columns.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident for $table:ident; $($column:ident $kind:ident),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name {
            partitions: $crate::bronze::columns::DictionaryColumn,
            $($column: $crate::bronze::columns::$kind,)+
        }

        impl $name {
            /// The columns' names, in order.
            #[cfg(test)]
            pub(crate) const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            /// Where the next row is appended, which belongs to that partition.
            pub fn of(&mut self, partition: Option<&str>) -> &mut Self {
                self.partitions.append_option(partition);
                self
            }
        }

        impl $crate::bronze::rows::TableRows for $name {
            fn table(&self) -> &'static $crate::schema::Table {
                &$crate::schema::$table
            }

            fn columns(&self) -> Vec<$crate::bronze::columns::Column<'_>> {
                use $crate::bronze::columns::AnyColumn as _;
                vec![$(self.$column.as_column()),+]
            }

            fn partitions(&self) -> &$crate::bronze::columns::DictionaryColumn {
                &self.partitions
            }

            fn len(&self) -> usize {
                // Every row has its landed time.
                self.precombine_ts.len()
            }

            fn clear(&mut self) {
                self.partitions.clear();
                $(self.$column.clear();)+
            }

            fn forget_texts(&mut self) {
                use $crate::bronze::columns::AnyColumn as _;
                self.partitions.forget_texts();
                $(self.$column.forget_texts();)+
            }
        }
    };
}

pub(super) use columns;
