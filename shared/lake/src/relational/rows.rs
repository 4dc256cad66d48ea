//! The typed rows of one relational table on their way into bronze.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};

use super::{RelationalTable, cell::Cell};
use crate::{bronze::rows::Origin, keys::content_id, schema::Kind};

/// Column builders of a table, filled row by row.
pub(super) struct Rows {
    table: &'static RelationalTable,
    builders: Vec<Builder>,
    sourcename: StringBuilder,
    precombine_ts: TimestampMicrosecondBuilder,
    content_id: StringBuilder,
    /// The row under construction in its canonical form.
    canonical: String,
}

enum Builder {
    Text(StringBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Whole(Int64Builder),
    Money(Decimal128Builder),
    Fraction(Float64Builder),
    Flag(BooleanBuilder),
}

impl Rows {
    pub(super) fn new(table: &'static RelationalTable) -> Rows {
        Rows {
            table,
            builders: table.columns.iter().map(|(_, kind)| Builder::of(*kind)).collect(),
            sourcename: StringBuilder::new(),
            precombine_ts: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            content_id: StringBuilder::new(),
            canonical: String::new(),
        }
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.content_id.len()
    }

    /// Appends a row whose cells have the types of the table's columns; ids take the source's prefix, where there is one.
    pub(super) fn append(&mut self, cells: &[Cell<'_>], origin: Origin<'_>, id_prefix: &str) {
        self.canonical.clear();
        for (at, (cell, (name, _))) in cells.iter().zip(self.table.columns).enumerate() {
            if at > 0 {
                self.canonical.push(',');
            }
            cell.push(&mut self.canonical);
            let prefix = if name.ends_with("_id") { id_prefix } else { "" };
            self.builders[at].append(cell, prefix);
        }
        self.sourcename.append_value(origin.sourcename);
        self.precombine_ts.append_value(origin.landed_micros);
        self.content_id.append_value(content_id(self.canonical.as_bytes()));
    }

    /// The rows so far as a batch of the bronze table's file columns; the next row begins a new one.
    pub(super) fn finish(&mut self) -> RecordBatch {
        let mut columns: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        columns.push(Arc::new(self.sourcename.finish()));
        columns.push(Arc::new(self.precombine_ts.finish()));
        columns.push(Arc::new(self.content_id.finish()));
        RecordBatch::try_new(self.table.bronze.file_schema(), columns)
            .expect("the builders are the schema's columns, and a row appends to each of them once")
    }
}

impl Builder {
    fn of(kind: Kind) -> Builder {
        match kind {
            Kind::Text => Builder::Text(StringBuilder::new()),
            Kind::Date => Builder::Date(Date32Builder::new()),
            Kind::Timestamp => Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::BigInt => Builder::Whole(Int64Builder::new()),
            Kind::Money => Builder::Money(Decimal128Builder::new().with_data_type(Kind::Money.data_type())),
            Kind::Double => Builder::Fraction(Float64Builder::new()),
            Kind::Boolean => Builder::Flag(BooleanBuilder::new()),
        }
    }

    /// Appends a cell of the builder's type, or a null.
    fn append(&mut self, cell: &Cell<'_>, prefix: &str) {
        match (self, *cell) {
            (Builder::Text(builder), Cell::Text(text)) if prefix.is_empty() => builder.append_value(text),
            (Builder::Text(builder), Cell::Text(text)) => builder.append_value(format!("{prefix}{text}")),
            (Builder::Date(builder), Cell::Date(days)) => builder.append_value(days),
            (Builder::Time(builder), Cell::Time(micros)) => builder.append_value(micros),
            (Builder::Whole(builder), Cell::Whole(value)) => builder.append_value(value),
            (Builder::Money(builder), Cell::Cents(cents)) => builder.append_value(cents.into()),
            (Builder::Fraction(builder), Cell::Fraction(value)) => builder.append_value(value),
            (Builder::Flag(builder), Cell::Flag(value)) => builder.append_value(value),
            (Builder::Text(builder), _) => builder.append_null(),
            (Builder::Date(builder), _) => builder.append_null(),
            (Builder::Time(builder), _) => builder.append_null(),
            (Builder::Whole(builder), _) => builder.append_null(),
            (Builder::Money(builder), _) => builder.append_null(),
            (Builder::Fraction(builder), _) => builder.append_null(),
            (Builder::Flag(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Text(builder) => ArrayBuilder::finish(builder),
            Builder::Date(builder) => ArrayBuilder::finish(builder),
            Builder::Time(builder) => ArrayBuilder::finish(builder),
            Builder::Whole(builder) => ArrayBuilder::finish(builder),
            Builder::Money(builder) => ArrayBuilder::finish(builder),
            Builder::Fraction(builder) => ArrayBuilder::finish(builder),
            Builder::Flag(builder) => ArrayBuilder::finish(builder),
        }
    }
}
