//! What commands on activities are given.

use clap::Subcommand;

use super::Page;

/// Which activities are listed.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "listed_activities")]
pub(crate) struct Activities {
    /// Only those about this record, `<object>/<id>`.
    #[arg(long)]
    pub(crate) record: Option<String>,
    /// Only those of this member.
    #[arg(long)]
    pub(crate) assignee: Option<String>,
    /// Only those of this type.
    #[arg(long = "type", value_name = "ACTIVITY")]
    pub(crate) activity: Option<String>,
    /// Only those in this state.
    #[arg(long, value_parser = ["open", "logged", "canceled"])]
    pub(crate) status: Option<String>,
    /// Prints only their ids.
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// What is done with an activity.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ActivitiesOf {
    /// Shows an activity.
    Show {
        /// Activity.
        id: String,
    },
    /// Makes an activity that somebody has to do, or that is done already.
    Create(CreateActivity),
    /// Logs an open activity: it is done.
    Log {
        /// Activity.
        id: String,
        /// Note for people, in place of the present one.
        #[arg(long)]
        note: Option<String>,
        /// Value of a field, `name=value`; JSON is parsed.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Moves the time at which an open activity is due.
    Reschedule {
        /// Activity.
        id: String,
        /// A date, a date and time, or a length of time from now such as `2d`; absent: it is never due.
        #[arg(long)]
        due: Option<String>,
    },
    /// Cancels an open activity: it is not to be done any more.
    Cancel {
        /// Activity.
        id: String,
        /// Note for people, in place of the present one.
        #[arg(long)]
        note: Option<String>,
    },
}

/// An activity to make.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CreateActivity {
    /// Type of the activity.
    pub(crate) activity: String,
    /// Record that it is about, `<object>/<id>`; may be given several times.
    #[arg(long, required = true)]
    pub(crate) record: Vec<String>,
    /// When it is due: a date, a date and time, or a length of time such as `2d`.
    #[arg(long)]
    pub(crate) due: Option<String>,
    /// Member who has to do it, or did it.
    #[arg(long)]
    pub(crate) assignee: Option<String>,
    /// Note for people.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// Value of a field, `name=value`; JSON is parsed.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// It is done already.
    #[arg(long)]
    pub(crate) logged: bool,
}
