//! What the functions may do on AWS: an action is granted where code needs it, and what code calls is granted.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use crate::cloudformation::{named, one_or_many, resource, texts};
use crate::template::{Function, functions, variables};
use crate::workspace::{read, sources, without_tests};

/// An action, and how the adapters' source calls what needs it.
const CALLED: &[(&str, &[&str])] = &[
    ("dynamodb:GetItem", &[".get_item()"]),
    ("dynamodb:BatchGetItem", &[".batch_get_item()"]),
    ("dynamodb:Query", &[".query()"]),
    // A transaction asks for the actions of its members.
    ("dynamodb:PutItem", &[".put_item()", "Put::builder()"]),
    ("dynamodb:UpdateItem", &[".update_item()", "Update::builder()"]),
    ("dynamodb:DeleteItem", &[".delete_item()", "Delete::builder()"]),
    ("dynamodb:ConditionCheckItem", &["ConditionCheck::builder()"]),
    ("sqs:SendMessage", &[".send_message_batch()", ".send_message()"]),
    ("sqs:ReceiveMessage", &[".receive_message()"]),
    ("sqs:DeleteMessage", &[".delete_message()", ".delete_message_batch()"]),
    ("sqs:ChangeMessageVisibility", &[".change_message_visibility()", ".change_message_visibility_batch()"]),
    ("scheduler:CreateSchedule", &[".create_schedule()"]),
    ("scheduler:UpdateSchedule", &[".update_schedule()"]),
    ("scheduler:DeleteSchedule", &[".delete_schedule()"]),
    // A schedule is given the role by which it sends.
    ("iam:PassRole", &[".role_arn("]),
    ("s3:GetObject", &["bucket.get_object("]),
    ("s3:PutObject", &["bucket.put_object("]),
    ("s3:DeleteObject", &["bucket.delete_object("]),
    // Without it, a missing object cannot be told from a forbidden one; and what is removed is listed.
    ("s3:ListBucket", &["bucket.get_object("]),
    ("secretsmanager:GetSecretValue", &[".get_secret_value()"]),
    // A secret under a key of the customer is decrypted with the rights of the one who reads it.
    ("kms:Decrypt", &[".get_secret_value()"]),
    ("lambda:InvokeFunction", &["(Service::Lambda, "]),
    ("sns:Publish", &["(Service::Sns, "]),
    ("events:PutEvents", &["(Service::Events, "]),
    ("states:StartExecution", &[".start_execution()"]),
    ("states:DescribeExecution", &[".describe_execution()"]),
];

/// Calls that need no action of their own.
const FREE: &[&str] = &["transact_write_items", "clone", "config"];

/// Actions by which Lambda itself works for a function, with its role, by the statement's name.
const BY_LAMBDA: &[(&str, &[&str])] = &[
    ("TakeMessages", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    (
        "TakeChanges",
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
    ),
    ("Undelivered", &["sqs:SendMessage"]),
    ("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"]),
    ("Traces", &["xray:PutTraceSegments", "xray:PutTelemetryRecords"]),
    (
        "Vpc",
        &[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeSubnets",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
    ),
];

/// Where a resource ends in a wildcard, for the reasons that the template gives.
const OPEN_ENDED: &[&str] = &[
    ":schedule/${ScheduleGroup}/*",
    "${Blobs.Arn}/*",
    ":secret:${SecretsPrefix}*",
    // Executions of the state machines that a parameter names.
    ":*",
    ":*,",
];

/// Parameters that name nothing that IAM could guard.
const IS_NO_RESOURCE: &[&str] = &[
    "LogLevel",
    "LongestDelay",
    "UnheardWindow",
    "Retention",
    "Authorizer",
    "HttpAllow",
    "ModelUrl",
    "ModelName",
    "ModelKeySecret",
    "ModelConcurrency",
];

/// What a function names to others, which use it by a role of their own: schedules do.
const NAMED_TO_OTHERS: &[&str] = &["UndeliveredQueue"];

struct Statement {
    name: String,
    actions: Vec<String>,
    resource: &'static Value,
}

/// The statements of a function's policy; those that hold only under a condition are among them.
fn statements(function: &str) -> Vec<Statement> {
    let role = resource(&format!("{function}Role"));
    let written = role["Policies"][0]["PolicyDocument"]["Statement"].as_array();
    let written = written.unwrap_or_else(|| panic!("{function} has no policy"));
    let plain = |statement: &'static Value| statement["Fn::If"].as_array().map_or(statement, |branches| &branches[1]);
    let read = |statement: &'static Value| Statement {
        name: statement["Sid"].as_str().unwrap_or_default().to_owned(),
        actions: one_or_many(&statement["Action"]).into_iter().map(str::to_owned).collect(),
        resource: &statement["Resource"],
    };
    written.iter().map(plain).map(read).collect()
}

