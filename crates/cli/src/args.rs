//! The command line.

mod activities;
mod interaction;
mod listings;
mod look;
mod rows;
mod single;

use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pawl_runtime::DefaultRetention;

use crate::variables::Variables;
pub(crate) use activities::{Activities, ActivitiesOf, CreateActivity};
pub(crate) use interaction::Interaction;
pub(crate) use listings::{Executions, Filter, Operation, Operations, Page, Record, Records};
pub(crate) use look::{Look, WorkflowsOf};
pub(crate) use rows::{Export, Import, RecordsOf};
pub(crate) use single::{Anew, Fork, Replay, Rerun, Step};

/// Write, check, test and run agentic workflows.
#[derive(Debug, Parser)]
#[command(name = "pawl", version, about, disable_help_subcommand = true)]
pub(crate) struct Args {
    /// Address of the installation, for the commands that call one.
    #[arg(long, global = true, env = "PAWL_ENDPOINT", default_value = "http://127.0.0.1:7420")]
    pub(crate) endpoint: String,
    /// Bearer token for the installation.
    #[arg(long, global = true, env = "PAWL_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// How to authorize requests: `sigv4`, `token` or `none`. Default: the token if there is one, else `sigv4` on API Gateway.
    #[arg(long, global = true, env = "PAWL_AUTH", value_enum, hide_possible_values = true)]
    pub(crate) auth: Option<AuthMode>,
    /// Prints JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log filter, such as `info` or `pawl_runtime=debug`.
    #[arg(long, global = true, env = "PAWL_LOG")]
    pub(crate) log: Option<String>,
    /// Logs one JSON object a line, with the same field names in all components.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Reads the command line of this process. `pawl dev` also reads variables from a file, which can hold its options.
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
    /// By a signature with AWS credentials, as API Gateway requires with IAM authorization.
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
        /// Folder to run instead of the bundled example.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Writes a small project: a workflow, its object, test cases, editor settings.
    Init {
        /// Folder; created if absent. No existing file is overwritten.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Runs the whole system in one process on loopback: API, webhooks, workers. Reloads files on save.
    Dev(Dev),
    /// Finds all problems in files, and compares workflows with the launch checklist.
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
    /// Prints the JSON Schema for editors, which completes keys and marks mistakes.
    Schema {
        /// Kind of file.
        #[arg(value_enum, default_value = "workflow")]
        kind: Kind,
    },
    /// Explains an error code or refusal code: its meaning, and what to do.
    Explain {
        /// Code, such as `signature_mismatch`.
        code: String,
    },
    /// Draws a workflow as a Mermaid flowchart.
    Graph {
        /// A `*.workflow.yaml` file.
        file: PathBuf,
    },
    /// Tells in plain sentences what a workflow does, when it starts and what it may reach.
    Describe {
        /// A `*.workflow.yaml` file, or the id of a workflow of the installation.
        workflow: String,
    },
    /// Prints shell completions for commands and options.
    Completions {
        /// Shell.
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
    /// `*.group.yaml`.
    Group,
    /// `*.calendar.yaml`.
    Calendar,
    /// `*.people.yaml`.
    People,
    /// `*.activity.yaml`.
    Activity,
    /// `*.cases.yaml`.
    Cases,
}

/// Options of the embedded system.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Dev {
    /// Folder of workflows, objects and other definitions; loaded at the start and on every save.
    pub(crate) dir: Option<PathBuf>,
    /// Data folder; if absent, `.pawl` in DIR.
    #[arg(long, env = "PAWL_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Port on loopback; 0 takes a free port.
    #[arg(long, env = "PAWL_PORT", default_value_t = 7420)]
    pub(crate) port: u16,
    /// Private addresses that HTTP steps may reach: `localhost,10.1.0.0/16,host:port`.
    #[arg(long, env = "PAWL_HTTP_ALLOW", default_value = "")]
    pub(crate) allow: String,
    /// Most ready steps that one job executes after its first step.
    #[arg(long, default_value_t = 50)]
    pub(crate) max_steps_per_invocation: usize,
    /// Seconds that outside calls have to end after a stop signal; after that Pawl aborts them.
    #[arg(long, env = "PAWL_GRACE_S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(..=3_600))]
    pub(crate) grace: u64,
    /// Most messages that may wait; beyond that, deliveries and starts are answered 429.
    #[arg(long, env = "PAWL_BACKLOG", default_value_t = 50_000)]
    pub(crate) backlog: usize,
    /// Most MiB of waiting messages.
    #[arg(long, env = "PAWL_BACKLOG_MIB", default_value_t = 512)]
    pub(crate) backlog_mib: usize,
    /// How long ended executions are kept, such as `90d`, of workflows without `retention`; if absent, for ever.
    #[arg(long, env = "PAWL_RETENTION", default_value = "")]
    pub(crate) retention: DefaultRetention,
    /// File of variables, one `NAME=value` a line; if absent, `.env` in DIR. The environment overrides the file.
    #[arg(long)]
    pub(crate) env_file: Option<PathBuf>,
    #[arg(skip)]
    pub(crate) variables: Variables,
}

/// Commands that talk to an installation.
#[derive(Debug, Subcommand)]
pub(crate) enum Remote {
    /// Saves workflows, objects, groups, calendars, people and types of activities.
    Apply {
        /// Files or folders.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Saves only if this is the present revision.
        #[arg(long)]
        if_match: Option<u64>,
    },
    /// Starts a workflow, on one record or on many.
    Start(Start),
    /// Sends a signal to the execution that waits for it; if none does, the signal is kept for 72 hours.
    Signal {
        /// Name of the signal.
        name: String,
        /// Key: whose signal.
        #[arg(long)]
        key: String,
        /// Payload, as JSON.
        #[arg(long, default_value = "null")]
        payload: String,
        /// Sends at most once for this key.
        #[arg(long)]
        idempotency_key: Option<String>,
    },
    /// Tells the installation of an event: each workflow starts that has a trigger `event` whose pattern matches.
    Event {
        /// File with the event as JSON, with the keys of EventBridge (`source`, `detail-type`, `detail`); `-` is the input.
        file: PathBuf,
        /// Tells it at most once for this key, if it has no id.
        #[arg(long)]
        idempotency_key: Option<String>,
    },
    /// Tells the installation what a person did: each workflow on its record starts whose trigger `interaction` fits.
    Interaction(Interaction),
    /// Tells the installation what became of messages: each workflow starts that has a trigger `email` for it, on the record with the
    /// address.
    MailEvents {
        /// File with an event or a list of up to 100 as JSON (`id`, `event`, `to`, `message_id`); `-` is the input.
        file: PathBuf,
    },
    /// Sends a webhook to the installation, signed as its trigger requires, with the secret from `PAWL_SECRET_…`.
    Deliver(Deliver),
    /// Enables a workflow's triggers.
    Activate {
        /// Workflow.
        workflow: String,
    },
    /// Disables a workflow's triggers.
    Deactivate {
        /// Workflow.
        workflow: String,
    },
    /// Closes the breaker of a workflow; does not change whether the workflow is active.
    CloseBreaker {
        /// Workflow.
        workflow: String,
    },
    #[command(flatten)]
    Look(Look),
    /// Pauses an execution before its next step.
    Pause(Act),
    /// Continues a paused execution, or those of a filter.
    Resume(Targets),
    /// Ends an execution, or those of a filter.
    Cancel(Targets),
    /// Retries the failed step of a paused execution, or of those of a filter.
    Retry(Targets),
    /// Skips the failed step of a paused execution, or of those of a filter, and continues behind it.
    Skip {
        #[command(flatten)]
        targets: Targets,
        /// Path to take from a skipped condition or goal.
        #[arg(long, value_parser = ["yes", "no"])]
        take: Option<String>,
    },
    /// Carries out the step that an execution stopped before (`start --debug`), and stops before the next one.
    Step(Step),
    /// Begins a new execution from the state that an execution had before a step. Calls before the step are not made again, and
    /// the execution itself is not changed.
    Fork(Fork),
    /// Begins a new execution from the event of an execution.
    Rerun(Rerun),
    /// Begins an execution from an event that was refused; its trigger decides anew, and no limit holds it back.
    Replay(Replay),
    /// Stops an execution, a workflow or everything at once, and keeps the state.
    Kill(Kill),
    /// Lifts a kill.
    Lift(Kill),
    /// Puts a record into the archive: listings and searches do not find it any more, and its changes start nothing.
    Archive(Archive),
    /// Takes a record out of the archive.
    Unarchive(Archive),
    /// Forgets a record: takes its values out of it and of the executions that read it; refuses while executions on it are open.
    Forget(Forget),
    /// Delivers dead letters again, and wakes stalled executions; with a filter, wakes those stalled executions alone.
    Redrive {
        /// Reason; logged.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        pace: Pace,
    },
}

impl Remote {
    /// The execution that the command is about; its id may be a prefix.
    pub(crate) fn execution_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Look(Look::Show { execution, .. }) => Some(execution),
            Self::Pause(act) => Some(&mut act.execution),
            Self::Resume(targets) | Self::Cancel(targets) | Self::Retry(targets) | Self::Skip { targets, .. } => {
                targets.execution.as_mut()
            }
            Self::Step(step) => Some(&mut step.execution),
            Self::Fork(fork) => Some(&mut fork.again.execution),
            Self::Rerun(again) => Some(&mut again.execution),
            Self::Kill(kill) | Self::Lift(kill) => kill.scope.execution.as_mut(),
            _ => None,
        }
    }
}

