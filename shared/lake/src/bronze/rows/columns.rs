//! Column builders of one table, in the order of its schema.

/// Declares a struct of column builders for a table's file columns, with `finish` to a record batch.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident for $table:ident; $($column:ident $builder:ident),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            $($column: arrow_array::builder::$builder,)+
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($column: $crate::bronze::rows::columns::Empty::empty(),)+ }
            }
        }

        impl $name {
            /// The columns' names, in order.
            #[cfg(test)]
            pub(crate) const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            /// The rows so far, as a batch of the table's file columns.
            pub fn finish(&mut self) -> arrow_array::RecordBatch {
                let columns: Vec<arrow_array::ArrayRef> =
                    vec![$(std::sync::Arc::new(self.$column.finish())),+];
                arrow_array::RecordBatch::try_new($crate::schema::$table.file_schema(), columns)
                    .expect("the builders are the schema's columns, and a row appends to each of them once")
            }
        }
    };
}

pub(super) use columns;

/// An empty builder of the lake's type.
pub(super) trait Empty {
    fn empty() -> Self;
}

impl Empty for arrow_array::builder::StringBuilder {
    fn empty() -> Self {
        Self::with_capacity(64, 1024)
    }
}

impl Empty for arrow_array::builder::TimestampMicrosecondBuilder {
    fn empty() -> Self {
        Self::with_capacity(64).with_timezone("UTC")
    }
}

impl Empty for arrow_array::builder::Date32Builder {
    fn empty() -> Self {
        Self::with_capacity(64)
    }
}

impl Empty for arrow_array::builder::Int64Builder {
    fn empty() -> Self {
        Self::with_capacity(64)
    }
}

impl Empty for arrow_array::builder::BooleanBuilder {
    fn empty() -> Self {
        Self::with_capacity(64)
    }
}
