//! The pages of one column of a row group: levels, values, compression, statistics and where each page lies.

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, PageType, Type, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriteSpec, PageWriter},
        writer::ColumnCloseResult,
    },
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats},
        statistics::Statistics,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};
use zstd::zstd_safe::compress_bound;

use super::{Encoder, hybrid};
use crate::{
    bronze::columns::{Dictionary, NumberColumn, TextColumn},
    schema::Kind,
};

/// Rows of a page, as other writers have them: what a reader that looks for a range must at least decode.
const PAGE_ROWS: usize = 20_000;
/// Bytes of a page of texts after which the next one begins, and the largest dictionary.
const PAGE_BYTES: usize = 1 << 20;
/// Bytes of a column that are worth a call of the compressor.
const WORTH_COMPRESSING: usize = 512;
/// The longest text that stands in statistics.
const LONGEST_BOUND: usize = 64;

/// The pages of a column that is being written.
pub(super) struct Pages<'a> {
    encoder: &'a mut Encoder,
    column: ColumnDescPtr,
    out: TrackedWrite<Vec<u8>>,
    compressed: bool,
    rows: usize,
    nulls: u64,
    pages: i32,
    uncompressed: usize,
    encoding: Encoding,
    dictionary_at: Option<u64>,
    data_at: Option<u64>,
    offsets: OffsetIndexBuilder,
    /// Bounds by page, where a column has them.
    bounds_by_page: Option<ColumnIndexBuilder>,
    bounds: Option<Bounds>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(encoder: &'a mut Encoder, column: ColumnDescPtr) -> Self {
        Pages {
            encoder,
            column,
            out: TrackedWrite::new(Vec::new()),
            compressed: false,
            rows: 0,
            nulls: 0,
            pages: 0,
            uncompressed: 0,
            encoding: Encoding::PLAIN,
            dictionary_at: None,
            data_at: None,
            offsets: OffsetIndexBuilder::new(),
            bounds_by_page: None,
            bounds: None,
        }
    }

    /// Texts that hardly repeat. Ids and hashes have no order that anybody asks for: they get no bounds.
    pub(super) fn texts(&mut self, texts: &TextColumn) -> Result<(), ParquetError> {
        self.compressed = texts.bytes() >= WORTH_COMPRESSING;
        let mut from = 0;
        while from < texts.len() {
            let (mut to, mut bytes) = (from, 0);
            while to < texts.len() && to - from < PAGE_ROWS && bytes < PAGE_BYTES {
                bytes += texts.get(to).map_or(0, <[u8]>::len);
                to += 1;
            }
            let values = || (from..to).map(|row| texts.get(row));
            self.begin(values().map(|value| value.is_some()));
            values().flatten().for_each(|text| plain(&mut self.encoder.body, text));
            self.write(to - from)?;
            from = to;
        }
        Ok(())
    }

    /// Texts that repeat, by their ids: with a dictionary where they do so in this row group.
    pub(super) fn ids(&mut self, ids: &[u32], dictionary: &Dictionary) -> Result<(), ParquetError> {
        let mut local = std::mem::take(&mut self.encoder.local);
        local.collect(ids, dictionary.len());
        let texts = || local.order.iter().map(|id| dictionary.text(*id));
        let size = texts().map(|text| text.len() + 4).sum::<usize>();
        let bounds = texts().min().zip(texts().max()).filter(|(min, max)| min.len().max(max.len()) <= LONGEST_BOUND);
        self.bounds = bounds.map(|(min, max)| Bounds::Text(min.to_vec(), max.to_vec()));
        let width = hybrid::width_of(u32::try_from(local.order.len()).unwrap_or(u32::MAX).saturating_sub(1));
        let by_dictionary = local.order.len() * 2 <= local.rows.len() && size <= PAGE_BYTES;
        if by_dictionary {
            self.compressed = size + local.rows.len() * width as usize / 8 >= WORTH_COMPRESSING;
            self.encoder.body.clear();
            texts().for_each(|text| plain(&mut self.encoder.body, text));
            self.write_dictionary(local.order.len())?;
        } else {
            self.compressed = size >= WORTH_COMPRESSING;
        }
        let mut values = local.rows.as_slice();
        for page in ids.chunks(PAGE_ROWS) {
            let present = self.begin(page.iter().map(|id| *id != Dictionary::NULL));
            let of_page;
            (of_page, values) = values.split_at(present);
            if by_dictionary {
                self.encoder.body.push(width as u8);
                hybrid::encode(&mut self.encoder.body, of_page, width);
            } else {
                let texts = of_page.iter().map(|id| dictionary.text(local.order[*id as usize]));
                texts.for_each(|text| plain(&mut self.encoder.body, text));
            }
            self.write(page.len())?;
        }
        self.encoder.local = local;
        Ok(())
    }

    /// Times, dates, counts and flags, with bounds. A number that all rows have is written once.
    pub(super) fn numbers(&mut self, numbers: &[i64], kind: Kind) -> Result<(), ParquetError> {
        self.bounds = Bounds::of(numbers, kind);
        if kind != Kind::Boolean && numbers.len() > 1 && numbers.iter().all(|value| *value == numbers[0]) {
            return self.constant(numbers, kind);
        }
        self.compressed = kind != Kind::Boolean && numbers.len() * 8 >= WORTH_COMPRESSING;
        let mut index = ColumnIndexBuilder::new(self.column.physical_type());
        for page in numbers.chunks(PAGE_ROWS) {
            let present = || page.iter().copied().filter(|value| *value != NumberColumn::NULL);
            let values = self.begin(page.iter().map(|value| *value != NumberColumn::NULL));
            if kind == Kind::Boolean {
                let mut bits = vec![0_u8; values.div_ceil(8)];
                present().enumerate().for_each(|(at, flag)| bits[at / 8] |= u8::from(flag != 0) << (at % 8));
                self.encoder.body.extend_from_slice(&bits);
            } else {
                present().for_each(|value| plain_number(&mut self.encoder.body, kind, value));
            }
            self.write(page.len())?;
            let (min, max) = Bounds::of(page, kind).map(Bounds::into_bytes).unwrap_or_default();
            index.append(values == 0, min, max, (page.len() - values) as i64, None);
        }
        self.bounds_by_page = Some(index);
        Ok(())
    }

    fn constant(&mut self, numbers: &[i64], kind: Kind) -> Result<(), ParquetError> {
        let present = numbers[0] != NumberColumn::NULL;
        if present {
            self.encoder.body.clear();
            plain_number(&mut self.encoder.body, kind, numbers[0]);
            self.write_dictionary(1)?;
        }
        self.begin(numbers.iter().map(|_| present));
        if present {
            self.encoder.body.push(1);
            hybrid::run(&mut self.encoder.body, 0, numbers.len(), 1);
        }
        self.write(numbers.len())
    }

    /// Begins a page with its levels; the rows that have a value.
    fn begin(&mut self, present: impl Iterator<Item = bool>) -> usize {
        let Encoder { body, levels, .. } = &mut *self.encoder;
        levels.clear();
        levels.extend(present.map(u32::from));
        body.clear();
        body.extend_from_slice(&[0; 4]);
        let values = levels.iter().filter(|level| **level == 1).count();
        self.nulls += (levels.len() - values) as u64;
        hybrid::encode(body, levels, 1);
        let length = u32::try_from(body.len() - 4).unwrap_or(u32::MAX);
        body[..4].copy_from_slice(&length.to_le_bytes());
        values
    }

    fn write_dictionary(&mut self, texts: usize) -> Result<(), ParquetError> {
        self.encoding = Encoding::RLE_DICTIONARY;
        let num_values = u32::try_from(texts).unwrap_or(u32::MAX);
        let page = |buf| Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, is_sorted: false };
        let written = self.put(page)?;
        self.dictionary_at = Some(written.offset);
        Ok(())
    }

    /// Writes the page that was begun, of so many rows.
    fn write(&mut self, rows: usize) -> Result<(), ParquetError> {
        let (encoding, num_values) = (self.encoding, u32::try_from(rows).unwrap_or(u32::MAX));
        let written = self.put(|buf| Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })?;
        self.data_at = self.data_at.or(Some(written.offset));
        self.rows += rows;
        self.pages += 1;
        self.offsets.append_row_count(rows as i64);
        let size = i32::try_from(written.compressed_size).unwrap_or(i32::MAX);
        self.offsets.append_offset_and_size(written.offset as i64, size);
        Ok(())
    }

    /// Compresses the body and writes it as a page.
    fn put(&mut self, page: impl FnOnce(Bytes) -> Page) -> Result<PageWriteSpec, ParquetError> {
        let Encoder { body, compressed, compressor, .. } = &mut *self.encoder;
        let buf = if self.compressed {
            compressed.clear();
            compressed.reserve(compress_bound(body.len()));
            let compressor = match compressor {
                Some(compressor) => compressor,
                None => compressor.insert(zstd::bulk::Compressor::new(1)?),
            };
            compressor.compress_to_buffer(body, compressed)?;
            Bytes::copy_from_slice(compressed)
        } else {
            Bytes::copy_from_slice(body)
        };
        let page = CompressedPage::new(page(buf), body.len());
        let written = SerializedPageWriter::new(&mut self.out).write_page(page)?;
        self.uncompressed += written.uncompressed_size;
        Ok(written)
    }

    /// The bytes of all pages, and what the row group says of them.
    pub(super) fn close(self) -> Result<(Vec<u8>, ColumnCloseResult), ParquetError> {
        let written = self.out.bytes_written() as u64;
        let compression =
            if self.compressed { Compression::ZSTD(ZstdLevel::try_new(1)?) } else { Compression::UNCOMPRESSED };
        let page = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let dictionary = self.dictionary_at.map(|_| page(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        let data = page(PageType::DATA_PAGE, self.encoding, self.pages);
        let metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(compression)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, self.encoding])
            .set_page_encoding_stats(dictionary.into_iter().chain([data]).collect())
            .set_total_compressed_size(written as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(self.data_at.unwrap_or(0) as i64)
            .set_dictionary_page_offset(self.dictionary_at.map(|at| at as i64))
            .set_statistics(statistics(self.column.physical_type(), self.bounds, self.nulls))
            .build()?;
        // An index of one page says nothing that the row group does not.
        let indexed = self.rows > PAGE_ROWS;
        let closed = ColumnCloseResult {
            bytes_written: written,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: self.bounds_by_page.filter(|_| indexed).map(ColumnIndexBuilder::build).transpose()?,
            offset_index: indexed.then(|| self.offsets.build()),
        };
        Ok((self.out.into_inner()?, closed))
    }
}

