//! Why JSON is refused.

/// Why JSON is refused. Its text repeats nothing of the input but numbers that are too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Line and column, from 1, where there is a text.
    pub place: Option<(usize, usize)>,
}

/// What is wrong with JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// It is not JSON.
    #[error("a fault ({0})")]
    Malformed(String),
    /// It is JSON of another shape.
    #[error("another shape: {0}")]
    Shape(String),
    /// It nests too deeply.
    #[error("more than {limit} levels of nesting")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// There is too much of something in it.
    #[error("more than {limit} {unit}")]
    TooLarge {
        /// The bound.
        limit: usize,
        /// Of what: `bytes`, `values`, `bytes in a key`.
        unit: &'static str,
    },
    /// A whole number that needs more than 64 bits.
    #[error("the whole number {0}, which needs more than 64 bits; send it as a text")]
    NumberOutOfRange(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)?;
        self.place.map_or(Ok(()), |(line, column)| write!(f, " at line {line}, column {column}"))
    }
}

impl Error {
    /// Its stable code, if it exceeds a bound; what is malformed has the code of its entrance.
    pub fn code(&self) -> Option<&'static str> {
        match self.kind {
            ErrorKind::Malformed(_) | ErrorKind::Shape(_) => None,
            ErrorKind::TooDeep { .. } => Some("value_too_deep"),
            ErrorKind::TooLarge { .. } => Some("value_too_large"),
            ErrorKind::NumberOutOfRange(_) => Some("number_out_of_range"),
        }
    }

    /// From the error of the parser, whose text ends in the position.
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let place = Some((error.line(), error.column()));
        Self { kind: ErrorKind::Malformed(without_place(error)), place }
    }

    pub(super) fn misshapen(error: &serde_json::Error) -> Self {
        Self { kind: ErrorKind::Shape(without_place(error)), place: None }
    }
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let problem = text.split_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    match problem {
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            format!("{problem}: half of a surrogate pair, which is no character")
        }
        _ => problem.to_owned(),
    }
}
