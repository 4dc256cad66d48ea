//! Writes a world as the eight CSV files into a folder: `tables DIR PATIENTS [SEED]`.

use std::path::Path;

use metriccare_world::{HEADERS, Measures, Rows, Spec, TablesWriter, World, facilities_csv, providers_csv};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let usage = "usage: tables DIR PATIENTS [SEED]";
    let folder = Path::new(arguments.get(1).ok_or(usage)?);
    let patients = arguments.get(2).ok_or(usage)?.parse()?;
    let seed = arguments.get(3).map_or(Ok(42), |seed| seed.parse())?;
    let world = World::new(Spec { patients, seed, ..Spec::default() })?;
    let (mut rows, mut measures) = (Rows::default(), Measures::new(&world));
    let headers = HEADERS.map(|(_, header)| header.as_bytes());
    rows.patients.extend_from_slice(headers[0]);
    rows.encounters.extend_from_slice(headers[1]);
    rows.claims.extend_from_slice(headers[2]);
    rows.registry.extend_from_slice(headers[3]);
    TablesWriter::new(&world).write(0..patients, &mut rows, &mut measures);
    std::fs::create_dir_all(folder)?;
    let files = [
        ("patients", rows.patients),
        ("encounters", rows.encounters),
        ("claims", rows.claims),
        ("registry", rows.registry),
        ("providers", providers_csv(&world)),
        ("facilities", facilities_csv(&world)),
        ("cms_measures", measures.cms_measures_csv(&world)),
        ("hai_data", measures.hai_data_csv(&world)),
    ];
    for (name, bytes) in files {
        std::fs::write(folder.join(format!("{name}.csv")), bytes)?;
    }
    Ok(())
}
