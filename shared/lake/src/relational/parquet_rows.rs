//! Reads the rows of a relational table from Parquet.

use std::{
    borrow::Cow,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{
        Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::{
    cell::{Cell, cents_of, parse},
    header::Header,
    sink::RowSink,
};
use crate::schema::Kind;

/// Rows that are decoded together.
const BATCH: usize = 8 * 1024;

/// The names of the columns of a Parquet object.
///
/// # Errors
/// Where it is no Parquet file, or a damaged one.
pub(super) fn columns_of(bytes: &Bytes) -> Result<Vec<String>, String> {
    let builder = open(bytes)?;
    Ok(builder.schema().fields().iter().map(|field| field.name().clone()).collect())
}

fn open(bytes: &Bytes) -> Result<ParquetRecordBatchReaderBuilder<Bytes>, String> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options))
}

/// Calls the Parquet decoder, which panics on some damaged files.
fn guarded<T, E: ToString>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| error.to_string()),
        Err(_) => Err("the Parquet file is damaged: its decoder gave up".to_owned()),
    }
}

/// Reads every row into the sink, numbered from 1.
///
/// # Errors
/// The outer one where a sink cannot be written, the inner one where the file turns out to be damaged.
pub(super) fn read(bytes: &Bytes, header: &Header, sink: &mut RowSink<'_>) -> io::Result<Result<(), String>> {
    let reader = open(bytes).and_then(|builder| guarded(|| builder.with_batch_size(BATCH).build()));
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(damage) => return Ok(Err(damage)),
    };
    let mut line = 0;
    loop {
        match guarded(|| reader.next().transpose()) {
            Ok(Some(batch)) => line = read_batch(&batch, header, sink, line)?,
            Ok(None) => break,
            Err(damage) => return Ok(Err(damage)),
        }
    }
    Ok(Ok(()))
}

fn read_batch(batch: &RecordBatch, header: &Header, sink: &mut RowSink<'_>, mut line: u64) -> io::Result<u64> {
    let columns: Vec<&ArrayRef> = header.positions.iter().map(|position| batch.column(*position)).collect();
    for row in 0..batch.num_rows() {
        line += 1;
        let mut cells = Vec::with_capacity(columns.len());
        let mut fault = None;
        for (column, (name, kind)) in columns.iter().zip(header.table.columns) {
            match cell(column, row, *kind) {
                Ok(cell) => cells.push(cell),
                Err(reason) => {
                    fault.get_or_insert((*name, reason));
                    cells.push(Cell::Missing);
                }
            }
        }
        let raw = || raw_of(&columns, row, header);
        match fault {
            None => sink.row(line, 0, &cells, || Cow::Owned(raw()))?,
            Some((name, reason)) => sink.bad_cell(line, 0, name, reason, &raw())?,
        }
    }
    Ok(line)
}

/// A cell of an Arrow array as a cell of the table's type.
fn cell(column: &ArrayRef, row: usize, kind: Kind) -> Result<Cell<'_>, &'static str> {
    if column.is_null(row) {
        return Ok(Cell::Missing);
    }
    if let Some(text) = text(column, row) {
        return parse(kind, text);
    }
    match kind {
        Kind::Date => date(column, row).map(Cell::Date).ok_or("not a date"),
        Kind::Timestamp => micros(column, row).map(Cell::Time).ok_or("not a time"),
        Kind::Boolean => {
            column.as_boolean_opt().map(|flags| Cell::Flag(flags.value(row))).ok_or("neither true nor false")
        }
        Kind::BigInt => match (whole(column, row), float(column, row)) {
            (Some(value), _) => Ok(Cell::Whole(value)),
            // Whole numbers with gaps become floats in many programs.
            (None, Some(value)) if value.is_nan() => Ok(Cell::Missing),
            (None, Some(value)) if value.fract() == 0.0 && value.abs() < 9e15 => Ok(Cell::Whole(value as i64)),
            _ => Err("not a whole number"),
        },
        Kind::Money => {
            let cents = match (decimal(column, row), whole(column, row), float(column, row)) {
                (Some(cents), _, _) => Some(cents),
                (_, Some(value), _) => value.checked_mul(100),
                (_, _, Some(value)) if value.is_nan() => return Ok(Cell::Missing),
                (_, _, Some(value)) => cents_of(value),
                _ => None,
            };
            cents.map(Cell::Cents).ok_or("not an amount with at most two decimals")
        }
        Kind::Double => match float(column, row).or_else(|| whole(column, row).map(|value| value as f64)) {
            Some(value) if value.is_nan() => Ok(Cell::Missing),
            Some(value) if value.is_finite() => Ok(Cell::Fraction(value)),
            _ => match decimal(column, row) {
                Some(cents) => Ok(Cell::Fraction(cents as f64 / 100.0)),
                None => Err("not a number"),
            },
        },
        Kind::Text => Err("not text"),
    }
}

