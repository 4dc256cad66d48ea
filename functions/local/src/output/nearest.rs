//! Suggestions for a misspelt name.

/// The least similarity of a suggestion, from 0 to 1.
const LEAST_SIMILARITY: f64 = 0.6;
/// How much less similar than the best suggestion another one may be.
const TOLERANCE: f64 = 0.15;

/// The known names that resemble a wrong one, the most similar first, three at most.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = wrong.to_lowercase();
    let mut found: Vec<_> = known.into_iter().map(|name| (similarity(&wrong, &name.to_lowercase()), name)).collect();
    found.sort_by(|(one, first), (other, second)| other.total_cmp(one).then(first.cmp(second)));
    let least = found.first().map_or(LEAST_SIMILARITY, |(best, _)| LEAST_SIMILARITY.max(best - TOLERANCE));
    found.into_iter().filter(|(similarity, _)| *similarity >= least).take(3).map(|(_, name)| name).collect()
}

/// By edit distance; a prefix, a part or one word of a long name counts as well.
fn similarity(wrong: &str, name: &str) -> f64 {
    let part = |found: bool, worth| if found && wrong.chars().count() >= 3 { worth } else { 0.0 };
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let word = words.map(|word| strsim::normalized_damerau_levenshtein(wrong, word) * 0.9).fold(0.0, f64::max);
    strsim::normalized_damerau_levenshtein(wrong, name)
        .max(part(name.starts_with(wrong), 1.0))
        .max(part(name.contains(wrong), 0.8))
        .max(word)
}

/// Suggestions for an error message: `; did you mean "a" or "b"?`, or an empty text.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(wrong, known).as_slice() {
        [] => String::new(),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            format!("; did you mean {}?", names.join(" or "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_or_a_part_finds_the_name() {
        let hospitals = ["MetricCare Hospital - Charlotte", "MetricCare Hospital - Durham", "Elsewhere"];
        assert_eq!(nearest("charlotte", hospitals), ["MetricCare Hospital - Charlotte"]);
        assert_eq!(nearest("duram", hospitals), ["MetricCare Hospital - Durham"]);
        assert_eq!(nearest("metriccare hospital - duram", hospitals)[0], "MetricCare Hospital - Durham");
        let tables = ["gold_readmission", "gold_stay", "gold_summary", "silver_patient"];
        assert_eq!(nearest("gold_readmissions", tables), ["gold_readmission"]);
        assert_eq!(nearest("stays", tables), ["gold_stay"]);
        assert_eq!(nearest("hospital", ["died_in_hospital", "hospital_name"])[0], "hospital_name");
        assert!(nearest("xyz", hospitals).is_empty() && nearest("x", []).is_empty());
        assert_eq!(did_you_mean("", hospitals), "");
    }
}
