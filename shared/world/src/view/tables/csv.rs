//! Pushes the cells of a CSV line into a byte buffer.

use metriccare_fhir::write::{Date, Id, Instant};

/// A line of CSV under construction; cells are separated as they are pushed.
pub(super) struct Row<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Row<'a> {
    /// Begins a line.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Row<'a> {
        Row { out, first: true }
    }

    fn next(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }

    /// Pushes a text cell, quoted where it has to be.
    pub(super) fn text(&mut self, value: &str) -> &mut Self {
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

    /// Pushes several texts into one cell, with semicolons between them.
    pub(super) fn list<'t>(&mut self, values: impl Iterator<Item = &'t str>) -> &mut Self {
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
    pub(super) fn id(&mut self, id: Id) -> &mut Self {
        self.next();
        id.push(self.out);
        self
    }

    /// Pushes a name made of a letter and two numbers, `C100-7`.
    pub(super) fn numbered(&mut self, letter: &str, first: u64, second: u64) -> &mut Self {
        self.next();
        self.out.extend_from_slice(letter.as_bytes());
        push_number(self.out, first as i64);
        self.out.push(b'-');
        push_number(self.out, second as i64);
        self
    }

    /// Pushes a date.
    pub(super) fn date(&mut self, date: Date) -> &mut Self {
        self.next();
        date.push(self.out);
        self
    }

    /// Pushes a time as `YYYY-MM-DD HH:MM:SS`.
    pub(super) fn time(&mut self, time: Instant) -> &mut Self {
        self.next();
        let at = self.out.len();
        time.push(self.out);
        self.out.pop();
        self.out[at + 10] = b' ';
        self
    }

    /// Pushes a whole number.
    pub(super) fn number(&mut self, value: i64) -> &mut Self {
        self.next();
        push_number(self.out, value);
        self
    }

    /// Pushes cents as an amount with two decimals.
    pub(super) fn amount(&mut self, cents: i64) -> &mut Self {
        self.next();
        if cents < 0 {
            self.out.push(b'-');
        }
        let cents = cents.unsigned_abs();
        push_number(self.out, (cents / 100) as i64);
        let rest = (cents % 100) as u8;
        self.out.extend_from_slice(&[b'.', b'0' + rest / 10, b'0' + rest % 10]);
        self
    }

    /// Pushes a number with up to four decimals.
    pub(super) fn decimal(&mut self, value: f64) -> &mut Self {
        let text = format!("{value:.4}");
        self.text(text.trim_end_matches('0').trim_end_matches('.'))
    }

    /// Pushes a flag.
    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.text(if value { "true" } else { "false" })
    }

    /// Pushes an empty cell.
    pub(super) fn none(&mut self) -> &mut Self {
        self.next();
        self
    }

    /// Ends the line.
    pub(super) fn end(&mut self) {
        self.out.push(b'\n');
    }
}

fn push_number(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    let (mut digits, mut at, mut rest) = ([0u8; 20], 20, value.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
