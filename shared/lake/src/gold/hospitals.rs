//! The hospitals' reference file: staffed beds and place of each, a CSV that people edit.
//!
//! The first line names the columns, in any order and case; `hospital_name` and `staffed_beds` must be there, `city` and
//! `state` may be, others are ignored. Whatever cannot be meant is an error with its line, never a guess.

use std::collections::BTreeMap;

/// A hospital of the reference file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hospital {
    /// Staffed beds; none where the field is empty.
    pub staffed_beds: Option<i64>,
    /// The city.
    pub city: Option<String>,
    /// The state.
    pub state: Option<String>,
}

/// Hospitals by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hospitals {
    by_name: BTreeMap<String, Hospital>,
}

/// What is wrong with a hospitals file, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HospitalsError {
    /// The file is not UTF-8 text.
    #[error("line {line}: the file must be UTF-8 text")]
    Utf8 {
        /// The line, from 1.
        line: usize,
    },
    /// The first line lacks a column.
    #[error("line {line}: the first line must name the columns hospital_name and staffed_beds, separated by commas")]
    Header {
        /// The line, from 1.
        line: usize,
    },
    /// A line has more or fewer fields than the first.
    #[error("line {line}: {found} fields where the first line names {expected}; a name with a comma needs quotes")]
    Fields {
        /// The line, from 1.
        line: usize,
        /// The fields of the line.
        found: usize,
        /// The fields of the first line.
        expected: usize,
    },
    /// A line has no hospital name.
    #[error("line {line}: hospital_name is empty")]
    Name {
        /// The line, from 1.
        line: usize,
    },
    /// Two lines name one hospital.
    #[error("line {line}: {name:?} is listed a second time")]
    Twice {
        /// The line, from 1.
        line: usize,
        /// The hospital.
        name: String,
    },
    /// Staffed beds are no whole number.
    #[error("line {line}: staffed_beds must be a whole number of at least 0, not {value:?}")]
    Beds {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        value: String,
    },
    /// A quote has no end, or text follows it.
    #[error("line {line}: a quoted field must end with a quote and a comma or the line's end")]
    Quote {
        /// The line, from 1.
        line: usize,
    },
}

impl Hospitals {
    /// Reads the reference file; an empty file lists no hospital.
    pub fn parse_csv(bytes: &[u8]) -> Result<Hospitals, HospitalsError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            HospitalsError::Utf8 { line: 1 + before.iter().filter(|byte| **byte == b'\n').count() }
        })?;
        let mut records = records(text)?.into_iter();
        let Some((line, header)) = records.next() else { return Ok(Hospitals::default()) };
        let column = |name: &str| header.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
        let (Some(name), Some(beds)) = (column("hospital_name"), column("staffed_beds")) else {
            return Err(HospitalsError::Header { line });
        };
        let (city, state) = (column("city"), column("state"));
        let mut by_name = BTreeMap::new();
        for (line, fields) in records {
            if fields.len() != header.len() {
                return Err(HospitalsError::Fields { line, found: fields.len(), expected: header.len() });
            }
            let given = |place: usize| Some(fields[place].trim()).filter(|text| !text.is_empty());
            let name = given(name).ok_or(HospitalsError::Name { line })?.to_owned();
            let hospital = Hospital {
                staffed_beds: given(beds).map(|text| staffed_beds(line, text)).transpose()?,
                city: city.and_then(given).map(str::to_owned),
                state: state.and_then(given).map(str::to_owned),
            };
            if by_name.contains_key(&name) {
                return Err(HospitalsError::Twice { line, name });
            }
            by_name.insert(name, hospital);
        }
        Ok(Hospitals { by_name })
    }

    /// A hospital by name.
    pub fn get(&self, name: &str) -> Option<&Hospital> {
        self.by_name.get(name)
    }

    /// The hospitals, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Hospital)> {
        self.by_name.iter().map(|(name, hospital)| (name.as_str(), hospital))
    }
}

