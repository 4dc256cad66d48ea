//! The names that somebody may have meant.

/// The known names that resemble a wrong one, the nearest first, three at most.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = wrong.to_lowercase();
    let alike = |name: &str| {
        let name = name.to_lowercase();
        // A part of a long name is what people remember of it, and no edit distance finds it.
        let part = wrong.chars().count() >= 3 && name.contains(&wrong);
        if part { 1.0 } else { strsim::jaro_winkler(&wrong, &name) }
    };
    let mut found: Vec<_> =
        known.into_iter().map(|name| (alike(name), name)).filter(|(alike, _)| *alike > 0.7).collect();
    found.sort_by(|(one, first), (other, second)| other.total_cmp(one).then(first.cmp(second)));
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The names that somebody may have meant, as words of an error: `; did you mean "a" or "b"?`, or nothing.
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
    fn a_slip_or_a_part_finds_the_name() {
        let hospitals = ["MetricCare Hospital - Charlotte", "MetricCare Hospital - Durham", "Elsewhere"];
        assert_eq!(nearest("charlotte", hospitals), ["MetricCare Hospital - Charlotte"]);
        assert_eq!(nearest("metriccare hospital - duram", hospitals)[0], "MetricCare Hospital - Durham");
        assert_eq!(nearest("gold_readmissions", ["gold_readmission", "silver_patient"])[0], "gold_readmission");
        assert!(nearest("xyz", hospitals).is_empty());
        assert_eq!(did_you_mean("", hospitals), "");
    }
}