/// The adapters' source.
fn adapters() -> String {
    let files = sources().into_iter().filter(|file| file.starts_with("crates/aws/src/"));
    files.map(|file| without_tests(&read(&file)).to_owned()).collect()
}

fn by_lambda(statement: &str) -> &'static [&'static str] {
    BY_LAMBDA.iter().find(|(name, _)| *name == statement).map_or(&[], |(_, actions)| actions)
}

#[test]
fn every_action_has_a_call_that_needs_it() {
    let source = adapters();
    for Function { id, .. } in functions() {
        for Statement { name, actions, .. } in statements(&id) {
            for action in actions.iter().filter(|action| !by_lambda(&name).contains(&action.as_str())) {
                let calls = CALLED.iter().find(|(called, _)| called == action).map(|(_, calls)| *calls);
                let calls = calls.unwrap_or_else(|| panic!("{id} may {action} ({name}), and no call is known for it"));
                let is_called = calls.iter().any(|call| source.contains(call));
                assert!(is_called, "{id} may {action} ({name}), and crates/aws does not call {calls:?}");
            }
        }
    }
}

/// A call as the table has it: without line breaks, and of a client's without the client.
fn words(call: &str) -> String {
    let call: String = call.split_whitespace().collect();
    call.trim_start_matches("client").to_owned()
}

#[test]
fn every_call_has_an_action_that_allows_it() {
    let source = adapters();
    let granted: BTreeSet<String> = functions()
        .iter()
        .flat_map(|function| statements(&function.id))
        .flat_map(|statement| statement.actions)
        .collect();
    let call = Regex::new(r"client\s*\.\w+\(\)|bucket\s*\.\w+_object\(").expect("the expression is right");
    let called: BTreeSet<String> = call.find_iter(&source).map(|found| words(found.as_str())).collect();
    assert!(called.len() >= 10, "the adapters call in a way that this test does not know: {called:?}");
    let is_free = |call: &str| FREE.iter().any(|name| call == format!(".{name}()"));
    for call in called.iter().filter(|call| !is_free(call)) {
        let action = CALLED.iter().find(|(_, calls)| calls.contains(&call.as_str())).map(|(action, _)| *action);
        let action = action.unwrap_or_else(|| panic!("crates/aws calls {call}, and no action is known for it"));
        assert!(granted.contains(action), "crates/aws calls {call}, and no function may {action}");
    }
}

#[test]
fn whoever_has_timers_may_do_all_that_timers_do() {
    let timers: BTreeSet<&str> =
        CALLED.iter().map(|(action, _)| *action).filter(|name| name.starts_with("scheduler:")).collect();
    for Function { id, .. } in functions() {
        let granted: Vec<String> = statements(&id).into_iter().flat_map(|statement| statement.actions).collect();
        let granted: BTreeSet<&str> =
            granted.iter().map(String::as_str).filter(|name| name.starts_with("scheduler:")).collect();
        assert!(granted.is_empty() || granted == timers, "{id} has timers and may only {granted:?}");
    }
}