/// The least and the greatest value of a column or a page.
enum Bounds {
    Text(Vec<u8>, Vec<u8>),
    Number(Kind, i64, i64),
}

impl Bounds {
    fn of(numbers: &[i64], kind: Kind) -> Option<Self> {
        let present = || numbers.iter().copied().filter(|value| *value != NumberColumn::NULL);
        present().min().zip(present().max()).map(|(min, max)| Bounds::Number(kind, min, max))
    }

    fn into_bytes(self) -> (Vec<u8>, Vec<u8>) {
        match self {
            Bounds::Text(min, max) => (min, max),
            Bounds::Number(kind, min, max) => {
                let bytes = |value| {
                    let mut bytes = Vec::with_capacity(8);
                    plain_number(&mut bytes, kind, value);
                    bytes
                };
                (bytes(min), bytes(max))
            }
        }
    }
}

fn statistics(physical: Type, bounds: Option<Bounds>, nulls: u64) -> Statistics {
    let nulls = Some(nulls);
    let (min, max) = match bounds {
        Some(Bounds::Number(_, min, max)) => (Some(min), Some(max)),
        Some(Bounds::Text(min, max)) => {
            return Statistics::byte_array(Some(min.into()), Some(max.into()), None, nulls, false);
        }
        None => (None, None),
    };
    match physical {
        Type::BOOLEAN => Statistics::boolean(min.map(|min| min != 0), max.map(|max| max != 0), None, nulls, false),
        Type::INT32 => Statistics::int32(min.map(|min| min as i32), max.map(|max| max as i32), None, nulls, false),
        Type::INT64 => Statistics::int64(min, max, None, nulls, false),
        _ => Statistics::byte_array(None, None, None, nulls, false),
    }
}

