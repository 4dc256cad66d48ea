//! Instants and dates as FHIR writes them: UTC, to the second, with `Z`.
//!
//! Formatting one is a handful of integer divisions; it needs no allocation and cannot fail.

use crate::calendar::{Date, Instant};

impl Instant {
    /// Appends `YYYY-MM-DDTHH:MM:SSZ`; fractions of a second are cut off.
    pub fn push(self, out: &mut Vec<u8>) {
        let second = self.second_of_day();
        self.date().push(out);
        let (h, m, s) = (two(second / 3600), two(second / 60 % 60), two(second % 60));
        out.extend_from_slice(&[b'T', h[0], h[1], b':', m[0], m[1], b':', s[0], s[1], b'Z']);
    }
}

impl Date {
    /// Appends `YYYY-MM-DD`.
    pub fn push(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.ymd();
        let year = year.clamp(0, 9999) as u32;
        let (c, y, m, d) = (two(year / 100), two(year % 100), two(month), two(day));
        out.extend_from_slice(&[c[0], c[1], y[0], y[1], b'-', m[0], m[1], b'-', d[0], d[1]]);
    }
}

/// The two digits of every number below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

fn two(value: u32) -> [u8; 2] {
    PAIRS[value as usize]
}

#[cfg(test)]
mod tests {
    use crate::calendar::{DAY, Date, Instant};

    #[test]
    fn an_instant_is_written_in_utc() {
        let mut out = Vec::new();
        Instant(Date::from_ymd(2025, 2, 28).midnight().0 + DAY - 1).push(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "2025-02-28T23:59:59Z");
    }
}
