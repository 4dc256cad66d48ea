//! Infections: those that began in hospital, those that patients brought, and rates per patient-day.

use maud::html;
use metriccare_lake::gold::interval::byar;

use super::{Section, trends};
use crate::commands::report::{
    chart::{self, Bar, Rows, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, counted, decimal},
};

/// Every type, how a reader knows it, and whether patient-days are its surveillance denominator.
const TYPES: [(&str, &str, bool); 7] = [
    ("clabsi", "CLABSI, central line", false),
    ("cauti", "CAUTI, catheter", false),
    ("vap", "VAP, ventilator", false),
    ("ssi", "SSI, surgical site", false),
    ("mrsa", "MRSA bacteraemia", true),
    ("cdi", "C. difficile", true),
    ("other", "Other", false),
];

pub(super) fn section(lake: &Gathered) -> Section {
    if lake.infection.is_empty() {
        return None;
    }
    let head = [
        "Type",
        "Hospital-onset",
        "Present on admission",
        "Patient-days",
        "Rate",
        "per patient-days",
        "95 % from",
        "to",
    ];
    let mut table = Table::new("Infections by type", 1, &head);
    let mut bars = Vec::new();
    let (mut onset, mut brought) = (0, 0);
    for (kind, name, own_denominator) in TYPES {
        let rows = || lake.infection.iter().filter(|row| row.text("infection_type") == Some(kind));
        let sum = |column: &str| rows().map(|row| row.count(column)).sum::<i64>();
        let (infections, present, days) = (sum("infections"), sum("present_on_admission"), sum("patient_days"));
        let per = rows().next().map_or(1_000, |row| row.count("per"));
        let scaled =
            |number: f64| if days > 0 { decimal(number / days as f64 * per as f64, 2) } else { "–".to_owned() };
        let (low, high) = byar(infections);
        let rate = scaled(infections as f64);
        let mark = if own_denominator { "" } else { " †" };
        table.row([
            format!("{name}{mark}"),
            count(infections),
            count(present),
            count(days),
            rate.clone(),
            count(per),
            scaled(low),
            scaled(high),
        ]);
        onset += infections;
        brought += present;
        let words = format!("{} in hospital · {rate} per {}", count(infections), count(per));
        bars.push(Bar {
            label: format!("{name}{mark}"),
            full: infections as f64,
            outlined: present as f64,
            words,
            strong: false,
        });
    }
    let said = format!(
        "{} began in hospital; {} present on admission.",
        counted(onset, "infection", "infections"),
        counted(brought, "was", "were")
    );
    let rows = Rows { parts: ["Hospital-onset", "Present on admission"], words: 30, ..Rows::default() };
    let words = Words {
        id: "chart-infections",
        title: "Infections by type, and hospital-onset rate per patient-days",
        description: &said,
    };
    Some(html! {
        p {
            strong { "Rates are per patient-day." }
            " That is the surveillance denominator of MRSA and C. difficile only. For lines, catheters and ventilators it is \
             device-days, for surgery it is procedures; encounters do not carry them, so those rates must not be held against \
             published ones. Hospital-onset: from day 3 of the stay, from day 4 for MRSA and C. difficile, always for surgical \
             sites."
        }
        "\n"
        p { (said) }
        "\n"
        (chart::figure(&words, |width| chart::bars(&rows, &bars, width)))
        (table.behind_chart())
        p class="note" { "† patient-days are not this type's surveillance denominator." }
        "\n"
        (trends::infections(lake))
    })
}
