//! What lies under the installation: tables, queues, schedules, functions and their permissions.

use serde_json::{Value, json};

use super::{Answer, Request, Stack};

/// The emulator's account.
pub(crate) const ACCOUNT: &str = "000000000000";

/// Most events of a log that the emulator gives at once.
const EVENTS_MOST: usize = 10_000;

/// A service that is asked in JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Service {
    /// Tables.
    DynamoDb,
    /// Queues.
    Sqs,
    /// State machines.
    StepFunctions,
    /// Secrets.
    SecretsManager,
    /// Logs.
    Logs,
}

impl Service {
    /// Its name in signatures, the prefix of its operations, and the version of its JSON.
    fn protocol(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::DynamoDb => ("dynamodb", "DynamoDB_20120810", "1.0"),
            Self::Sqs => ("sqs", "AmazonSQS", "1.0"),
            Self::StepFunctions => ("states", "AWSStepFunctions", "1.0"),
            Self::SecretsManager => ("secretsmanager", "secretsmanager", "1.1"),
            Self::Logs => ("logs", "Logs_20140328", "1.1"),
        }
    }
}

impl Stack {
    /// Asks a service, which must do it.
    pub(crate) async fn ask(&self, service: Service, operation: &str, body: Value) -> Value {
        let answer = self.try_to_ask(service, operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.body
    }

    /// Asks a service.
    pub(crate) async fn try_to_ask(&self, service: Service, operation: &str, body: Value) -> Answer {
        let (name, prefix, version) = service.protocol();
        let headers = vec![
            ("x-amz-target".to_owned(), format!("{prefix}.{operation}")),
            ("content-type".to_owned(), format!("application/x-amz-json-{version}")),
        ];
        let url = format!("{}/", self.endpoint);
        let request = Request { method: "POST", url, headers, body: body.to_string().into_bytes() };
        self.send_signed(name, request).await
    }

    /// All items of a table, by the name that the template gives it, as stored.
    pub(crate) async fn items(&self, table: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut from = Value::Null;
        loop {
            let mut scan = json!({"TableName": self.output(&format!("{table}TableName")), "ConsistentRead": true});
            if !from.is_null() {
                scan["ExclusiveStartKey"] = from;
            }
            let page = self.ask(Service::DynamoDb, "Scan", scan).await;
            items.extend(page["Items"].as_array().cloned().unwrap_or_default());
            from = page["LastEvaluatedKey"].clone();
            if from.is_null() {
                return items;
            }
        }
    }

    /// The address of a queue, by the name that the template gives it.
    pub(crate) fn queue(&self, queue: &str) -> &str {
        self.output(&format!("{queue}Url"))
    }

    /// How many messages a queue holds: to be had, being handled and delayed ones.
    pub(crate) async fn messages(&self, queue: &str) -> u64 {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let asked = json!({"QueueUrl": self.queue(queue), "AttributeNames": names});
        let answer = self.ask(Service::Sqs, "GetQueueAttributes", asked).await;
        let count = |name: &str| answer["Attributes"][name].as_str().and_then(|count| count.parse::<u64>().ok());
        names.iter().map(|name| count(name).unwrap_or_else(|| panic!("{queue} says {name}"))).sum()
    }

    /// The names of the schedules of the installation.
    pub(crate) async fn schedules(&self) -> Vec<String> {
        let url =
            format!("{}/schedules?ScheduleGroup={}&MaxResults=100", self.endpoint, self.output("ScheduleGroupName"));
        let listed = self.send_signed("scheduler", Request { method: "GET", url, ..Request::default() }).await;
        let listed = listed.expect(200);
        let schedules = listed["Schedules"].as_array().expect("schedules are listed");
        schedules.iter().filter_map(|schedule| schedule["Name"].as_str()).map(str::to_owned).collect()
    }

    /// Deletes a schedule of the installation, which must be there.
    pub(crate) async fn delete_schedule(&self, name: &str) {
        let url = format!("{}/schedules/{name}?groupName={}", self.endpoint, self.output("ScheduleGroupName"));
        self.send_signed("scheduler", Request { method: "DELETE", url, ..Request::default() }).await.expect(200);
    }

    /// What a function logged, a line each, oldest first; the platform's own lines are among them.
    pub(crate) async fn log(&self, function: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{}-{function}", self.name);
        let time = |event: &Value| event["timestamp"].as_u64().expect("an event has a time");
        let (mut lines, mut since) = (Vec::new(), 0);
        loop {
            let asked = json!({"logGroupName": group, "startTime": since});
            let page = self.ask(Service::Logs, "FilterLogEvents", asked).await;
            let mut events = page["events"].as_array().cloned().expect("a page has events");
            let is_last = events.len() < EVENTS_MOST;
            let last = events.last().map_or(since, time);
            if !is_last {
                // The emulator has no token for what follows, so it is asked for by time; the last moment may have been
                // cut in two, and comes again.
                assert!(last > since, "{group}: more events in one moment than in a page");
                events.retain(|event| time(event) < last);
            }
            lines.extend(events.iter().filter_map(|event| event["message"].as_str()).map(str::to_owned));
            if is_last {
                return lines;
            }
            since = last;
        }
    }

    /// Invokes a function; what it answers, or how it failed.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Value> {
        let url = format!("{}/2015-03-31/functions/{}-{function}/invocations", self.endpoint, self.name);
        let request = Request { method: "POST", url, headers: Vec::new(), body: event.to_string().into_bytes() };
        let answer = self.send_signed("lambda", request).await;
        let has_failed = answer.status != 200 || answer.header("x-amz-function-error").is_some();
        if has_failed { Err(answer.body) } else { Ok(answer.body) }
    }