/// A record that goes into the archive, or comes back.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Archive {
    /// Record, `<object>/<id>`.
    pub(crate) record: String,
}

/// A record to forget.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Forget {
    /// Record, `<object>/<id>`.
    pub(crate) record: String,
    /// Cancels open executions on the record first.
    #[arg(long)]
    pub(crate) cancel: bool,
    /// Looks through the executions of all workflows, also of those whose present revision cannot reach the record.
    #[arg(long)]
    pub(crate) everywhere: bool,
    /// Reason; recorded in the audit.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// One execution, or those of a filter.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Targets {
    /// Execution; a prefix of its id is enough if only one of the newest 20,000 executions has it. If absent, a filter.
    pub(crate) execution: Option<String>,
    /// Reason; kept in the history, and for a filter in the audit.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// How a tracked action on many goes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "For many at once")]
pub(crate) struct Pace {
    /// Only says how many there are and which would be refused.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Does not ask after the preview.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    /// Most a second, on average; 50 if absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rate: Option<u32>,
    /// Most at a time; 8 if absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) concurrency: Option<u32>,
    /// Does not wait for the end.
    #[arg(long)]
    pub(crate) detach: bool,
}

/// A start, or many.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Start {
    /// Workflow.
    pub(crate) workflow: String,
    /// Record to run on, `<object>/<id>`.
    #[arg(long, conflicts_with_all = ["where", "group", "records"])]
    pub(crate) record: Option<String>,
    /// Runs on each record for which this CEL expression over `record` is true.
    #[arg(long, value_name = "CEL", conflicts_with_all = ["group", "records"])]
    pub(crate) r#where: Option<String>,
    /// Runs on each record of this group.
    #[arg(long, value_name = "ID", conflicts_with = "records")]
    pub(crate) group: Option<String>,
    /// Runs on each record of this file: one id a line, at most 10,000; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) records: Option<PathBuf>,
    /// Value of a variable, `name=value`; JSON is parsed.
    #[arg(long = "value", short = 'v')]
    pub(crate) values: Vec<String>,
    /// Stops before each step and shows its input; `pawl step` goes on.
    #[arg(long, conflicts_with_all = ["where", "group", "records"])]
    pub(crate) debug: bool,
    /// Starts at most once for this key.
    #[arg(long, conflicts_with_all = ["where", "group", "records"])]
    pub(crate) idempotency_key: Option<String>,
    /// Reason; kept in the audit, for many at once.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// A webhook to send.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Deliver {
    /// Workflow.
    pub(crate) workflow: String,
    /// Webhook trigger, of the workflow or of a goal; if absent, the workflow's only webhook.
    pub(crate) trigger: Option<String>,
    /// File that holds the body; `-` is standard input.
    #[arg(long)]
    pub(crate) body: Option<PathBuf>,
    /// Additional header, `name: value`; the body is JSON unless `content-type` says otherwise.
    #[arg(long = "header", short = 'H')]
    pub(crate) headers: Vec<String>,
    /// Query parameter, `name=value`.
    #[arg(long = "query", short = 'q')]
    pub(crate) query: Vec<String>,
    /// File of variables that may hold the secret, as for `pawl dev`. The environment overrides the file.
    #[arg(long)]
    pub(crate) env_file: Option<PathBuf>,
}

/// A control of one execution.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Act {
    /// Execution. A prefix of its id is enough if only one of the newest 20,000 executions has it.
    pub(crate) execution: String,
    /// Reason; kept in history.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// What a kill stops.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "scope", required = true, multiple = false)]
pub(crate) struct KillScope {
    /// One execution. A prefix of its id is enough if only one of the newest 20,000 executions has it.
    #[arg(long)]
    pub(crate) execution: Option<String>,
    /// One workflow.
    #[arg(long)]
    pub(crate) workflow: Option<String>,
    /// The whole installation.
    #[arg(long)]
    pub(crate) all: bool,
}

/// A kill, or the lift of one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Kill {
    #[command(flatten)]
    pub(crate) scope: KillScope,
    /// Reason; kept in the history or the audit log.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}
