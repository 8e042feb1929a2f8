//! The commands that show what an installation has.

use clap::Subcommand;

use super::{Activities, ActivitiesOf, Executions, Operation, Operations, Page, Record, Records, RecordsOf};

/// Commands that show what an installation has.
#[derive(Debug, Subcommand)]
pub(crate) enum Look {
    /// Lists workflows; all of them unless a limit is given. `workflows show` shows one with its counters.
    #[command(args_conflicts_with_subcommands = true)]
    Workflows {
        /// Most entries.
        #[arg(long)]
        limit: Option<usize>,
        #[command(subcommand)]
        one: Option<WorkflowsOf>,
    },
    /// Lists executions, newest first.
    Executions(Executions),
    /// Shows an execution with its history: when each step was committed, and how long each attempt took.
    Show {
        /// Execution. A prefix of its id is enough if only one of the newest 20,000 executions has it.
        execution: String,
        /// Shows the executions that its steps started in the same way.
        #[arg(long)]
        all: bool,
        /// Prints each step as it happens, until the execution has ended.
        #[arg(long, short = 'f', conflicts_with = "all")]
        follow: bool,
    },
    /// Lists refused starts and rejected deliveries, with the reasons.
    Refusals {
        /// Workflow.
        workflow: String,
        #[command(flatten)]
        page: Page,
    },
    /// Lists objects: the record types.
    Objects,
    /// Lists records of an object, newest first; `records import` and `records export` read and write files.
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Records {
        #[command(flatten)]
        which: Records,
        #[command(subcommand)]
        rows: Option<RecordsOf>,
    },
    /// Shows a record or its history, creates it, or writes some of its fields.
    Record(Record),
    /// Lists activities about records: of a record or a member the open ones first; `activities create`, `log` and `cancel` write.
    #[command(args_conflicts_with_subcommands = true)]
    Activities {
        #[command(flatten)]
        which: Activities,
        #[command(subcommand)]
        one: Option<ActivitiesOf>,
    },
    /// Says why a workflow does not start on a record: what its filters say of the record now, and why starts were refused.
    WhyNot {
        /// Record, `<object>/<id>`.
        record: String,
        /// Workflow.
        workflow: String,
    },
    /// Shows when the schedules of a workflow fire next.
    Schedule {
        /// Workflow.
        workflow: String,
        /// Firings of each trigger, up to 100.
        #[arg(long, short = 'n', default_value_t = 10)]
        firings: usize,
    },
    /// Lists operations, newest first: lifts, redrives, edits, actions on many.
    Operations(Operations),
    /// Shows how far an operation is (a lift, a redrive, an edit, an action on many); runs, pauses, resumes or cancels an action.
    Operation(Operation),
    /// Lists notices to the owners of workflows, newest first.
    Notices(Page),
    /// Lists who used the kill switch, redrove, forgot a record or acted on many, newest first.
    Audit(Page),
    /// Asks whether the installation is in service; exit code 1 if not, 2 if there is no answer.
    Health,
}

/// What is shown of one workflow.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum WorkflowsOf {
    /// Shows a workflow, and what its newest executions came to: by trigger, step and branch.
    Show {
        /// Workflow.
        workflow: String,
        /// Newest executions that are counted, up to 1,000; 200 if absent.
        #[arg(long)]
        executions: Option<usize>,
    },
}
