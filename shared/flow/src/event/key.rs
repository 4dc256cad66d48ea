//! An object's key as it is in the bucket, which no event that comes by way of S3 shows as it is.
//!
//! S3 encodes keys in its notifications as forms do: a space becomes a plus, everything else that is not plain becomes
//! percent signs. EventBridge sends them as they are. So the decoding belongs to the kind of event, and only a decoder
//! makes an [`ObjectKey`].

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::DecodeError;

/// The key of an object, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// What S3 leaves as it is. Spaces are turned into pluses afterwards.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

impl ObjectKey {
    /// The key in a notification of S3: pluses are spaces first, then percent signs are decoded.
    pub(super) fn from_notification(text: &str) -> Result<Self, DecodeError> {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| DecodeError::Key)?;
        Ok(Self(decoded.into_owned()))
    }

    /// The key in an event of EventBridge, which is not encoded.
    pub(super) fn from_event_bridge(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key as S3 writes it into a notification.
pub(super) fn encode(key: &str) -> String {
    utf8_percent_encode(key, ENCODED).to_string().replace(' ', "+")
}
