//! Kinds of definition files beside workflows and objects: one file for each kind, and one line of the registry.
//!
//! A kind says what its file looks like ([`Kind`]). All that is the same of every kind is said once: the check, the schema,
//! how definitions are stored and served.

mod activity;
mod calendar;
mod group;
mod people;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use activity::Activity;
pub(crate) use activity::check_activity;
pub(crate) use calendar::check_dates;
pub use calendar::{Calendar, Weekday, WorkflowCalendar};
pub use group::Group;
pub use people::{Member, People, Team};
pub(crate) use people::{check_member, check_team};

use crate::path::Path;
use crate::problem::code;
use crate::validate::{Report, words};
use crate::{Around, Problem, Source};

/// What a kind of definition file says of itself.
pub(crate) trait Kind: DeserializeOwned {
    /// The id of files that say none; absent if each must.
    const DEFAULT_ID: Option<&'static str> = None;

    /// Checks what its shape cannot say. What the shape refuses is told already.
    fn check(file: &Value, check: &mut KindCheck<'_, '_>);

    /// The parts of it that other definitions can make wrong, as they are written; null if nothing can.
    fn depends(&self) -> Value {
        Value::Null
    }

    /// What decisions may read of it: this is what stays of former revisions.
    fn decided_on(file: &Value) -> Value {
        file.clone()
    }
}

/// One file under check, and what stands around it.
#[derive(Debug)]
pub(crate) struct KindCheck<'c, 'a> {
    pub(crate) report: &'c mut Report<'a>,
    pub(crate) around: Around<'c>,
}

impl KindCheck<'_, '_> {
    /// Notes an error about the value at a place.
    pub(crate) fn error(&mut self, code: &str, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.report.error(code, path, message)
    }
}

/// Defines the kinds, and the definitions of an installation by kind.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident { word: $word:literal, all: $all:ident = $plural:literal, schema: $schema:literal },)*) => {
        /// A kind of definition file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum DefinitionKind {
            $($(#[$doc])* $kind,)*
        }

        /// The definitions of an installation beside its workflows and objects, by kind and id.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Definitions {
            $($(#[$doc])* pub $all: BTreeMap<String, $kind>,)*
        }

        impl DefinitionKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its word: the key that has the id, and the ending of the file. Stored, do not rename.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// The word for several, as in the addresses of the API.
            pub fn plural(self) -> &'static str {
                match self {
                    $(Self::$kind => $plural,)*
                }
            }

            /// How its files are named.
            pub fn endings(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => {
                        &[concat!(".", $word, ".yaml"), concat!(".", $word, ".yml"), concat!(".", $word, ".json")]
                    })*
                }
            }

            /// The JSON Schema (2020-12) of its file, as JSON.
            pub fn schema(self) -> &'static str {
                match self {
                    $(Self::$kind => include_str!($schema),)*
                }
            }

            /// The id of its files that say none; absent if each must.
            fn default_id(self) -> Option<&'static str> {
                match self {
                    $(Self::$kind => <$kind as Kind>::DEFAULT_ID,)*
                }
            }

            /// What decisions may read of a file: this is what stays of former revisions.
            pub fn decided_on(self, file: &Value) -> Value {
                match self {
                    $(Self::$kind => $kind::decided_on(file),)*
                }
            }

            /// Checks what the shape of its file cannot say.
            pub(crate) fn check(self, file: &Value, check: &mut KindCheck<'_, '_>) {
                match self {
                    $(Self::$kind => $kind::check(file, check),)*
                }
            }

            /// The shape of its file.
            #[cfg(feature = "describe")]
            pub(crate) fn described(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self {
                    $(Self::$kind => <$kind as schemars::JsonSchema>::json_schema(generator),)*
                }
            }
        }

        impl Definitions {
            /// Takes of a definition what decisions may read.
            ///
            /// # Errors
            /// It is none.
            pub fn insert(&mut self, kind: DefinitionKind, id: &str, file: &Value) -> Result<(), serde_json::Error> {
                match kind {
                    $(DefinitionKind::$kind => {
                        self.$all.insert(id.to_owned(), serde_json::from_value(kind.decided_on(file))?);
                    })*
                }
                Ok(())
            }

            /// Takes a definition out.
            pub fn remove(&mut self, kind: DefinitionKind, id: &str) {
                match kind {
                    $(DefinitionKind::$kind => drop(self.$all.remove(id)),)*
                }
            }

            /// The ids of a kind.
            pub fn ids(&self, kind: DefinitionKind) -> Vec<&str> {
                match kind {
                    $(DefinitionKind::$kind => self.$all.keys().map(String::as_str).collect(),)*
                }
            }

            /// What of each definition others can make wrong.
            fn depending(&self) -> Vec<(DefinitionKind, &str, Value)> {
                let mut all = Vec::new();
                $(all.extend(self.$all.iter().map(|(id, one)| (DefinitionKind::$kind, id.as_str(), one.depends())));)*
                all
            }
        }
    };
}

kinds! {
    /// Records of an object for which an expression is true.
    Group { word: "group", all: groups = "groups", schema: "../../../../docs/schema/group.schema.json" },
    /// Days on which no business is done.
    Calendar { word: "calendar", all: calendars = "calendars", schema: "../../../../docs/schema/calendar.schema.json" },
    /// Members and teams.
    People { word: "people", all: people = "people", schema: "../../../../docs/schema/people.schema.json" },
    /// Types of what people do about records.
    Activity { word: "activity", all: activity_types = "activity-types", schema: "../../../../docs/schema/activity.schema.json" },
}

impl DefinitionKind {
    /// The kind of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// The id that a file says, or has without a word.
    pub fn id_of(self, file: &Value) -> Option<&str> {
        match file.get(self.word()) {
            Some(id) => id.as_str(),
            None => self.default_id(),
        }
    }
}

impl Definitions {
    /// Whether there is one.
    pub fn has(&self, kind: DefinitionKind, id: &str) -> bool {
        self.ids(kind).contains(&id)
    }

    /// The mistakes that the definitions have with what stands around them, each with the definition that has it.
    pub fn mistakes(&self, around: Around<'_>) -> Vec<(DefinitionKind, String, Problem)> {
        let mut found = Vec::new();
        for (kind, id, file) in self.depending().into_iter().filter(|(.., file)| !file.is_null()) {
            let source = Source::from_value(id, file);
            let mut report = Report::new(&source);
            kind.check(&source.value, &mut KindCheck { report: &mut report, around });
            found.extend(report.into_problems().into_iter().map(|problem| (kind, id.to_owned(), problem)));
        }
        found
    }
}

/// Tells of a definition that is not there, if it is known what is there.
pub(crate) fn check_known(
    report: &mut Report<'_>,
    around: Around<'_>,
    (kind, id): (DefinitionKind, &str),
    (path, column): (&Path, usize),
) {
    let Some(definitions) = around.definitions else { return };
    if definitions.has(kind, id) || around.is_broken(kind, id) {
        return;
    }
    let known = definitions.ids(kind);
    let word = kind.word();
    let there = if known.is_empty() {
        format!("there is no {word}")
    } else {
        format!("there are {}", words::all_of(known.iter().copied()))
    };
    let message = format!("expected a {word} that exists, found {}; {there}", words::quoted(id));
    report.error_within(code::UNKNOWN_DEFINITION, path, column, message).suggest(words::did_you_mean(id, known));
}
