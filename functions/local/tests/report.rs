//! The report as a reader gets it: its numbers are gold's, its data stays data, and it needs nothing but itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use metriccare_lake::{
    cells::{self, Cell},
    schema::GOLD_SUMMARY,
};

/// A temporary folder.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the target folder can be written");
        Folder(path)
    }

    fn well(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metriccare"));
        let output = command.current_dir(&self.0).args(arguments).output().expect("the command starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn page(&self) -> String {
        self.well(&["report"]);
        fs::read_to_string(self.0.join("report.html")).expect("the page is written")
    }

    fn ingested(&self, lines: &str) -> String {
        fs::write(self.0.join("records.ndjson"), lines).expect("it can be written");
        self.well(&["ingest", "records.ndjson"]);
        self.page()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The value and the text of the page's number of a name.
fn number<'a>(page: &'a str, id: &str) -> (&'a str, &'a str) {
    let start = format!("<data id=\"{id}\" value=\"");
    let at = page.find(&start).unwrap_or_else(|| panic!("the page has no {id}")) + start.len();
    let (value, rest) = page[at..].split_once("\">").expect("an attribute ends");
    (value, rest.split_once("</data>").expect("an element ends").0)
}

/// A page that no browser would ask a network for, and whose parts fit together.
fn sound(page: &str) {
    for foreign in ["<script", "src=", "url(", "@import", "http:", "https:"] {
        let own_names = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!own_names.contains(foreign), "{foreign}");
    }
    for element in ["svg", "details", "table", "section", "figure", "div", "text", "p"] {
        let opened = page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
    }
    assert_eq!(page.matches("<svg ").count(), page.matches("<title id=").count());
    assert_eq!(page.matches("<svg ").count(), page.matches("<desc id=").count());
    let mut ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    assert!(page.matches("<figure ").count() <= page.matches("<details>").count(), "a chart has no table");
}

#[test]
fn every_number_of_the_headline_is_golds() {
    let folder = Folder::new("headline");
    folder.well(&["run", "--patients", "800"]);
    let page = folder.page();
    sound(&page);
    let summary = fs::read(folder.0.join("lake/gold/summary/part.parquet")).expect("gold is there");
    let rows = cells::read_rows(&GOLD_SUMMARY, &summary.into()).expect("it can be read");
    let mut compared = 0;
    for row in rows {
        let [Cell::Text(metric), definition, numerator, denominator, value, _] = row.as_slice() else {
            panic!("{row:?}")
        };
        let definition = definition.to_string();
        if *denominator == Cell::Null {
            assert_eq!(number(&page, metric).0, numerator.to_string(), "{metric}");
            compared += 1;
            continue;
        }
        let id = if definition.is_empty() { metric.clone() } else { format!("{metric}-{definition}") };
        if metric == "readmission" && definition != "hwr_65plus" {
            continue;
        }
        let Cell::Float(value) = value else { continue };
        let (exact, shown) = number(&page, &id);
        assert_eq!(exact.parse::<f64>().expect("a number"), *value, "{id}");
        let share = ["readmission", "mortality", "occupancy"].contains(&metric.as_str());
        let words = if share { format!("{:.1}\u{a0}%", value * 100.0) } else { format!("{value:.2}") };
        assert_eq!(shown, words, "{id}");
        assert_eq!(number(&page, &format!("{id}-numerator")).0, numerator.to_string(), "{id}");
        assert_eq!(number(&page, &format!("{id}-denominator")).0, denominator.to_string(), "{id}");
        compared += 1;
    }
    assert_eq!(compared, 10);
    assert!(page.contains("Synthetic data."));
    assert_eq!(page, folder.page(), "the same lake gives the same page");
}

