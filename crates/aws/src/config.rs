//! What a function is told by its environment, read once, with everything that is missing in one error.

use std::collections::{BTreeMap, BTreeSet};

use pawl_runtime::ports::{QueueName, Table};

use crate::sdk::{ENDPOINT_URL, Place};

/// Stable code of [`ConfigurationMissing`]; see `docs/errors/configuration_missing.md`.
pub const CODE: &str = "configuration_missing";

/// Variables that a function needs and does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{CODE}: expected a value for {}", .0.iter().copied().collect::<Vec<_>>().join(", "))]
pub struct ConfigurationMissing(pub BTreeSet<&'static str>);

/// Reads what a function needs. The second argument asks for it; if anything is missing, all of it is reported.
///
/// ```
/// use pawl_aws::config;
/// use pawl_runtime::ports::{QueueName, Table};
///
/// let variables = [("PAWL_BLOBS_BUCKET".to_owned(), "blobs".to_owned())];
/// let read = config::read(variables, |variables| {
///     (variables.tables(&[Table::Records]), variables.queues(&[QueueName::Jobs]), variables.blobs_bucket())
/// });
/// let missing = "configuration_missing: expected a value for PAWL_JOBS_QUEUE_URL, PAWL_RECORDS_TABLE";
/// assert_eq!(read.unwrap_err().to_string(), missing);
/// ```
pub fn read<T>(
    variables: impl IntoIterator<Item = (String, String)>,
    ask: impl FnOnce(&mut Variables) -> T,
) -> Result<T, ConfigurationMissing> {
    let mut variables = Variables { values: variables.into_iter().collect(), missing: BTreeSet::new() };
    let answer = ask(&mut variables);
    if variables.missing.is_empty() { Ok(answer) } else { Err(ConfigurationMissing(variables.missing)) }
}

/// The variables of a function's environment. What is asked for and missing is noted, and reads as an empty text.
pub struct Variables {
    values: BTreeMap<String, String>,
    missing: BTreeSet<&'static str>,
}

impl Variables {
    /// A variable that must be there and not be empty.
    pub fn required(&mut self, name: &'static str) -> String {
        if let Some(value) = self.optional(name) {
            return value.to_owned();
        }
        self.missing.insert(name);
        String::new()
    }

    /// A variable that may be absent; an empty one counts as absent.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All that begin so, for connectors that read a family of variables.
    pub fn family(&self, prefix: &str) -> BTreeMap<String, String> {
        let members = self.values.iter().filter(|(name, _)| name.starts_with(prefix));
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Where the function is. Lambda sets the region; the rest are the SDKs' usual variables.
    pub fn place(&mut self) -> Place {
        let is_on =
            |variables: &Self, name| variables.optional(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Place {
            region: self.required("AWS_REGION"),
            endpoint: self.optional(ENDPOINT_URL).map(str::to_owned),
            endpoints: self.family(&format!("{ENDPOINT_URL}_")),
            fips: is_on(self, "AWS_USE_FIPS_ENDPOINT"),
            dual_stack: is_on(self, "AWS_USE_DUALSTACK_ENDPOINT"),
        }
    }

    /// The names of these tables.
    pub fn tables(&mut self, tables: &[Table]) -> TableNames {
        TableNames(tables.iter().map(|table| (*table, self.required(table_variable(*table)))).collect())
    }

    /// The URLs of these queues.
    pub fn queues(&mut self, queues: &[QueueName]) -> QueueUrls {
        QueueUrls(queues.iter().map(|queue| (*queue, self.required(queue_variables(*queue).url))).collect())
    }

    /// The URLs of the dead-letter queues of these queues.
    pub fn dead_letter_queues(&mut self, queues: &[QueueName]) -> QueueUrls {
        QueueUrls(queues.iter().map(|queue| (*queue, self.required(queue_variables(*queue).dead_letters))).collect())
    }

    /// Where timers are kept, and how they reach these queues.
    pub fn timers(&mut self, queues: &[QueueName]) -> TimerTargets {
        TimerTargets {
            group: self.required("PAWL_SCHEDULE_GROUP"),
            role_arn: self.required("PAWL_SCHEDULE_ROLE_ARN"),
            undelivered_arn: self.required("PAWL_UNDELIVERED_QUEUE_ARN"),
            queue_arns: queues.iter().map(|queue| (*queue, self.required(queue_variables(*queue).arn))).collect(),
        }
    }

    /// The bucket of blobs.
    pub fn blobs_bucket(&mut self) -> String {
        self.required("PAWL_BLOBS_BUCKET")
    }

    /// What the names of Pawl's secrets begin with in Secrets Manager.
    pub fn secrets_prefix(&mut self) -> String {
        self.required("PAWL_SECRETS_PREFIX")
    }
}

/// Names of tables in `DynamoDB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames(pub BTreeMap<Table, String>);

/// URLs of queues in SQS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls(pub BTreeMap<QueueName, String>);

/// Where timers are kept, and how they reach their queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerTargets {
    /// Schedule group; all of its own, so that an installation's timers can be found and removed together.
    pub group: String,
    /// Role by which Scheduler sends to the queues.
    pub role_arn: String,
    /// The queue of what could not be sent to those.
    pub undelivered_arn: String,
    /// The queues.
    pub queue_arns: BTreeMap<QueueName, String>,
}

fn table_variable(table: Table) -> &'static str {
    match table {
        Table::Workflows => "PAWL_WORKFLOWS_TABLE",
        Table::Executions => "PAWL_EXECUTIONS_TABLE",
        Table::Records => "PAWL_RECORDS_TABLE",
        Table::Keys => "PAWL_KEYS_TABLE",
    }
}

struct QueueVariables {
    url: &'static str,
    arn: &'static str,
    dead_letters: &'static str,
}

fn queue_variables(queue: QueueName) -> QueueVariables {
    match queue {
        QueueName::Events => QueueVariables {
            url: "PAWL_EVENTS_QUEUE_URL",
            arn: "PAWL_EVENTS_QUEUE_ARN",
            dead_letters: "PAWL_EVENTS_DLQ_URL",
        },
        QueueName::Jobs => {
            QueueVariables { url: "PAWL_JOBS_QUEUE_URL", arn: "PAWL_JOBS_QUEUE_ARN", dead_letters: "PAWL_JOBS_DLQ_URL" }
        }
        QueueName::JobsHigh => QueueVariables {
            url: "PAWL_JOBS_HIGH_QUEUE_URL",
            arn: "PAWL_JOBS_HIGH_QUEUE_ARN",
            dead_letters: "PAWL_JOBS_HIGH_DLQ_URL",
        },
        QueueName::JobsSlow => QueueVariables {
            url: "PAWL_JOBS_SLOW_QUEUE_URL",
            arn: "PAWL_JOBS_SLOW_QUEUE_ARN",
            dead_letters: "PAWL_JOBS_SLOW_DLQ_URL",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn everything_that_is_missing_is_reported_at_once() {
        let present = variables(&[("PAWL_RECORDS_TABLE", "records"), ("PAWL_SECRETS_PREFIX", "")]);
        let read = read(present, |variables| {
            (
                variables.tables(&[Table::Workflows, Table::Records]),
                variables.timers(&[QueueName::JobsHigh]),
                variables.secrets_prefix(),
            )
        });
        let missing = [
            "PAWL_JOBS_HIGH_QUEUE_ARN",
            "PAWL_SCHEDULE_GROUP",
            "PAWL_SCHEDULE_ROLE_ARN",
            "PAWL_SECRETS_PREFIX",
            "PAWL_UNDELIVERED_QUEUE_ARN",
            "PAWL_WORKFLOWS_TABLE",
        ];
        assert_eq!(read.err(), Some(ConfigurationMissing(missing.into())));
    }

    #[test]
    fn a_function_is_told_where_it_is() {
        let told = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_USE_FIPS_ENDPOINT", "TRUE"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
            ("AWS_ENDPOINT_URL_SQS", "https://queues"),
        ];
        let place = Place {
            region: "eu-central-1".to_owned(),
            endpoint: None,
            endpoints: [("AWS_ENDPOINT_URL_SQS".to_owned(), "https://queues".to_owned())].into(),
            fips: true,
            dual_stack: false,
        };
        assert_eq!(read(variables(&told), Variables::place), Ok(place));
        assert_eq!(read(variables(&[]), Variables::place), Err(ConfigurationMissing(["AWS_REGION"].into())));
    }

    #[test]
    fn what_is_not_asked_for_is_not_missing() {
        let present = variables(&[("PAWL_EVENTS_QUEUE_URL", "https://queue"), ("PAWL_MODEL_URL", "https://model")]);
        let read = read(present, |variables| (variables.queues(&[QueueName::Events]), variables.family("PAWL_MODEL_")));
        let queues = QueueUrls([(QueueName::Events, "https://queue".to_owned())].into());
        let models = [("PAWL_MODEL_URL".to_owned(), "https://model".to_owned())].into();
        assert_eq!(read, Ok((queues, models)));
    }
}
