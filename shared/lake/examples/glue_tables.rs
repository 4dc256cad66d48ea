//! Writes the tables of the schema into their template, between its two marks, and into `infra/athena/tables.json`.

use std::{fs, io, path::Path};

use metriccare_lake::glue;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(glue::TEMPLATE);
    let template = fs::read_to_string(&path)?;
    let written = glue::in_template(&template)
        .ok_or_else(|| io::Error::other(format!("{} has no marks to write the tables between", path.display())))?;
    fs::write(path, written)?;
    fs::write(root.join("infra/athena/tables.json"), glue::tables_json())
}
