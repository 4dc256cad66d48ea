//! Why a command failed, and its exit status.

use metriccare_flow::FlowError;
use metriccare_world::SpecError;

/// Why a command failed: what was wrong, where, and what to do. The variant decides the exit status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The data failed a check, or the work could not be finished: status 1.
    #[error("{0}")]
    Failed(String),
    /// The command was used wrongly: status 2.
    #[error("{0}")]
    Usage(String),
    /// The reader of the output has closed it (`metriccare … | head`): no message, status 0.
    #[error("standard output is closed")]
    OutputClosed,
}

impl Failure {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Failure::Failed(message.into())
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::Usage(message.into())
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::OutputClosed => 0,
        }
    }
}

impl From<metriccare_ports::Error> for Failure {
    fn from(error: metriccare_ports::Error) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        Failure::Failed(error.to_string())
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<metriccare_landing::Failure> for Failure {
    fn from(failure: metriccare_landing::Failure) -> Self {
        match failure {
            metriccare_landing::Failure::Spec(error) => error.into(),
            metriccare_landing::Failure::Day { .. } => Failure::Usage(failure.to_string()),
            other => Failure::Failed(other.to_string()),
        }
    }
}

impl From<metriccare_landing::JobError> for Failure {
    fn from(error: metriccare_landing::JobError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Failure::OutputClosed
        } else {
            Failure::Failed(error.to_string())
        }
    }
}
