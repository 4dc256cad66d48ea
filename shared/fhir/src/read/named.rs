//! Resources that are looked up: Organization and Location for their names, others for who carries an identifier.

use serde::Deserialize;

use super::{Text, reference::BusinessIdentifier};

/// A resource with a name that others refer to.
#[derive(Debug, Default, Deserialize)]
pub struct Named<'a> {
    /// The logical id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// The name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// Business identifiers, which references may name.
    #[serde(borrow)]
    pub identifier: Option<Vec<BusinessIdentifier<'a>>>,
}

/// A resource of which only its id and its business identifiers are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct Identified<'a> {
    /// The logical id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// Business identifiers, which references may name.
    #[serde(borrow)]
    pub identifier: Option<Vec<BusinessIdentifier<'a>>>,
}