pub(super) fn text(column: &ArrayRef, row: usize) -> Option<&str> {
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(column.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(column.as_string_view().value(row)),
        _ => None,
    }
}

fn whole(column: &ArrayRef, row: usize) -> Option<i64> {
    match column.data_type() {
        DataType::Int8 => Some(column.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Some(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Some(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Some(column.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Some(column.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Some(column.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => i64::try_from(column.as_primitive::<UInt64Type>().value(row)).ok(),
        _ => None,
    }
}

fn float(column: &ArrayRef, row: usize) -> Option<f64> {
    match column.data_type() {
        DataType::Float32 => Some(column.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Some(column.as_primitive::<Float64Type>().value(row)),
        _ => None,
    }
}

/// A decimal in hundredths; none where it has more decimals.
fn decimal(column: &ArrayRef, row: usize) -> Option<i64> {
    let DataType::Decimal128(_, scale) = column.data_type() else { return None };
    let value = column.as_primitive::<Decimal128Type>().value(row);
    let hundredths = match scale.cmp(&2) {
        std::cmp::Ordering::Greater => {
            let divisor = 10_i128.checked_pow(u32::try_from(scale - 2).ok()?)?;
            (value % divisor == 0).then(|| value / divisor)?
        }
        _ => value.checked_mul(10_i128.checked_pow(u32::try_from(2 - scale).ok()?)?)?,
    };
    i64::try_from(hundredths).ok()
}

fn micros(column: &ArrayRef, row: usize) -> Option<i64> {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            column.as_primitive::<TimestampSecondType>().value(row).checked_mul(1_000_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().value(row).checked_mul(1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Some(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some(column.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000))
        }
        DataType::Date32 => i64::from(column.as_primitive::<Date32Type>().value(row)).checked_mul(86_400_000_000),
        _ => None,
    }
}

/// A date, also one that is stored as a time of midnight.
fn date(column: &ArrayRef, row: usize) -> Option<i32> {
    let micros = micros(column, row)?;
    (micros.rem_euclid(86_400_000_000) == 0).then(|| i32::try_from(micros.div_euclid(86_400_000_000)).ok())?
}

/// The row as CSV, for the quarantine: the values of the columns as far as they can be written.
fn raw_of(columns: &[&ArrayRef], row: usize, header: &Header) -> String {
    let mut raw = String::new();
    for (at, (column, (_, kind))) in columns.iter().zip(header.table.columns).enumerate() {
        if at > 0 {
            raw.push(',');
        }
        match (text(column, row), cell(column, row, *kind)) {
            _ if column.is_null(row) => {}
            (Some(text), _) => super::cell::push_quoted(text, &mut raw),
            (None, Ok(cell)) => cell.push(&mut raw),
            (None, Err(_)) => match (whole(column, row), float(column, row)) {
                (Some(value), _) => raw.push_str(&value.to_string()),
                (_, Some(value)) => raw.push_str(&value.to_string()),
                _ => raw.push_str(&format!("({})", column.data_type())),
            },
        }
    }
    raw
}
