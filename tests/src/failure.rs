//! Why a story did not go as it should: a sentence for whoever reads the output of a test or a demo.

use std::fmt;

/// The sentence. Any error becomes one, with what caused it.
pub struct Failure(pub String);

impl Failure {
    /// What was being done, in front of what went wrong.
    #[must_use]
    pub fn during(self, what: impl fmt::Display) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// What `main` prints when it ends with one.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(text)
    }
}

/// Ends with a [`Failure`] made of the arguments of `format!`.
#[macro_export]
macro_rules! fail {
    ($($argument:tt)*) => {
        return Err($crate::Failure(format!($($argument)*)))
    };
}