#[test]
fn only_what_answer_keys_cover_is_called_synthetic() {
    let folder = Folder::new("origin");
    folder.well(&["run", "--patients", "40"]);
    let made_up = folder.page();
    assert!(made_up.contains("Synthetic data.") && made_up.contains("no person is described here"));
    // A quarantined record describes no person.
    let refused = folder.ingested("{\"resourceType\":\"Patient\"}\n");
    assert!(refused.contains("Synthetic data."));
    let both = folder.ingested("{\"resourceType\":\"Patient\",\"id\":\"somebody\"}\n");
    sound(&both);
    assert!(both.contains("Synthetic and other data."), "{both}");
    assert!(!both.contains("Synthetic data.") && !both.contains("no person is described"));
}

#[test]
fn a_lake_without_stays_says_so_and_counts_what_arrived() {
    let folder = Folder::new("no-stays");
    let page = folder.ingested(
        "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n{\"resourceType\":\"Device\",\"id\":\"d\"}\n{\"id\":\"x\"}\n",
    );
    sound(&page);
    assert!(page.contains("nothing to measure"), "{page}");
    assert!(page.contains("1 landed object held 3 records: 1 accepted, 1 quarantined, 1 skipped."), "{page}");
    assert!(page.contains("<td>Device</td>") && page.contains("<td>no-resource-type</td>"));
    assert!(!page.contains("Synthetic"));
}

#[test]
fn names_from_data_stay_names() {
    let folder = Folder::new("names");
    let encounter = |id: u32, hospital: &str| {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"e{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\
             \"subject\":{{\"reference\":\"Patient/p\"}},\"period\":{{\"start\":\"2024-01-0{id}T08:00:00Z\",\
             \"end\":\"2024-01-0{}T08:00:00Z\"}}{hospital}}}\n",
            id + 1
        )
    };
    let hostile = r#","serviceProvider":{"display":"</text></svg><script>alert(1)</script> \"&'\u0007"}"#;
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1940-05-05\"}\n";
    let page = folder.ingested(&(patient.to_owned() + &encounter(1, hostile) + &encounter(5, "")));
    sound(&page);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the name is shown as it is");
    assert!(page.contains("Hospital not recorded"));
    assert!(page.contains("1 hospital · stays discharged in 2024-01"), "{page}");
}

#[test]
fn claims_and_measures_are_those_of_the_tables() {
    let folder = Folder::new("warehouse");
    folder.well(&["run", "--patients", "300", "--facilities", "3"]);
    assert!(!folder.page().contains("about-claims-and-measures"), "there are no tables yet");
    folder.well(&["generate", "tables", "--patients", "300", "--facilities", "3", "--out", "tables"]);
    folder.well(&["ingest", "tables"]);
    let page = folder.page();
    sound(&page);
    let claims = fs::read_to_string(folder.0.join("tables/claims.csv")).expect("it is written");
    let lines: Vec<Vec<&str>> = claims.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let cents = |cell: &str| cell.replace('.', "").parse::<i64>().expect("an amount");
    let with_commas = |number: i64| {
        let digits = number.to_string();
        let at = digits.len() % 3;
        let (head, rest) = digits.split_at(at);
        let groups = rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
        let parts: Vec<String> =
            Some(head.to_owned()).into_iter().filter(|head| !head.is_empty()).chain(groups).collect();
        parts.join(",")
    };
    for name in ["Paid", "Denied"] {
        let status = || lines.iter().filter(|cells| cells[9] == name);
        let paid: i64 = status().map(|cells| cents(cells[8])).sum();
        let share = status().count() as f64 / lines.len() as f64 * 100.0;
        let row = format!("<th scope=\"row\">{name}</th><td class=\"n\">{}</td>", with_commas(status().count() as i64));
        let at = page.find(&row).unwrap_or_else(|| panic!("{row}"));
        let rest = page[at + row.len()..].split_once("</tr>").expect("a row ends").0;
        assert!(rest.starts_with(&format!("<td class=\"n\">{share:.1}\u{a0}%</td>")), "{rest}");
        let paid = with_commas((paid as f64 / 100.0).round() as i64);
        assert!(rest.ends_with(&format!("<td class=\"n\">{paid}</td>")), "{rest}, should be {paid}");
    }
    assert!(page.contains("rows of tables"), "the accepted records are named by what they are");
}
