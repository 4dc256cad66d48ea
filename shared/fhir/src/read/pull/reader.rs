//! A pull reader of JSON: its caller asks for the value that comes next, and every byte is checked as strictly as serde does.

use wide::u8x16;

/// What is left to serde: a fault, or something that is too rare to be read twice in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusual;

/// serde gives up at a depth of 128.
const DEEPEST: u32 = 100;

/// A place in a JSON text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// The beginning of a text.
    pub fn new(text: &'a str) -> Self {
        Reader { text, at: 0, depth: 0 }
    }

    /// The next byte that is no white space; 0, which JSON has nowhere, at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Passes over a byte that must come next.
    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Unusual> {
        if self.peek() != byte {
            return Err(Unusual);
        }
        self.at += 1;
        Ok(())
    }

    /// Checks that nothing but white space follows.
    pub(super) fn end(&mut self) -> Result<(), Unusual> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { Err(Unusual) }
    }

    /// The members of an object: `member` must read, or [`skip`](Self::skip), each key's value.
    #[inline]
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str) -> Result<(), Unusual>,
    ) -> Result<(), Unusual> {
        self.list(b'{', b'}', |reader| {
            let key = reader.string()?;
            reader.expect(b':')?;
            member(reader, key)
        })
    }

    /// The elements of an array: `element` must read each of them.
    #[inline]
    pub(super) fn array(&mut self, element: impl FnMut(&mut Self) -> Result<(), Unusual>) -> Result<(), Unusual> {
        self.list(b'[', b']', element)
    }

    #[inline]
    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Unusual>,
    ) -> Result<(), Unusual> {
        self.expect(open)?;
        if self.depth == DEEPEST {
            return Err(Unusual);
        }
        self.depth += 1;
        if self.peek() == close {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                let next = self.peek();
                self.at += 1;
                if next == close {
                    break;
                }
                if next != b',' {
                    return Err(Unusual);
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A string without escapes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<&'a str, Unusual> {
        self.expect(b'"')?;
        let start = self.at;
        let end = plain_end(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return Err(Unusual);
        }
        self.at = end + 1;
        self.text.get(start..end).ok_or(Unusual)
    }

    /// `true`, `false` or `null`.
    #[inline]
    pub(super) fn word(&mut self, word: &str) -> Result<(), Unusual> {
        self.peek();
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Unusual);
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over a value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Unusual> {
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' => self.list(b'{', b'}', |reader| {
                reader.skip_string()?;
                reader.expect(b':')?;
                reader.skip()
            }),
            b'[' => self.list(b'[', b']', Self::skip),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.skip_number(),
        }
    }

    #[inline]
    fn skip_string(&mut self) -> Result<(), Unusual> {
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        loop {
            self.at = plain_end(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => match bytes.get(self.at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                    // Half of a pair is allowed, as serde allows it in what it skips.
                    Some(b'u') => {
                        let digits = bytes.get(self.at + 2..self.at + 6).ok_or(Unusual)?;
                        if !digits.iter().all(u8::is_ascii_hexdigit) {
                            return Err(Unusual);
                        }
                        self.at += 6;
                    }
                    _ => return Err(Unusual),
                },
                _ => return Err(Unusual),
            }
        }
    }

    fn skip_number(&mut self) -> Result<(), Unusual> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit at least.
    fn digits(&mut self) -> Result<(), Unusual> {
        let digits = self.text.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        if digits == 0 { Err(Unusual) } else { Ok(()) }
    }
}

/// Where a string's plain bytes end: at a quote, a backslash, a control character, or the end of the text.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let chunk = u8x16::new(*chunk);
        let control = chunk.min(u8x16::splat(0x1f)).simd_eq(chunk);
        let found = chunk.simd_eq(u8x16::splat(b'"')) | chunk.simd_eq(u8x16::splat(b'\\')) | control;
        let mask = found.to_bitmask();
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn skipped(text: &str) -> bool {
        let mut reader = Reader::new(text);
        reader.skip().and_then(|()| reader.end()).is_ok()
    }

    #[test]
    fn what_is_no_json_is_not_skipped() {
        for text in [
            "",
            "{",
            "[1,]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "nul",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\t\"",
            "1 2",
            "[1}",
            "{1:2}",
            "NaN",
            "\"a\"\"",
            "\u{a0}1",
        ] {
            assert!(!skipped(text), "{text}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn all_of_json_is_skipped() {
        let text = r#" { "a" : [ 1 , -0.5e+7 , 0 , true , false , null , "\u00e9\n\ud800" , { } , [ ] ] , "b":"ü"} "#;
        assert!(skipped(text));
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    }

    #[test]
    fn what_is_very_deep_is_left_to_serde() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(skipped(&nested(100)));
        assert!(!skipped(&nested(101)));
        assert!(!skipped(&"[".repeat(100_000)));
    }

    proptest! {
        #[test]
        fn a_string_ends_where_its_first_special_byte_is(bytes in proptest::collection::vec(any::<u8>(), 0..40), at in 0_usize..8) {
            let at = at.min(bytes.len());
            let end = bytes[at..].iter().position(|byte| *byte < 0x20 || b"\"\\".contains(byte));
            prop_assert_eq!(plain_end(&bytes, at), end.map_or(bytes.len(), |end| at + end));
        }

        #[test]
        fn what_is_skipped_is_json(text in "[ \\[\\]{}:,\"\\\\a0-9eEtrufalsn.+-]{0,24}") {
            if skipped(&text) {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }
    }
}
