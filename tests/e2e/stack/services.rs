//! What lies under the installation: tables, queues, schedules, functions and their permissions.

use serde_json::{Value, json};

use super::{Request, Stack};

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
}

impl Service {
    /// Its name in signatures, the prefix of its operations, and the version of its JSON.
    fn protocol(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::DynamoDb => ("dynamodb", "DynamoDB_20120810", "1.0"),
            Self::Sqs => ("sqs", "AmazonSQS", "1.0"),
            Self::StepFunctions => ("states", "AWSStepFunctions", "1.0"),
            Self::SecretsManager => ("secretsmanager", "secretsmanager", "1.1"),
        }
    }
}

impl Stack {
    /// Asks a service, which must answer.
    pub(crate) async fn ask(&self, service: Service, operation: &str, body: Value) -> Value {
        let (name, prefix, version) = service.protocol();
        let headers = vec![
            ("x-amz-target".to_owned(), format!("{prefix}.{operation}")),
            ("content-type".to_owned(), format!("application/x-amz-json-{version}")),
        ];
        let url = format!("{}/", self.endpoint);
        let request = Request { method: "POST", url, headers, body: body.to_string().into_bytes() };
        let answer = self.send_signed(name, request).await;
        assert_eq!(answer.status, 200, "{prefix}.{operation}: {}", answer.body);
        answer.body
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

    /// Invokes a function, and returns what it answers.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/{}-{function}/invocations", self.endpoint, self.name);
        let request = Request { method: "POST", url, headers: Vec::new(), body: event.to_string().into_bytes() };
        let answer = self.send_signed("lambda", request).await;
        assert_eq!(answer.header("x-amz-function-error"), None, "{function}: {}", answer.body);
        answer.body
    }

    /// The physical name of a resource of the template.
    pub(crate) async fn resource(&self, logical: &str) -> String {
        let asked = [("StackName", self.name.clone()), ("LogicalResourceId", logical.to_owned())];
        let answer = self.query("cloudformation", "2010-05-15", "DescribeStackResource", &asked).await;
        let (_, rest) = answer.split_once("<PhysicalResourceId>").unwrap_or_else(|| panic!("{logical}: {answer}"));
        rest.split_once('<').map_or(rest, |(id, _)| id).to_owned()
    }

    /// Gives a role a policy beside its own, or takes it away again.
    pub(crate) async fn set_policy(&self, role: &str, name: &str, policy: Option<&Value>) {
        let operation = if policy.is_some() { "PutRolePolicy" } else { "DeleteRolePolicy" };
        let mut asked = vec![("RoleName", role.to_owned()), ("PolicyName", name.to_owned())];
        asked.extend(policy.map(|policy| ("PolicyDocument", policy.to_string())));
        self.query("iam", "2010-05-08", operation, &asked).await;
    }

    /// Asks a service that is asked by a form and answers in XML.
    async fn query(&self, service: &str, version: &str, operation: &str, asked: &[(&str, String)]) -> String {
        let form = [("Action", operation.to_owned()), ("Version", version.to_owned())];
        let form = form.iter().chain(asked).map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = form.collect::<Vec<_>>().join("&").into_bytes();
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let request = Request { method: "POST", url: format!("{}/", self.endpoint), headers, body };
        let answer = self.send_signed(service, request).await.expect(200);
        answer.as_str().map_or_else(|| answer.to_string(), str::to_owned)
    }
}

fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
