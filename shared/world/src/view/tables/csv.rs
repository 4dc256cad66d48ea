//! Pushes the cells of a CSV line into a byte buffer.

use metriccare_fhir::write::{Date, Id, Instant};

use super::cell_texts::{CellTexts, IdText};

/// A line of CSV under construction; cells are separated as they are pushed.
pub(crate) struct Row<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
    texts: Option<&'a CellTexts>,
}

impl<'a> Row<'a> {
    /// Begins a line.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Row<'a> {
        Row { out, first: true, texts: None }
    }

    /// Begins a line that takes its dates from `texts`.
    pub(super) fn with(out: &'a mut Vec<u8>, texts: &'a CellTexts) -> Row<'a> {
        Row { out, first: true, texts: Some(texts) }
    }

    fn next(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }

    /// Pushes a text cell, quoted where it has to be.
    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.next();
        if value.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
            self.out.push(b'"');
            self.out.extend_from_slice(value.replace('"', "\"\"").as_bytes());
            self.out.push(b'"');
        } else {
            self.out.extend_from_slice(value.as_bytes());
        }
        self
    }

    /// Pushes a text cell that needs no quotes: a code, a status.
    pub(crate) fn word(&mut self, value: &str) -> &mut Self {
        debug_assert!(!value.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')), "{value} needs quotes");
        self.next();
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    /// Pushes several texts into one cell, with semicolons between them.
    pub(crate) fn list<'t>(&mut self, values: impl Iterator<Item = &'t str>) -> &mut Self {
        self.next();
        for (i, value) in values.enumerate() {
            if i > 0 {
                self.out.push(b';');
            }
            self.out.extend_from_slice(value.as_bytes());
        }
        self
    }

    /// Pushes an id.
    pub(crate) fn id(&mut self, id: Id) -> &mut Self {
        self.next();
        id.push(self.out);
        self
    }

    /// Pushes an id whose text is known.
    pub(super) fn known(&mut self, id: &IdText) -> &mut Self {
        self.next();
        self.out.extend_from_slice(id);
        self
    }

    /// Pushes a name made of a letter and two numbers, `C100-7`.
    pub(crate) fn numbered(&mut self, letter: &str, first: u64, second: u64) -> &mut Self {
        self.next();
        self.out.extend_from_slice(letter.as_bytes());
        push_number(self.out, first as i64);
        self.out.push(b'-');
        push_number(self.out, second as i64);
        self
    }

    /// Pushes a date.
    pub(crate) fn date(&mut self, date: Date) -> &mut Self {
        self.next();
        self.push_date(date);
        self
    }

    /// Pushes a time as `YYYY-MM-DD HH:MM:SS`.
    pub(crate) fn time(&mut self, time: Instant) -> &mut Self {
        self.next();
        let (date, second) = (time.date(), time.second_of_day() as usize);
        self.push_date(date);
        let [h, m, s] = [second / 3_600, second / 60 % 60, second % 60].map(|part| PAIRS[part]);
        self.out.extend_from_slice(&[b' ', h[0], h[1], b':', m[0], m[1], b':', s[0], s[1]]);
        self
    }

    fn push_date(&mut self, date: Date) {
        match self.texts.and_then(|texts| texts.date(date)) {
            Some(text) => self.out.extend_from_slice(text),
            None => date.push(self.out),
        }
    }

    /// Pushes a whole number.
    pub(crate) fn number(&mut self, value: i64) -> &mut Self {
        self.next();
        push_number(self.out, value);
        self
    }

    /// Pushes cents as an amount with two decimals.
    pub(crate) fn amount(&mut self, cents: i64) -> &mut Self {
        self.next();
        if cents < 0 {
            self.out.push(b'-');
        }
        let cents = cents.unsigned_abs();
        push_number(self.out, (cents / 100) as i64);
        let rest = PAIRS[(cents % 100) as usize];
        self.out.extend_from_slice(&[b'.', rest[0], rest[1]]);
        self
    }

    /// Pushes a number with up to four decimals.
    pub(crate) fn decimal(&mut self, value: f64) -> &mut Self {
        let text = format!("{value:.4}");
        self.text(text.trim_end_matches('0').trim_end_matches('.'))
    }

    /// Pushes a flag.
    pub(crate) fn flag(&mut self, value: bool) -> &mut Self {
        self.word(if value { "true" } else { "false" })
    }

    /// Pushes an empty cell.
    pub(crate) fn none(&mut self) -> &mut Self {
        self.next();
        self
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        self.out.push(b'\n');
    }
}

/// The numbers below 100 as two digits.
const PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut at) = ([[b'0'; 2]; 100], 0);
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

fn push_number(out: &mut Vec<u8>, value: i64) {
    if (0..10).contains(&value) {
        return out.push(b'0' + value as u8);
    }
    if value < 0 {
        out.push(b'-');
    }
    let (mut digits, mut at, mut rest) = ([0u8; 20], 20, value.unsigned_abs());
    while rest >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 || at == 20 {
        at -= 1;
        digits[at] = b'0' + rest as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use metriccare_fhir::calendar::DAY;

    use super::*;

    #[test]
    fn numbers_and_amounts_are_written_as_they_are() {
        for value in [0, 7, 10, 99, 100, 101, 1_000, 12_345, 9_007_199_254_740_993, i64::MAX, -1, -10, -123, i64::MIN] {
            let mut out = Vec::new();
            push_number(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
        let mut out = Vec::new();
        Row::new(&mut out).amount(-5).amount(123_456).time(Instant(DAY - 1)).end();
        assert_eq!(out, b"-0.05,1234.56,1970-01-01 23:59:59\n");
    }
}
