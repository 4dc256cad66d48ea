//! The simulator's questions: asked for what neither a flag nor the spec file sets, each with its default.
//!
//! A wrong answer is asked again with the reason. With all answers the spec is valid.

use std::io::{BufRead, Write};

use metriccare_landing::{Fields, Job};
use metriccare_world::Spec;

use crate::output::failure::Failure;

/// A question: its text, what an empty answer means, and where the answer goes.
struct Question {
    /// The field of a job that it is about.
    field: &'static str,
    words: &'static str,
    empty: &'static str,
    /// Puts an answer into the spec; in words, what it should have been.
    put: fn(&mut Spec, &str) -> Result<(), &'static str>,
}

const QUESTIONS: [Question; 6] = [
    Question {
        field: "patients",
        words: "Enter number of patients (e.g., 500): ",
        empty: "500",
        put: |spec, answer| whole(answer).map(|patients| spec.patients = patients),
    },
    Question {
        field: "year",
        words: "Enter year to simulate (e.g., 2023): ",
        empty: "2023",
        put: |spec, answer| whole(answer).map(|year| spec.year = year),
    },
    Question {
        field: "mortality_pct",
        words: "Mortality percentage [10%]: ",
        empty: "10",
        put: |spec, answer| share(answer).map(|share| spec.mortality_pct = Some(share)),
    },
    Question {
        field: "infection_pct",
        words: "Infection percentage [20%]: ",
        empty: "20",
        put: |spec, answer| share(answer).map(|share| spec.infection_pct = Some(share)),
    },
    Question {
        field: "readmission_pct",
        words: "Readmission percentage [15%]: ",
        empty: "15",
        put: |spec, answer| share(answer).map(|share| spec.readmission_pct = Some(share)),
    },
    Question {
        field: "alos_pct",
        words: "ALOS percentage [100%]: ",
        empty: "100",
        put: |spec, answer| share(answer).map(|share| spec.alos_pct = Some(share)),
    },
];

/// The job of the fields and of the answers in an input that nobody sits at, one a line.
///
/// An empty line, and every line that is missing at the end, is the default.
///
/// # Errors
/// An answer that is refused, with its question: nobody can be asked again.
pub(super) fn read(fields: Fields, input: &mut impl BufRead) -> Result<Job, Failure> {
    let open = open_questions(&fields);
    let mut job = Job::unchecked(fields)?;
    for question in open {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let answer = line.trim();
        let given = if answer.is_empty() { question.empty } else { answer };
        (question.put)(&mut job.spec, given)
            .map_err(|should| Failure::usage(format!("{}\"{answer}\" is not {should}", question.words)))?;
    }
    job.spec.validate()?;
    Ok(job)
}

/// The job of the fields and of a person's answers.
pub(super) fn ask(fields: Fields, input: &mut impl BufRead, words: &mut impl Write) -> Result<Job, Failure> {
    let open = open_questions(&fields);
    let mut job = Job::read(fields)?;
    for question in open {
        loop {
            write!(words, "{}", question.words)?;
            words.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                // The end of the input is an empty answer to every question that is left.
                writeln!(words)?;
            }
            let answer = line.trim();
            let mut with = job.spec.clone();
            let put = (question.put)(&mut with, if answer.is_empty() { question.empty } else { answer });
            let refused = match put {
                Err(should) => format!("\"{answer}\" is not {should}"),
                Ok(()) => match with.validate() {
                    Err(error) if line.is_empty() => return Err(error.into()),
                    Err(error) => error.to_string(),
                    Ok(()) => {
                        job.spec = with;
                        break;
                    }
                },
            };
            writeln!(words, "  {refused}")?;
        }
    }
    Ok(job)
}

/// The questions whose fields are not set.
fn open_questions(fields: &Fields) -> Vec<&'static Question> {
    QUESTIONS.iter().filter(|question| !fields.says(question.field)).collect()
}

fn whole<N: std::str::FromStr>(answer: &str) -> Result<N, &'static str> {
    answer.parse().map_err(|_| "a whole number")
}

fn share(answer: &str) -> Result<f64, &'static str> {
    answer.trim_end_matches('%').trim_end().parse().map_err(|_| "a percentage such as 10")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn flags(flags: &[&str]) -> Fields {
        match Arguments::try_parse_from([&["metriccare", "simulate"], flags].concat()).map(|parsed| parsed.command) {
            Ok(Command::Simulate(flags)) => flags.fields().expect("flags"),
            other => panic!("{other:?}"),
        }
    }

    fn asked(given: &[&str], answers: &str) -> (Result<Spec, Failure>, String) {
        let mut words = Vec::new();
        let spec = ask(flags(given), &mut answers.as_bytes(), &mut words).map(|job| job.spec);
        (spec, String::from_utf8(words).expect("UTF-8"))
    }

    #[test]
    fn empty_answers_are_the_defaults_and_flags_are_not_asked_for() {
        let (spec, words) = asked(&["--year", "2021"], "100\n\n\n 12.5 %\n\n");
        let spec = spec.expect("possible");
        assert_eq!((spec.patients, spec.year), (100, 2021));
        assert_eq!((spec.mortality_pct, spec.infection_pct), (Some(10.0), Some(20.0)));
        assert_eq!((spec.readmission_pct, spec.alos_pct), (Some(12.5), Some(100.0)));
        assert!(words.starts_with("Enter number of patients (e.g., 500): Mortality percentage [10%]: "), "{words}");
        let without = read(flags(&[]), &mut "".as_bytes()).expect("possible").spec;
        assert_eq!((without.patients, without.year, without.mortality_pct), (500, 2023, Some(10.0)));
    }

    #[test]
    fn answers_are_read_from_a_pipe_and_its_end_means_the_defaults() {
        let spec = |input: &str| read(flags(&["--seed", "7"]), &mut input.as_bytes()).map(|job| job.spec);
        for input in ["100\n2021\n\n\n\n\n", "100\n2021\n", "100\n2021", "100\r\n2021\r\n"] {
            let spec = spec(input).expect("possible");
            assert_eq!((spec.patients, spec.year, spec.seed, spec.alos_pct), (100, 2021, 7, Some(100.0)), "{input:?}");
        }
        let refused = spec("many\n").expect_err("no number").to_string();
        assert_eq!(refused, "Enter number of patients (e.g., 500): \"many\" is not a whole number");
        let refused = spec("100\n2021\n\n\n\n5\n").expect_err("impossible").to_string();
        assert!(refused.contains("mortality_pct is 10: it must be at most alos_pct (5)"), "{refused}");
    }

    #[test]
    fn a_wrong_answer_is_asked_again_with_the_reason() {
        let (spec, words) = asked(&["--patients", "50"], "soon\n3000\n2023\n150\n\n\n\n8\n40\n");
        assert_eq!(spec.expect("possible").alos_pct, Some(40.0));
        for reason in [
            "\"soon\" is not a whole number",
            "year is 3000: it must be from 1900 to 2200",
            "mortality_pct is 150: it must be from 0 to 100",
            "mortality_pct is 10: it must be at most alos_pct (8)",
        ] {
            assert!(words.contains(reason), "{reason}: {words}");
        }
    }

    #[test]
    fn the_end_of_a_persons_input_means_the_defaults() {
        let (spec, _) = asked(&[], "100\n");
        let spec = spec.expect("possible");
        assert_eq!((spec.patients, spec.year, spec.infection_pct), (100, 2023, Some(20.0)));
    }
}