fn plain(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text);
}

fn plain_number(out: &mut Vec<u8>, kind: Kind, value: i64) {
    match kind {
        Kind::Date => out.extend_from_slice(&(value as i32).to_le_bytes()),
        Kind::Boolean => out.push(u8::from(value != 0)),
        _ => out.extend_from_slice(&value.to_le_bytes()),
    }
}

/// Ids of a row group's own dictionary, which has only the texts of its rows.
#[derive(Default)]
pub(super) struct LocalIds {
    /// The local id of each id of the table's dictionary, while rows are collected.
    of: Vec<u32>,
    /// The table's ids in the order of the local ones.
    order: Vec<u32>,
    /// The local id of each row that has a value.
    rows: Vec<u32>,
}

impl LocalIds {
    fn collect(&mut self, ids: &[u32], texts: usize) {
        const UNSEEN: u32 = u32::MAX;
        self.of.resize(self.of.len().max(texts + 1), UNSEEN);
        self.order.clear();
        self.rows.clear();
        for id in ids.iter().filter(|id| **id != Dictionary::NULL) {
            let local = &mut self.of[*id as usize];
            if *local == UNSEEN {
                *local = self.order.len() as u32;
                self.order.push(*id);
            }
            self.rows.push(*local);
        }
        self.order.iter().for_each(|id| self.of[*id as usize] = UNSEEN);
    }
}
