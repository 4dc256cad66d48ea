//! Organization and Location: only their names are wanted, for references that carry no display.

use serde::Deserialize;

use super::Text;

/// A resource with a name that others refer to.
#[derive(Debug, Default, Deserialize)]
pub struct Named<'a> {
    /// The logical id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// The name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// Business identifiers, which conditional references point at.
    #[serde(borrow)]
    pub identifier: Option<Vec<NamedIdentifier<'a>>>,
}

/// A business identifier's value.
#[derive(Debug, Default, Deserialize)]
pub struct NamedIdentifier<'a> {
    /// The value.
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}
