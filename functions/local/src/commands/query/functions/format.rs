//! `format(pattern, …)`: values in a text, by the letters of Java that analysts use: `%s`, `%d`, `%,d`, `%05d`, `%.1f`, `%%`.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, StringArray, cast::AsArray},
        datatypes::{DataType, Float64Type, Int64Type},
    },
    common::{Result, exec_err, plan_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};

/// The function: whole numbers, other numbers, and everything else as text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Format {
    signature: Signature,
}

impl Format {
    pub(super) fn new() -> Self {
        Format { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Format {
    fn name(&self) -> &str {
        "format"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.len() < 2 {
            return plan_err!("format takes a pattern and at least one value: format('%.1f %%', rate * 100)");
        }
        let types = given.iter().enumerate().map(|(at, given)| match given {
            given if at > 0 && given.is_integer() => DataType::Int64,
            given if at > 0 && given.is_numeric() => DataType::Float64,
            _ => DataType::Utf8,
        });
        Ok(types.collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let patterns = arrays[0].as_string::<i32>();
        let texts = (0..patterns.len()).map(|row| {
            if patterns.is_null(row) { Ok(None) } else { text(patterns.value(row), &arrays[1..], row).map(Some) }
        });
        Ok(ColumnarValue::Array(Arc::new(texts.collect::<Result<StringArray>>()?)))
    }
}

fn text(pattern: &str, values: &[ArrayRef], row: usize) -> Result<String> {
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let Some(end) = after.find(|letter: char| letter.is_ascii_alphabetic() || letter == '%') else {
            return exec_err!("format: a % of {pattern:?} is not followed by a letter");
        };
        let (how, letter) = (&after[..end], after.as_bytes()[end]);
        rest = &after[end + 1..];
        if letter == b'%' {
            text.push('%');
            continue;
        }
        let Some(value) = values.next() else {
            return exec_err!("format: {pattern:?} asks for more values than there are");
        };
        match one(how, letter, value, row) {
            Some(value) => text.push_str(&value),
            None => return exec_err!("format: %{how}{} does not fit its value", char::from(letter)),
        }
    }
    Ok(text + rest)
}

/// One value: the flags and numbers between `%` and the letter, the letter, and the value's row.
fn one(how: &str, letter: u8, value: &ArrayRef, row: usize) -> Option<String> {
    let (flags, digits) = how.split_at(how.find(|c: char| matches!(c, '1'..='9' | '.')).unwrap_or(how.len()));
    let (width, places) = digits.split_once('.').unwrap_or((digits, ""));
    let width: usize = if width.is_empty() { 0 } else { width.parse().ok().filter(|width| *width <= 1_000)? };
    let places: Option<usize> =
        if places.is_empty() { None } else { Some(places.parse().ok().filter(|places| *places <= 100)?) };
    if flags.contains(|flag| !matches!(flag, ',' | '0' | '-')) {
        return None;
    }
    let mut text = match letter {
        _ if value.is_null(row) => "null".to_owned(),
        b's' => match value.data_type() {
            DataType::Int64 => value.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float64 => value.as_primitive::<Float64Type>().value(row).to_string(),
            _ => value.as_string::<i32>().value(row).to_owned(),
        },
        b'd' => value.as_primitive_opt::<Int64Type>()?.value(row).to_string(),
        b'f' => format!("{:.*}", places.unwrap_or(6), value.as_primitive_opt::<Float64Type>()?.value(row)),
        _ => return None,
    };
    if flags.contains(',') {
        text = grouped(&text);
    }
    let missing = width.saturating_sub(text.chars().count());
    Some(if flags.contains('-') {
        text + &" ".repeat(missing)
    } else if flags.contains('0') {
        let sign = usize::from(text.starts_with('-'));
        format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
    } else {
        " ".repeat(missing) + &text
    })
}

/// A number's text with commas between the thousands.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>();
    format!("{sign}{}{fraction}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float64Array, Int64Array};

    use super::*;

    #[test]
    fn values_stand_where_the_pattern_has_them() {
        let values: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["Durham"])),
            Arc::new(Int64Array::from(vec![-1_234_567])),
            Arc::new(Float64Array::from(vec![15.25])),
        ];
        assert_eq!(text("%s: %,d (%.1f %%)", &values, 0).expect("it fits"), "Durham: -1,234,567 (15.2 %)");
        assert_eq!(text("[%-8s] %09d", &values, 0).expect("it fits"), "[Durham  ] -01234567");
        assert!(text("%d", &values, 0).is_err() && text("%s %d %f %d", &values, 0).is_err());
        assert!(text("100%", &values, 0).is_err() && text("%99999d", &values[1..], 0).is_err());
    }
}