fn staffed_beds(line: usize, text: &str) -> Result<i64, HospitalsError> {
    // More beds than any country has are a slip of the keyboard; the bound also keeps bed-days countable.
    let beds = text.parse().ok().filter(|beds: &i64| (0..=10_000_000).contains(beds));
    beds.ok_or_else(|| HospitalsError::Beds { line, value: text.to_owned() })
}

/// The records of a CSV text with the line that each begins on; empty lines are left out.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, HospitalsError> {
    let mut records = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while !rest.is_empty() {
        let began = line;
        let mut fields = Vec::new();
        loop {
            let (field, end) = field(rest).ok_or(HospitalsError::Quote { line: began })?;
            line += rest[..end].matches('\n').count();
            fields.push(field);
            rest = &rest[end..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('\r').unwrap_or(rest);
        rest = rest.strip_prefix('\n').unwrap_or(rest);
        line += 1;
        if fields.iter().any(|field| !field.trim().is_empty()) {
            records.push((began, fields));
        }
    }
    Ok(records)
}

/// The first field of a text and where it ends: at a comma, a line's end or the text's end.
fn field(text: &str) -> Option<(String, usize)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let end = if text[..end].ends_with('\r') { end - 1 } else { end };
        return Some((text[..end].to_owned(), end));
    };
    let mut value = String::new();
    let mut from = 0;
    loop {
        let quote = from + quoted[from..].find('"')?;
        value.push_str(&quoted[from..quote]);
        from = quote + 1;
        if !quoted[from..].starts_with('"') {
            break;
        }
        value.push('"');
        from += 1;
    }
    let after = &quoted[from..];
    (after.is_empty() || after.starts_with([',', '\n']) || after.starts_with("\r\n")).then_some((value, from + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beds(csv: &str, name: &str) -> Option<i64> {
        Hospitals::parse_csv(csv.as_bytes()).unwrap().get(name).unwrap().staffed_beds
    }

    #[test]
    fn people_write_csv_in_many_ways() {
        let csv =
            "\u{feff}State,Hospital_Name, staffed_beds\r\nNC,\"St. Mary, \"\"Old\"\" House\",120\r\n\r\nNC, Duke ,\r\n";
        assert_eq!(beds(csv, "St. Mary, \"Old\" House"), Some(120));
        assert_eq!(beds(csv, "Duke"), None);
        let hospitals = Hospitals::parse_csv(csv.as_bytes()).unwrap();
        assert_eq!(hospitals.get("Duke").unwrap().state.as_deref(), Some("NC"));
        assert_eq!(hospitals.iter().count(), 2);
        assert_eq!(Hospitals::parse_csv(b"").unwrap(), Hospitals::default());
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_its_line() {
        let error = |csv: &str| Hospitals::parse_csv(csv.as_bytes()).unwrap_err();
        let head = "hospital_name,staffed_beds\n";
        assert_eq!(error("name;beds\n"), HospitalsError::Header { line: 1 });
        assert_eq!(error(&format!("{head}A,10\nB,ten\n")), HospitalsError::Beds { line: 3, value: "ten".into() });
        assert_eq!(error(&format!("{head}A,-1\n")), HospitalsError::Beds { line: 2, value: "-1".into() });
        assert_eq!(error(&format!("{head}A, B,1\n")), HospitalsError::Fields { line: 2, found: 3, expected: 2 });
        assert_eq!(error(&format!("{head}A,1\n\nA,2")), HospitalsError::Twice { line: 4, name: "A".into() });
        assert_eq!(error(&format!("{head},1\n")), HospitalsError::Name { line: 2 });
        assert_eq!(error(&format!("{head}\"A,1\n")), HospitalsError::Quote { line: 2 });
        assert_eq!(error(&format!("{head}\"A\nB\",1\nC,x\n")), HospitalsError::Beds { line: 4, value: "x".into() });
        assert_eq!(Hospitals::parse_csv(b"a\n\xff"), Err(HospitalsError::Utf8 { line: 2 }));
    }

    proptest! {
        #[test]
        fn no_text_fails_otherwise(text in "[a,\"\r\n1 ]{0,40}") {
            let _ = Hospitals::parse_csv(format!("hospital_name,staffed_beds\n{text}").as_bytes());
        }
    }
}
