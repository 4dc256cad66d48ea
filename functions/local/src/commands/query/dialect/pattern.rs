//! Date patterns: `date_format` and `date_parse` of Athena take MySQL's letters, DataFusion takes strftime's.

/// The same pattern in strftime's letters, or what is wrong with it.
pub(super) fn strftime(mysql: &str) -> Result<String, String> {
    let mut pattern = String::new();
    let mut letters = mysql.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            pattern.push(letter);
            continue;
        }
        pattern.push_str(match letters.next() {
            Some('a') => "%a",
            Some('b') => "%b",
            Some('c') => "%-m",
            Some('d') => "%d",
            Some('e') => "%-d",
            Some('f') => "%6f",
            Some('H') => "%H",
            Some('h' | 'I') => "%I",
            Some('i') => "%M",
            Some('j') => "%j",
            Some('k') => "%-H",
            Some('l') => "%-I",
            Some('M') => "%B",
            Some('m') => "%m",
            Some('p') => "%p",
            Some('r') => "%I:%M:%S %p",
            Some('S' | 's') => "%S",
            Some('T') => "%H:%M:%S",
            Some('v') => "%V",
            Some('W') => "%A",
            Some('x') => "%G",
            Some('Y') => "%Y",
            Some('y') => "%y",
            Some('%') => "%%",
            Some(other) => return Err(format!("%{other} of the date pattern {mysql:?} is not known here")),
            None => return Err(format!("the date pattern {mysql:?} ends with a lone %")),
        });
    }
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_months_are_not_confused() {
        assert_eq!(strftime("%Y-%m-%d %H:%i:%s"), Ok("%Y-%m-%d %H:%M:%S".to_owned()));
        assert_eq!(strftime("%e %M, 100%%"), Ok("%-d %B, 100%%".to_owned()));
        assert!(strftime("%D").is_err() && strftime("100%").is_err());
    }
}
