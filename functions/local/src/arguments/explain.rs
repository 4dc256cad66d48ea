//! The flags of `metriccare explain`.

use clap::{Args, Subcommand};

use super::{LakeFlag, TablesFlag};

#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    /// From all encounters to the readmission rates: what each step excludes, by definition
    Readmission(ExplainReadmission),
    /// One stay: its versions, the verdicts and their reasons, the next stay, infections
    Stay(ExplainStay),
    /// One landed object: claim, commit, counts, quarantined records, and what of it is in silver
    Object(ExplainObject),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainReadmission {
    /// Only this hospital, by its name in the lake
    #[arg(long, value_name = "NAME")]
    pub(crate) hospital: Option<String>,
    /// Only stays discharged in this month
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    pub(crate) month: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) tables: TablesFlag,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainStay {
    /// The stay's id, which is its encounter's: the column stay_id of gold_stay
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) tables: TablesFlag,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainObject {
    /// The landed object's key: the column sourcename of bronze
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) tables: TablesFlag,
}

fn month(text: &str) -> Result<String, String> {
    let wrong = || "a month is YYYY-MM, such as 2025-03".to_owned();
    let (year, month) = text.split_once('-').ok_or_else(wrong)?;
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let real = digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month);
    real.then(|| text.to_owned()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::month;

    #[test]
    fn a_month_is_one_of_twelve() {
        assert_eq!(month("2025-12"), Ok("2025-12".to_owned()));
        for wrong in ["2025-13", "2025-00", "2025-1", "2025", "25-01", "march", "2025-+1"] {
            assert!(month(wrong).is_err(), "{wrong}");
        }
    }
}
