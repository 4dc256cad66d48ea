//! The tables as AWS Glue knows them: the part of `infra/templates/tables.yaml` that declares them, made from
//! [`schema`](crate::schema).
//!
//! The schema has one source, so the template's tables are written by `cargo run -p metriccare-lake --example glue_tables`,
//! and a test compares them with it. Tables partitioned by bucket use partition projection; a bronze partition is created
//! when it first appears, with the classes that are named here.

use std::fmt::Write as _;

use crate::schema::{TABLES, Table};

/// The class that reads a file of a table.
pub const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";

/// The class that would write a file of a table.
pub const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";

/// The class that reads a row of a file.
pub const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// Where the tables' template is, from the top of the repository.
pub const TEMPLATE: &str = "infra/templates/tables.yaml";

/// The line of the template that the tables begin after.
pub const BEGIN: &str = "  # tables begin: written by `cargo run -p metriccare-lake --example glue_tables`\n";

/// The line of the template that the tables end before.
pub const END: &str = "  # tables end\n";

/// The longest line of columns.
const LINE: usize = 120;

/// The declarations of all tables, as they stand in the template between [`BEGIN`] and [`END`].
pub fn template_tables() -> String {
    TABLES.iter().map(|table| declaration(table)).collect()
}

/// `infra/athena/tables.json`: every table by its catalog name, with its folder, its partition column and its columns.
pub fn tables_json() -> String {
    let tables = TABLES.iter().map(|table| {
        let columns: Vec<_> =
            table.columns.iter().map(|(name, kind)| format!("\"{name}\": \"{}\"", kind.athena())).collect();
        let partition = table.partition.map_or_else(|| "null".to_owned(), |column| format!("\"{column}\""));
        format!(
            "  \"{}\": {{\"path\": \"{}\", \"partition\": {partition}, \"columns\": {{{}}}}}",
            table.glue_name(),
            table.path,
            columns.join(", ")
        )
    });
    format!("{{\n{}\n}}\n", tables.collect::<Vec<_>>().join(",\n"))
}

/// The template with its tables replaced by those of the schema; `None` where it has no place for them.
pub fn in_template(template: &str) -> Option<String> {
    let (before, rest) = template.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{}{END}{after}", template_tables()))
}

fn declaration(table: &Table) -> String {
    let mut text = String::new();
    let name = table.glue_name();
    let kind = |wanted: &str| table.columns.iter().find(|(name, _)| *name == wanted).map(|(_, kind)| kind.athena());
    let _ = write!(
        text,
        "  {}Table:\n    Type: AWS::Glue::Table\n    Properties:\n      CatalogId: !Ref AWS::AccountId\n      \
         DatabaseName: !Ref Database\n      TableInput:\n        Name: {name}\n        TableType: EXTERNAL_TABLE\n",
        logical_name(&name)
    );
    text.push_str("        Parameters:\n          EXTERNAL: \"TRUE\"\n          classification: parquet\n");
    if table.partition == Some("bucket") {
        let _ = write!(
            text,
            "          projection.enabled: \"true\"\n          projection.bucket.type: integer\n          \
             projection.bucket.range: !Sub \"0,${{LastBucket}}\"\n          \
             projection.bucket.digits: !Ref BucketDigits\n          \
             storage.location.template: !Sub s3://${{LakeBucket}}/{}/bucket=${{!bucket}}/\n",
            table.path
        );
    }
    if let Some(partition) = table.partition {
        let kind = kind(partition).unwrap_or("string");
        let _ = writeln!(text, "        PartitionKeys: [{{ Name: {partition}, Type: {kind} }}]");
    }
    let _ = write!(
        text,
        "        StorageDescriptor:\n          Location: !Sub s3://${{LakeBucket}}/{}/\n          \
         InputFormat: {INPUT_FORMAT}\n          OutputFormat: {OUTPUT_FORMAT}\n          \
         SerdeInfo: {{ SerializationLibrary: {SERDE} }}\n          Columns:\n",
        table.path
    );
    text.push_str(&columns(table));
    text
}

/// The columns as a YAML list in flow style, in lines of at most [`LINE`] characters.
fn columns(table: &Table) -> String {
    let mut lines = vec!["            [".to_owned()];
    for (column, kind) in table.file_columns() {
        let kind = kind.athena();
        // A comma would end the entry.
        let kind = if kind.contains(',') { format!("\"{kind}\"") } else { kind.to_owned() };
        let column = format!("{{ Name: {column}, Type: {kind} }},");
        match lines.last_mut() {
            Some(line) if line.len() + 1 + column.len() <= LINE => {
                line.push_str(if line.ends_with('[') { "" } else { " " });
                line.push_str(&column);
            }
            _ => lines.push(format!("             {column}")),
        }
    }
    let text = lines.join("\n");
    format!("{}]\n", text.trim_end_matches(','))
}

/// `bronze_ingest_log` as CloudFormation names things: `BronzeIngestLog`.
fn logical_name(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_declares_the_tables_of_the_schema() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(TEMPLATE);
        let template = std::fs::read_to_string(path).expect("the template");
        let right = in_template(&template).expect("a place for the tables");
        let command = "cargo run -p metriccare-lake --example glue_tables";
        assert!(template == right, "{TEMPLATE} is behind the schema: run `{command}`");
    }

    #[test]
    fn every_column_of_a_file_is_declared_once_and_in_order() {
        for table in TABLES {
            let text = columns(table);
            assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
            let declared: Vec<&str> = text.split("Name: ").skip(1).filter_map(|rest| rest.split(',').next()).collect();
            assert_eq!(declared, table.file_columns().map(|(name, _)| name).collect::<Vec<_>>());
            assert_eq!(text.matches("Type: \"decimal(").count(), text.matches("decimal(").count(), "{text}");
        }
    }

    #[test]
    fn the_sql_engines_read_the_tables_of_the_schema() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/athena/tables.json");
        let written = std::fs::read_to_string(path).expect("the tables");
        let command = "cargo run -p metriccare-lake --example glue_tables";
        assert!(written == tables_json(), "infra/athena/tables.json is behind the schema: run `{command}`");
    }

    #[test]
    fn only_tables_in_buckets_are_projected() {
        let of = |path: &str| declaration(TABLES.iter().find(|table| table.path == path).expect("a table"));
        assert!(of("silver/encounter").contains("bucket=${!bucket}/"));
        assert!(!of("gold/summary").contains("PartitionKeys"));
        let bronze = of("bronze/condition");
        assert!(bronze.contains("PartitionKeys: [{ Name: recorded_year, Type: bigint }]"));
        assert!(!bronze.contains("projection"));
    }
}
