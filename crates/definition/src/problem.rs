//! A problem: one thing wrong with a file, or worth a look.

use std::fmt::{self, Display};

use serde::Serialize;

/// Most errors that are told of a file, and most warnings: the rest is told once these are mended.
pub(crate) const MOST_PROBLEMS: usize = 100;

/// Whether a problem forbids the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It does.
    Error,
    /// It is worth a look.
    Warning,
}

impl Level {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing wrong with a file. Its code is stable and has a page in `docs/errors`.
///
/// Written as `file.yaml:12:5: error[unknown_key] steps[2]: unknown key "filtre"; expected …; did you mean "filter"?`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file as it was named.
    pub file: String,
    /// Stable code, see [`code`].
    pub code: String,
    /// Where it stands in the file: `steps[2].yes[0].url`; empty for the whole file.
    pub path: String,
    /// Line, counted from 1.
    pub line: Option<usize>,
    /// Column in characters, counted from 1.
    pub column: Option<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// What may help: `did you mean "filter"?`.
    pub suggestion: Option<String>,
    /// Whether it forbids the file.
    pub severity: Level,
}

impl Problem {
    /// Whether it forbids the file.
    pub fn is_error(&self) -> bool {
        self.severity == Level::Error
    }

    /// Adds what may help.
    pub(crate) fn suggest(&mut self, suggestion: impl Into<Option<String>>) {
        self.suggestion = suggestion.into();
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}[{}] ", self.severity.as_str(), self.code)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.message)?;
        self.suggestion.as_ref().map_or(Ok(()), |suggestion| write!(f, "; {suggestion}"))
    }
}

/// Defines the codes, and the list of them all.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// The codes of problems. Stored and documented, do not rename.
        pub mod code {
            $($(#[$doc])* pub const $name: &str = $code;)*

            /// All of them.
            pub const ALL: &[&str] = &[$($code),*];
        }
    };
}

codes! {
    /// The text is not YAML or JSON.
    SYNTAX = "syntax";
    /// The file is larger or deeper than is read.
    FILE_TOO_LARGE = "file_too_large";
    /// A mapping has a key twice.
    DUPLICATE_KEY = "duplicate_key";
    /// A key that the language does not have in this place.
    UNKNOWN_KEY = "unknown_key";
    /// A required key is absent.
    MISSING_KEY = "missing_key";
    /// A value of another type than expected.
    WRONG_TYPE = "wrong_type";
    /// A word that is none of the allowed ones.
    UNKNOWN_WORD = "unknown_word";
    /// A number outside its bounds.
    OUT_OF_RANGE = "out_of_range";
    /// A number that is too large to be held.
    NUMBER_OUT_OF_RANGE = "number_out_of_range";
    /// A value of the right type that is no valid value here.
    INVALID_VALUE = "invalid_value";
    /// A required text is empty.
    BLANK_VALUE = "blank_value";
    /// An id or name with characters that are not allowed.
    INVALID_ID = "invalid_id";
    /// An id or name is used twice.
    DUPLICATE_ID = "duplicate_id";
    /// A step or trigger type that the language does not have.
    UNKNOWN_TYPE = "unknown_type";
    /// A step or trigger type of the language that this version does not carry out.
    NOT_AVAILABLE = "not_available";
    /// Keys of which exactly one must be there.
    EXACTLY_ONE = "exactly_one";
    /// A key that makes no sense beside the others.
    NOT_ALLOWED = "not_allowed";
    /// An expression is not valid CEL.
    EXPRESSION_SYNTAX = "expression_syntax";
    /// An expression names a variable or calls a function that does not exist here.
    EXPRESSION_UNKNOWN_NAME = "expression_unknown_name";
    /// An operation that fails for every value of the types it is given.
    EXPRESSION_TYPE = "expression_type";
    /// A key that the value never has.
    EXPRESSION_MISSING_KEY = "expression_missing_key";
    /// A call with written-out values that always fails.
    EXPRESSION_VALUE = "expression_value";
    /// An expression names a variable that nothing sets.
    UNKNOWN_VARIABLE = "unknown_variable";
    /// A step that the workflow does not have.
    UNKNOWN_STEP = "unknown_step";
    /// A workflow that is not there.
    UNKNOWN_WORKFLOW = "unknown_workflow";
    /// An object that is not there.
    UNKNOWN_OBJECT = "unknown_object";
    /// A group, calendar or other definition that is not there.
    UNKNOWN_DEFINITION = "unknown_definition";
    /// A member who is not there.
    UNKNOWN_MEMBER = "unknown_member";
    /// A team that is not there.
    UNKNOWN_TEAM = "unknown_team";
    /// A field that the object does not have.
    UNKNOWN_FIELD = "unknown_field";
    /// A relationship that the object does not have.
    UNKNOWN_RELATIONSHIP = "unknown_relationship";
    /// A record is named in a workflow that runs against none.
    NO_RECORD = "no_record";
    /// `item` or `index` outside `for_each`.
    NO_ITEM = "no_item";
    /// `secret()` where secrets are not handed out.
    EXPRESSION_SECRET = "expression_secret";
    /// A duration, date, time or time zone that cannot be read.
    INVALID_TIME = "invalid_time";
    /// Something that runs but is probably not meant.
    SUSPICIOUS = "suspicious";
}
