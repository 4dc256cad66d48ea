//! Edits of a line of JSON as the writers make it: another spelling of the same, or something broken.

use metriccare_fhir::calendar::{MINUTE, SECOND};
use metriccare_fhir::write::{Date, Instant};

/// Writes all times of a line with another offset than Z; the instants stay the same.
pub(super) fn offset(line: &mut Vec<u8>, minutes: i64) {
    let mut out = Vec::with_capacity(line.len() + 40);
    let mut from = 0;
    while let Some(at) = find(&line[from..], b"Z\"").map(|at| from + at) {
        match at.checked_sub(19).filter(|&start| start >= from).and_then(|start| instant(&line[start..at])) {
            Some(instant) => {
                out.extend_from_slice(&line[from..at - 19]);
                Instant(instant.0 + minutes * MINUTE).push(&mut out);
                out.pop();
                let sign = if minutes < 0 { '-' } else { '+' };
                let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
                out.extend_from_slice(format!("{sign}{hours:02}:{rest:02}").as_bytes());
            }
            None => out.extend_from_slice(&line[from..=at]),
        }
        from = at + 1;
    }
    out.extend_from_slice(&line[from..]);
    *line = out;
}

/// NUBC's numbers, without the leading zero, of those dispositions that one of them means exactly.
const BARE: [(&str, &str); 8] = [
    ("home", "1"),
    ("snf", "3"),
    ("other-hcf", "4"),
    ("aadvice", "7"),
    ("exp", "20"),
    ("rehab", "62"),
    ("long", "63"),
    ("psy", "65"),
];

/// Codes the discharge disposition as a bare number of NUBC's; whether there was one to code.
pub(super) fn bare_code(line: &mut Vec<u8>) -> bool {
    const HL7: &[u8] = br#""http://terminology.hl7.org/CodeSystem/discharge-disposition","code":""#;
    let Some(start) = find(line, HL7) else { return false };
    let code = start + HL7.len();
    let (Some(code_end), Some(end)) = (find(&line[code..], b"\""), find(&line[code..], b"}")) else { return false };
    let Some((_, number)) = BARE.iter().find(|(word, _)| word.as_bytes() == &line[code..code + code_end]) else {
        return false;
    };
    let bare = format!(r#""https://www.nubc.org/CodeSystem/PatDischargeStatus","code":"{number}""#);
    line.splice(start..code + end, bare.into_bytes());
    true
}

/// Cuts a line in its middle.
pub(super) fn truncate(line: &mut Vec<u8>) {
    let mut middle = line.len() / 2;
    while middle > 0 && line[middle] & 0xc0 == 0x80 {
        middle -= 1;
    }
    line.truncate(middle);
    line.push(b'\n');
}

/// Puts a number where a text belongs, in an element that a resource of this type must have.
pub(super) fn wrong_type(line: &mut Vec<u8>, kind: usize) {
    replace_text(line, [br#""gender":"#.as_slice(), br#""status":"#, br#""recordedDate":"#][kind], b"42");
}

/// Puts words where a time belongs.
pub(super) fn bad_value(line: &mut Vec<u8>) {
    replace_text(line, br#""lastUpdated":"#, br#""the day before yesterday""#);
}

/// Takes the id away.
pub(super) fn no_id(line: &mut Vec<u8>) {
    if let Some(start) = find(line, br#""id":""#)
        && let Some(end) = find(&line[start + 6..], b"\",")
    {
        line.drain(start..start + 6 + end + 2);
    }
}

/// Replaces the text behind the first such name.
fn replace_text(line: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if let Some(start) = find(line, name).map(|at| at + name.len())
        && let Some(end) = find(&line[start + 1..], b"\"")
    {
        line.splice(start..start + 1 + end + 1, value.iter().copied());
    }
}

/// The instant of `YYYY-MM-DDTHH:MM:SS`.
fn instant(text: &[u8]) -> Option<Instant> {
    let number = |range: std::ops::Range<usize>| std::str::from_utf8(text.get(range)?).ok()?.parse::<u32>().ok();
    if text[4] != b'-' || text[10] != b'T' {
        return None;
    }
    let date = Date::from_ymd(number(0..4)? as i32, number(5..7)?, number(8..10)?);
    let second = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
    Some(Instant(date.midnight().0 + i64::from(second) * SECOND))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(line: &str, edit: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = line.as_bytes().to_vec();
        edit(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn an_offset_keeps_the_instant() {
        let line = r#"{"a":"2025-01-01T03:30:00Z","b":"Z","c":"2025-12-31"}"#;
        let west = r#"{"a":"2024-12-31T22:30:00-05:00","b":"Z","c":"2025-12-31"}"#;
        assert_eq!(edited(line, |line| offset(line, -300)), west);
        let east = r#"{"a":"2025-01-01T09:00:00+05:30","b":"Z","c":"2025-12-31"}"#;
        assert_eq!(edited(line, |line| offset(line, 330)), east);
    }

    #[test]
    fn a_disposition_becomes_a_bare_number() {
        let hl7 = r#"{"system":"http://terminology.hl7.org/CodeSystem/discharge-disposition","code":"home","display":"Home"}]}"#;
        let bare = r#"{"system":"https://www.nubc.org/CodeSystem/PatDischargeStatus","code":"1"}]}"#;
        assert_eq!(edited(hl7, |line| assert!(bare_code(line))), bare);
        assert!(!bare_code(&mut hl7.replace("home", "hosp").into_bytes()));
    }

    #[test]
    fn each_fault_breaks_one_element() {
        let line =
            "{\"resourceType\":\"Encounter\",\"id\":\"e\",\"meta\":{\"lastUpdated\":\"x\"},\"status\":\"completed\"}\n";
        let wrong = edited(line, |line| wrong_type(line, 1));
        assert!(wrong.ends_with(",\"status\":42}\n"), "{wrong}");
        assert!(edited(line, no_id).starts_with("{\"resourceType\":\"Encounter\",\"meta\""));
        assert!(edited(line, bad_value).contains("{\"lastUpdated\":\"the day before yesterday\"}"));
        let cut = edited("{\"name\":\"äää\"}\n", truncate);
        assert!(cut.ends_with('\n') && cut.len() < 12);
    }
}
