//! The command line.

use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::Timestamp;

use crate::variables::Variables;

/// Write, check, test and run agentic workflows.
#[derive(Debug, Parser)]
#[command(name = "pawl", version, about, disable_help_subcommand = true)]
pub(crate) struct Args {
    /// Where the installation listens, for the commands that talk to one.
    #[arg(long, global = true, env = "PAWL_ENDPOINT", default_value = "http://127.0.0.1:7420")]
    pub(crate) endpoint: String,
    /// Bearer token for the installation.
    #[arg(long, global = true, env = "PAWL_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// How requests are authorized, `sigv4`, `token` or `none`; if absent, by the token, or on API Gateway by `sigv4`.
    #[arg(long, global = true, env = "PAWL_AUTH", value_enum, hide_possible_values = true)]
    pub(crate) auth: Option<AuthMode>,
    /// Prints JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log filter, such as `info` or `pawl_runtime=debug`.
    #[arg(long, global = true, env = "PAWL_LOG")]
    pub(crate) log: Option<String>,
    /// Logs JSON lines with the field names that every part uses.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// The command line of this process. `pawl dev` has variables from a file besides, and its options may stand there.
    pub(crate) fn of_process() -> anyhow::Result<Self> {
        let args = Self::parse();
        let Command::Dev(dev) = &args.command else { return Ok(args) };
        let variables = Variables::of(dev.dir.as_deref(), dev.env_file.as_deref())?;
        let with_file = variables.as_defaults(Self::command());
        let mut args = Self::from_arg_matches(&with_file.get_matches())?;
        if let Command::Dev(dev) = &mut args.command {
            dev.variables = variables;
        }
        Ok(args)
    }
}

/// How a request proves who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthMode {
    /// By a signature with AWS credentials, as API Gateway asks for with IAM authorization.
    #[value(name = "sigv4")]
    SigV4,
    /// By the bearer token.
    Token,
    /// Not at all.
    None,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a bundled example end to end and shows each step as it happens.
    Demo {
        /// A folder to run in place of the bundled example.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Writes a small project to begin with: a workflow, its object, test cases, settings of editors.
    Init {
        /// The folder, which is made if it is not there. No file in it is overwritten.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Runs the whole system in one process on loopback: API, webhooks, workers; reloads on save.
    Dev(Dev),
    /// Finds every problem in files, and holds workflows against the launch checklist.
    Check {
        /// `*.workflow.yaml`, `*.object.yaml` and `*.cases.yaml` files, or folders.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// How problems are printed.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Runs test cases on the real engine with virtual time.
    Test {
        /// `*.cases.yaml` files, or folders.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Prints the JSON Schema by which an editor completes and underlines.
    Schema {
        /// Of which kind of file.
        #[arg(value_enum, default_value = "workflow")]
        kind: Kind,
    },
    /// Explains the code of an error or of a refusal: what it means and what to do.
    Explain {
        /// Code, such as `signature_mismatch`.
        code: String,
    },
    /// Draws a workflow as a Mermaid flowchart.
    Graph {
        /// A `*.workflow.yaml` file.
        file: PathBuf,
    },
    /// Prints what completes commands and options in a shell.
    Completions {
        /// For which shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    #[command(flatten)]
    Remote(Remote),
}

/// How problems are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// `*.workflow.yaml`.
    Workflow,
    /// `*.object.yaml`.
    Object,
    /// `*.cases.yaml`.
    Cases,
}

/// Options of the embedded system.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Dev {
    /// The folder of workflows and objects; loaded, and loaded again on save.
    pub(crate) dir: Option<PathBuf>,
    /// Where data is kept; a folder of its own inside DIR if absent.
    #[arg(long, env = "PAWL_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Port on loopback; 0 takes a free one.
    #[arg(long, env = "PAWL_PORT", default_value_t = 7420)]
    pub(crate) port: u16,
    /// Addresses that HTTP steps may reach although they are private: `localhost,10.1.0.0/16,host:port`.
    #[arg(long, env = "PAWL_HTTP_ALLOW", default_value = "")]
    pub(crate) allow: String,
    /// Ready steps that one job carries out after the first.
    #[arg(long, default_value_t = 50)]
    pub(crate) max_steps_per_invocation: usize,
    /// Seconds that what is in progress has to end once the process is told to; outside calls are cut off after it.
    #[arg(long, env = "PAWL_GRACE_S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(..=3_600))]
    pub(crate) grace: u64,
    /// Messages that may wait to be handled; deliveries and starts are answered 429 beyond.
    #[arg(long, env = "PAWL_BACKLOG", default_value_t = 50_000)]
    pub(crate) backlog: usize,
    /// MiB that those messages may have.
    #[arg(long, env = "PAWL_BACKLOG_MIB", default_value_t = 512)]
    pub(crate) backlog_mib: usize,
    /// File of variables, `NAME=value` a line; `.env` in DIR if it is there. The environment wins.
    #[arg(long)]
    pub(crate) env_file: Option<PathBuf>,
    #[arg(skip)]
    pub(crate) variables: Variables,
}

/// Commands that talk to an installation.
#[derive(Debug, Subcommand)]
pub(crate) enum Remote {
    /// Saves workflows and objects.
    Apply {
        /// Files or folders.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Saves only over this revision.
        #[arg(long)]
        if_match: Option<u64>,
    },
    /// Starts a workflow.
    Start {
        /// Workflow.
        workflow: String,
        /// Record to run on, `<object>/<id>`.
        #[arg(long)]
        record: Option<String>,
        /// Values of variables, `name=value`; JSON is read as such.
        #[arg(long = "value", short = 'v')]
        values: Vec<String>,
        /// Starts at most once for this key.
        #[arg(long)]
        idempotency_key: Option<String>,
    },
    /// Sends a webhook to the installation, signed as its trigger demands, with the secret from `PAWL_SECRET_…`.
    Deliver(Deliver),
    /// Lists workflows, all of them unless a limit is given.
    Workflows {
        /// At most so many.
        #[arg(long)]
        limit: Option<usize>,
    },
    /// Lets a workflow's triggers listen.
    Activate {
        /// Workflow.
        workflow: String,
    },
    /// Stops a workflow's triggers from listening.
    Deactivate {
        /// Workflow.
        workflow: String,
    },
    /// Closes the breaker of a workflow, which stays active or inactive as it is.
    CloseBreaker {
        /// Workflow.
        workflow: String,
    },
    /// Lists executions, newest first.
    Executions(Executions),
    /// Shows an execution with its history: when each step was committed, and how long each attempt took.
    Show {
        /// Execution; the first letters of its id are enough, if among the newest 20,000 executions it is the only one.
        execution: String,
    },
    /// Shows what started nothing, and why.
    Refusals {
        /// Workflow.
        workflow: String,
        #[command(flatten)]
        page: Page,
    },
    /// Holds an execution before its next step.
    Pause(Act),
    /// Lets a paused execution go on.
    Resume(Act),
    /// Ends an execution.
    Cancel(Act),
    /// Tries the failed step of a paused execution again.
    Retry(Act),
    /// Goes on as if the failed step were done.
    Skip {
        #[command(flatten)]
        act: Act,
        /// Path of a skipped condition or goal.
        #[arg(long, value_parser = ["yes", "no"])]
        take: Option<String>,
    },
    /// Stops an execution, a workflow or everything at once; state is kept.
    Kill(Kill),
    /// Lifts a kill.
    Lift(Kill),
    /// Asks whether the installation is in service; exit code 1 if it says that it is not.
    Health,
    /// Sends what was given up on its way again: dead letters and stalled executions.
    Redrive {
        /// Why; logged.
        #[arg(long)]
        reason: Option<String>,
    },
}

impl Remote {
    /// The execution that it is about, which may be written by the first letters of its id.
    pub(crate) fn execution_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Show { execution } => Some(execution),
            Self::Pause(act) | Self::Resume(act) | Self::Cancel(act) | Self::Retry(act) | Self::Skip { act, .. } => {
                Some(&mut act.execution)
            }
            Self::Kill(kill) | Self::Lift(kill) => kill.scope.execution.as_mut(),
            _ => None,
        }
    }
}