#[test]
fn nothing_is_granted_by_a_wildcard() {
    for Function { id, .. } in functions() {
        for Statement { name, actions, resource } in statements(&id) {
            let wild: Vec<_> = actions.iter().filter(|action| action.contains('*')).collect();
            assert!(wild.is_empty(), "{id} {name}: {wild:?}");
            // X-Ray's actions know no resources, and network interfaces are not known before they are made.
            let is_open = ["Traces", "Vpc"].contains(&name.as_str());
            for text in texts(resource).iter().filter(|text| text.contains('*') && !is_open) {
                let open = OPEN_ENDED.iter().any(|end| text.ends_with(end)) && text.matches('*').count() == 1;
                assert!(open, "{id} {name}: {text}");
            }
        }
    }
}

#[test]
fn a_function_may_use_what_it_is_told_of_and_nothing_else() {
    for Function { id, .. } in functions() {
        let told = variables(&id).into_values().flat_map(named);
        let is_used = |name: &String| !IS_NO_RESOURCE.iter().chain(NAMED_TO_OTHERS).any(|other| other == name);
        let told: BTreeSet<String> = told.filter(is_used).collect();
        let granted = statements(&id).into_iter().filter(|statement| by_lambda(&statement.name).is_empty());
        // The function does not name the key: Secrets Manager knows under which one a secret is.
        let granted = granted.filter(|statement| statement.name != "SecretsKey");
        let granted: BTreeSet<String> = granted.flat_map(|statement| named(statement.resource)).collect();
        assert_eq!(told, granted, "what {id} is told of, and what it may use (right)");
    }
}

#[test]
fn every_statement_that_is_taken_out_is_there() {
    let all = functions().into_iter().flat_map(|function| statements(&function.id));
    let used: BTreeSet<String> = all.map(|statement| statement.name).collect();
    let unused: Vec<_> = BY_LAMBDA.iter().filter(|(name, _)| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "no policy has these statements any more: {unused:?}");
}

/// Bug: secrets under a key of the customer could not be read.
#[test]
fn whoever_reads_secrets_may_decrypt_them() {
    for Function { id, .. } in functions() {
        let granted: BTreeSet<String> = statements(&id).into_iter().flat_map(|statement| statement.actions).collect();
        let reads = granted.contains("secretsmanager:GetSecretValue");
        assert_eq!(granted.contains("kms:Decrypt"), reads, "{id} reads secrets (right) and may decrypt them (left)");
    }
}

/// Bug: of a missing blob S3 answered 403, which is no answer that the adapter knows, and the message was put off for ever.
#[test]
fn whoever_reads_blobs_learns_of_missing_ones() {
    for Function { id, .. } in functions() {
        let granted: BTreeSet<String> = statements(&id).into_iter().flat_map(|statement| statement.actions).collect();
        let reads = granted.contains("s3:GetObject");
        assert_eq!(granted.contains("s3:ListBucket"), reads, "{id} reads blobs (right) and may list them (left)");
    }
}

/// Bug: `HttpAllow` had no effect, since no function ran where private addresses are.
#[test]
fn the_function_that_calls_private_addresses_can_run_among_them() {
    for Function { id, .. } in functions() {
        let calls = variables(&id).contains_key("PAWL_HTTP_ALLOW");
        let vpc = named(&resource(&id)["VpcConfig"]);
        let is_inside = ["SubnetIds", "SecurityGroupIds"].iter().all(|name| vpc.iter().any(|other| other == name));
        assert_eq!(is_inside, calls, "{id} may call private addresses (right) and run in a VPC (left)");
        let may_join = statements(&id).iter().any(|statement| statement.name == "Vpc");
        assert_eq!(may_join, calls, "{id} may make network interfaces (left) if it can run in a VPC (right)");
    }
}
