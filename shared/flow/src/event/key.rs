//! An object's key in an event of S3, which shows it encoded.
//!
//! S3 encodes keys in its notifications as forms do: a space is written as a plus, everything else that is not plain
//! with percent signs. EventBridge sends them as they are. So the decoding belongs to the kind of event.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::DecodeError;

/// What S3 leaves as it is. Spaces are turned into pluses afterwards.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// The key in a notification of S3: pluses are spaces first, then percent signs are decoded.
pub(super) fn decode(text: &str) -> Result<String, DecodeError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| DecodeError::Key)?;
    Ok(decoded.into_owned())
}

/// A key as S3 writes it into a notification.
pub(super) fn encode(key: &str) -> String {
    utf8_percent_encode(key, ENCODED).to_string().replace(' ', "+")
}
