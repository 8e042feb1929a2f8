//! What the commands take that show what an installation has: filters, pages, records, operations.

use clap::ValueEnum;
use jiff::Timestamp;

/// Which records are listed.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "listed_records")]
pub(crate) struct Records {
    /// Object: the record type.
    #[arg(required = true)]
    pub(crate) object: Option<String>,
    /// Only those that pass all of these tests, as JSON: `{"plan": "free", "amount": {"gte": 100}}`.
    #[arg(long = "where", value_name = "JSON")]
    pub(crate) tests: Option<String>,
    /// Field to order by; `-field` for descending. Newest first if absent.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) order: Option<String>,
    /// Prints only their ids, for `pawl start WORKFLOW --records -`.
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// A record, and what is written to it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Record {
    /// Record, `<object>/<id>`; with `--by` its object.
    #[arg(value_name = "RECORD")]
    pub(crate) id: String,
    /// The record of the object that has this value in a unique field: `--by email=ada@example.com`.
    #[arg(long, value_name = "FIELD=VALUE", conflicts_with = "create")]
    pub(crate) by: Option<String>,
    /// Value that is written to a field, `name=value`; JSON is parsed, and `null` empties the field.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// Creates the record; refuses if it is there.
    #[arg(long)]
    pub(crate) create: bool,
    /// Writes only if this is the present version.
    #[arg(long, requires = "values", conflicts_with = "create")]
    pub(crate) if_match: Option<u64>,
    /// Lists its changes, newest first: which fields, from what to what, when, and by whom or what.
    #[arg(long, conflicts_with_all = ["values", "create"])]
    pub(crate) history: bool,
    /// Most changes; 20 if absent, or all with --json.
    #[arg(long, requires = "history")]
    pub(crate) limit: Option<usize>,
    /// Cursor of changes, as the previous page returned it.
    #[arg(long, requires = "history")]
    pub(crate) cursor: Option<String>,
}

/// Which operations are listed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Operations {
    /// Prints only their ids, for other commands.
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// A filter of executions.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Filter {
    /// Of this workflow.
    #[arg(long)]
    pub(crate) workflow: Option<String>,
    /// In one of these states: queued, running, waiting, paused, completed, canceled, failed.
    #[arg(long, value_delimiter = ',')]
    pub(crate) status: Vec<String>,
    /// On this record, `<object>/<id>`.
    #[arg(long)]
    pub(crate) record: Option<String>,
    /// At this step.
    #[arg(long)]
    pub(crate) step: Option<String>,
    /// With a failure of this code.
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// With this indicator: `throttled`, `stalled`, `killed`, `has_failures`, `over_budget`.
    #[arg(long)]
    pub(crate) indicator: Option<String>,
    /// With this outcome: `reached`, `not_reached`, `unknown`.
    #[arg(long)]
    pub(crate) outcome: Option<String>,
    /// Created at this time or later: `1h` (ago), `2026-11-01`, `2026-11-21T08:00:00Z`.
    #[arg(long, value_parser = crate::when::since)]
    pub(crate) since: Option<Timestamp>,
    /// Created before this time, in the same formats.
    #[arg(long, value_parser = crate::when::since)]
    pub(crate) until: Option<Timestamp>,
    /// Created longer ago than this, such as `2h` or `7d`.
    #[arg(long, value_parser = crate::when::since, value_name = "AGE")]
    pub(crate) older_than: Option<Timestamp>,
}

impl Filter {
    /// Its keys as the API names them.
    pub(crate) fn keys(&self) -> Vec<(&'static str, String)> {
        let status = Some(self.status.join(",")).filter(|status| !status.is_empty());
        let until = [self.until, self.older_than].into_iter().flatten().min();
        let keys = [
            ("workflow", self.workflow.clone()),
            ("status", status),
            ("record", self.record.clone()),
            ("step", self.step.clone()),
            ("code", self.code.clone()),
            ("indicator", self.indicator.clone()),
            ("outcome", self.outcome.clone()),
            ("since", self.since.map(|at| at.to_string())),
            ("until", until.map(|at| at.to_string())),
        ];
        keys.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Which executions are listed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Executions {
    /// Prints executions as they begin or change their state, until interrupted; looks at the newest 1,000, or at `--limit`.
    #[arg(long, short = 'f', conflicts_with = "cursor")]
    pub(crate) follow: bool,
    /// Prints only their ids, for other commands.
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// A page of a listing.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Page {
    /// Most entries; 20 if absent, or all with --json.
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// Cursor, as the previous page returned it.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

/// An operation, and what is done to it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Operation {
    /// Operation, as the answer named it.
    #[arg(value_name = "OPERATION")]
    pub(crate) id: String,
    /// What is done to it, if it is an action.
    #[arg(value_enum)]
    pub(crate) handling: Option<Handling>,
    /// Waits for the end.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Lists what the action could not act on, with the reasons.
    #[arg(long)]
    pub(crate) results: bool,
}

/// What is done to an action on many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Handling {
    /// Runs one that was previewed.
    Run,
    /// Pauses it.
    Pause,
    /// Continues one that was paused, or that failed.
    Resume,
    /// Cancels it; what it did stays.
    Cancel,
}

impl Handling {
    /// As the API names it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}