    /// The physical name of a resource of the template.
    pub(crate) async fn resource(&self, logical: &str) -> String {
        let asked = [("StackName", self.name.clone()), ("LogicalResourceId", logical.to_owned())];
        let answer = self.form("cloudformation", "2010-05-15", "DescribeStackResource", &asked).await.expect(200);
        let answer = answer.as_str().expect("this service answers in XML");
        let (_, rest) = answer.split_once("<PhysicalResourceId>").unwrap_or_else(|| panic!("{logical}: {answer}"));
        rest.split_once('<').map_or(rest, |(id, _)| id).to_owned()
    }

    /// Gives a role a policy beside its own, or takes it away again.
    pub(crate) async fn set_policy(&self, role: &str, name: &str, policy: Option<&Value>) {
        let operation = if policy.is_some() { "PutRolePolicy" } else { "DeleteRolePolicy" };
        let mut asked = vec![("RoleName", role.to_owned()), ("PolicyName", name.to_owned())];
        asked.extend(policy.map(|policy| ("PolicyDocument", policy.to_string())));
        self.form("iam", "2010-05-08", operation, &asked).await.expect(200);
    }

    /// Makes a role for a service, with one policy; its ARN. One of that name may be there.
    pub(crate) async fn make_role(&self, name: &str, service: &str, policy: &Value) -> String {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        });
        let asked = [("RoleName", name.to_owned()), ("AssumeRolePolicyDocument", trust.to_string())];
        let made = self.form("iam", "2010-05-08", "CreateRole", &asked).await;
        assert!(matches!(made.status, 200 | 409), "{name}: {}", made.body);
        self.set_policy(name, name, Some(policy)).await;
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    /// Asks a service that is asked by a form and answers in XML.
    async fn form(&self, service: &str, version: &str, operation: &str, asked: &[(&str, String)]) -> Answer {
        let form = [("Action", operation.to_owned()), ("Version", version.to_owned())];
        let form = form.iter().chain(asked).map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = form.collect::<Vec<_>>().join("&").into_bytes();
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let request = Request { method: "POST", url: format!("{}/", self.endpoint), headers, body };
        self.send_signed(service, request).await
    }
}

fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