/// Which executions are listed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Executions {
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
    /// Made at this time or later: `1h` (ago), `2026-11-01`, `2026-11-21T08:00:00Z`.
    #[arg(long, value_parser = crate::when::since)]
    pub(crate) since: Option<Timestamp>,
    /// Made before this time, written in the same ways.
    #[arg(long, value_parser = crate::when::since)]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// A webhook to send.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Deliver {
    /// Workflow.
    pub(crate) workflow: String,
    /// Trigger, also one that a goal waits for; the only webhook of the workflow if absent.
    pub(crate) trigger: Option<String>,
    /// File that holds the body; `-` is standard input.
    #[arg(long)]
    pub(crate) body: Option<PathBuf>,
    /// A header more, `name: value`; the body is JSON unless `content-type` says something else.
    #[arg(long = "header", short = 'H')]
    pub(crate) headers: Vec<String>,
    /// A parameter of the query, `name=value`.
    #[arg(long = "query", short = 'q')]
    pub(crate) query: Vec<String>,
    /// File in which the secret may stand, as for `pawl dev`. The environment wins.
    #[arg(long)]
    pub(crate) env_file: Option<PathBuf>,
}

/// A page of a listing.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Page {
    /// How many; 20 if absent, and with --json all.
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// Where the page before ended.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

/// A control of one execution.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Act {
    /// Execution; the first letters of its id are enough, if among the newest 20,000 executions it is the only one.
    pub(crate) execution: String,
    /// Why; kept in history.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// What a kill is of.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "scope", required = true, multiple = false)]
pub(crate) struct KillScope {
    /// One execution; the first letters of its id are enough, if among the newest 20,000 it is the only one.
    #[arg(long)]
    pub(crate) execution: Option<String>,
    /// One workflow.
    #[arg(long)]
    pub(crate) workflow: Option<String>,
    /// The whole installation.
    #[arg(long)]
    pub(crate) all: bool,
}

/// A kill or its end.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Kill {
    #[command(flatten)]
    pub(crate) scope: KillScope,
    /// Why; kept.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}
