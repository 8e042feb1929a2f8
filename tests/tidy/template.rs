//! The template of an installation on AWS, held against the functions, and against its own rules.

use std::collections::{BTreeMap, BTreeSet};

use pawl_runtime::message::DELIVERIES;
use serde_json::{Value, json};

use crate::cloudformation::{PATH, named, resource, resources, section, texts};
use crate::tables;
use crate::workspace::{files, is, read};

/// A function, by the words under which it goes.
pub(crate) struct Function {
    /// Folder under functions/ and events/, end of its name, field of its log lines.
    pub(crate) folder: String,
    /// Logical id.
    pub(crate) id: String,
}

/// The functions, by their folders.
pub(crate) fn functions() -> Vec<Function> {
    let files = files();
    let folders = files.iter().filter_map(|file| file.strip_prefix("functions/")?.strip_suffix("/Cargo.toml"));
    folders.map(|folder| Function { folder: folder.to_owned(), id: pascal(folder) }).collect()
}

/// The variables that the template gives a function, of its own and of all.
pub(crate) fn variables(function: &str) -> BTreeMap<&'static str, &'static Value> {
    let globals = &crate::cloudformation::template()["Globals"]["Function"];
    let of = |value: &'static Value| value["Environment"]["Variables"].as_object().into_iter().flatten();
    let variables = of(globals).chain(of(resource(function)));
    variables.map(|(name, value)| (name.as_str(), value)).collect()
}

/// The mappings that wake a function, by the queue or table that they read.
fn mappings(function: &str) -> impl Iterator<Item = (String, &'static Value)> {
    let wakes = move |mapping: &Value| named(&mapping["FunctionName"]).last().is_some_and(|name| name == function);
    let mappings = resources("AWS::Lambda::EventSourceMapping").filter(move |(_, mapping)| wakes(mapping));
    mappings.map(|(_, mapping)| (named(&mapping["EventSourceArn"]).remove(0), mapping))
}

fn mapping(function: &str, source: &str) -> &'static Value {
    let found = mappings(function).find(|(name, _)| name == source).map(|(_, mapping)| mapping);
    found.unwrap_or_else(|| panic!("no mapping of {PATH} wakes {function} by {source}"))
}

fn pascal(folder: &str) -> String {
    let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    folder.split('-').map(capital).collect()
}

#[test]
fn a_function_goes_by_one_word_everywhere() {
    let files = files();
    let functions = functions();
    for Function { folder, id } in &functions {
        let properties = resource(id);
        let stack = |name: &str| format!("{name}${{AWS::StackName}}-{folder}");
        assert_eq!(properties["CodeUri"], format!("../functions/{folder}"), "{id} is built from its folder");
        assert_eq!(properties["FunctionName"]["Fn::Sub"], stack(""), "{id} ends in its folder's name");
        assert_eq!(properties["Role"]["Fn::GetAtt"], format!("{id}Role.Arn"), "{id} has a role of its own");
        assert_eq!(properties["LoggingConfig"]["LogGroup"]["Ref"], format!("{id}Logs"), "{id} has logs of its own");
        assert_eq!(resource(&format!("{id}Logs"))["LogGroupName"]["Fn::Sub"], stack("/aws/lambda/"));
        let policies = resource(&format!("{id}Role"))["Policies"].as_array().map_or(&[][..], Vec::as_slice);
        let names: Vec<_> = policies.iter().map(|policy| &policy["PolicyName"]).collect();
        assert_eq!(names, [folder], "{id} has one policy, named as it is");
        let has_events = files.iter().any(|file| file.starts_with(&format!("events/{folder}/")) && is(file, "json"));
        assert!(has_events, "events/{folder} has no payload");
        let sources = files.iter().filter(|file| file.starts_with(&format!("functions/{folder}/src/")));
        let word = format!("\"{folder}\"");
        let names_itself = sources.map(|file| read(file)).any(|text| text.contains(&word));
        assert!(names_itself, "functions/{folder}/src does not say {word}, the field `function` of its log lines");
    }
    let known: BTreeSet<_> = functions.iter().map(|function| function.id.as_str()).collect();
    let deployed: BTreeSet<_> = resources("AWS::Serverless::Function").map(|(id, _)| id).collect();
    assert_eq!(deployed, known, "the functions of {PATH}, and the folders under functions/ (right)");
}

#[test]
fn a_function_is_told_what_it_reads_and_nothing_else() {
    let mut read_by: BTreeMap<String, String> = BTreeMap::new();
    for file in files().iter().filter(|file| is(file, "rs")) {
        let text = read(file);
        let names = text.split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_')).map(str::to_owned);
        read_by.extend(names.filter(|name| name.starts_with("PAWL_")).map(|name| (name, file.clone())));
    }
    let mut told = BTreeSet::new();
    for Function { id, .. } in functions() {
        let variables = variables(&id);
        let unread: Vec<_> = variables.keys().filter(|name| !read_by.contains_key(**name)).collect();
        assert!(unread.is_empty(), "{PATH} tells {id} what no source reads: {unread:?}");
        told.extend(variables.into_keys());
    }
    let asked = read("crates/aws/src/config.rs");
    let asked = asked.split('"').filter(|word| word.starts_with("PAWL_")).filter(|word| !word.ends_with('_'));
    let missing: Vec<_> = asked.filter(|name| !told.contains(name)).collect();
    assert!(missing.is_empty(), "crates/aws asks for what {PATH} tells no function: {missing:?}");
}

#[test]
fn a_queue_hides_a_message_for_six_times_the_time_out() {
    let mut looked_at = 0;
    for (id, properties) in resources("AWS::Serverless::Function") {
        let timeout = properties["Timeout"].as_i64().unwrap_or_else(|| panic!("{id} has no time-out"));
        assert!(properties["Events"].is_null(), "{id} is woken in a way that these tests do not look at");
        for (queue, mapping) in mappings(id).filter(|(source, _)| source.ends_with("Queue")) {
            assert_eq!(texts(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{id}");
            let visibility = resource(&queue)["VisibilityTimeout"].as_i64().unwrap_or_default();
            assert!(visibility >= 6 * timeout, "{queue} hides messages for {visibility} s, {id} works {timeout} s");
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 4, "events, jobs, jobs of high priority and jobs with slow calls are read");
}

/// A batch ends with its slowest job, so a job with a slow call is a batch.
#[test]
fn a_slow_call_holds_up_no_other_job() {
    let batch = |queue: &str| {
        let mapping = mapping("StepExecutor", queue);
        (mapping["BatchSize"].as_i64(), named(&mapping["ScalingConfig"]["MaximumConcurrency"]))
    };
    assert_eq!(batch("JobsSlowQueue"), (Some(1), vec!["SlowJobConcurrency".to_owned()]));
    assert_eq!(batch("JobsQueue"), (Some(10), vec!["JobConcurrency".to_owned()]));
    assert_eq!(batch("JobsHighQueue"), (Some(10), vec!["JobConcurrency".to_owned()]));
}

#[test]
fn a_queue_that_is_read_has_a_dead_letter_queue_with_an_alarm() {
    let alarms: Vec<_> = resources("AWS::CloudWatch::Alarm").collect();
    let queues: BTreeMap<_, _> = resources("AWS::SQS::Queue").collect();
    let redriven = |properties: &Value| named(&properties["RedrivePolicy"]["deadLetterTargetArn"]).pop();
    let retention = |properties: &Value| properties["MessageRetentionPeriod"].as_i64().unwrap_or_default();
    for (id, properties) in queues.iter().filter(|(id, _)| id.ends_with("Queue") && **id != "UndeliveredQueue") {
        let dead = redriven(properties).unwrap_or_else(|| panic!("{id} has no dead-letter queue"));
        // A function marks a message in its last delivery, so it must know which that is.
        let deliveries = properties["RedrivePolicy"]["maxReceiveCount"].as_i64();
        assert_eq!(deliveries, Some(DELIVERIES.into()), "{id} gives up at another delivery than functions expect");
        // A message's age counts from when it was first sent.
        assert!(retention(queues[dead.as_str()]) > retention(properties), "{dead} must keep messages longer than {id}");
    }
    for id in queues.keys().filter(|id| id.ends_with("DeadLetters") || **id == "UndeliveredQueue") {
        let watches = |alarm: &Value| named(&alarm["Dimensions"]).iter().any(|name| name == id);
        assert!(alarms.iter().any(|(_, alarm)| watches(alarm)), "no alarm watches {id}");
    }
}

#[test]
fn an_alarm_says_what_to_do() {
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let said = alarm["AlarmDescription"].as_str().unwrap_or_default();
        let (wrong, advice) = said.split_once(" Do: ").unwrap_or_else(|| panic!("{id} has no advice: {said:?}"));
        assert!(wrong.ends_with('.') && advice.ends_with('.'), "{id} says it in sentences: {said:?}");
        assert_eq!(
            named(&alarm["AlarmActions"]),
            ["AlarmTopic", "AlarmTopicArn"],
            "{id} tells whom the parameters say"
        );
    }
}

#[test]
fn indexes_go_by_the_names_that_the_adapter_asks_for() {
    let layout = read("crates/aws/src/tables/layout.rs");
    let asked: BTreeSet<&str> =
        layout.split("IndexNames::of(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let there: BTreeSet<&str> = resources("AWS::DynamoDB::Table")
        .flat_map(|(_, table)| table["GlobalSecondaryIndexes"].as_array().into_iter().flatten())
        .filter_map(|index| index["IndexName"].as_str())
        .collect();
    assert_eq!(there, asked, "the indexes of {PATH}, and those that crates/aws asks for (right)");
}

/// Bug: the names of functions of a stack whose name has more than 46 characters were refused, after a quarter of an hour.
#[test]
fn the_longest_name_of_a_stack_is_told() {
    const FUNCTION_NAME_MOST: usize = 64;
    let longest = functions().iter().map(|function| function.folder.len() + 1).max().unwrap_or_default();
    let told = format!("at most {} characters", FUNCTION_NAME_MOST - longest);
    assert!(read("docs/operations.md").contains(&told), "docs/operations.md says that a stack's name has {told}");
}

#[test]
fn every_parameter_is_explained() {
    let text = read("docs/operations.md");
    let rows = tables::under(&text, "### Parameters");
    let documented: BTreeMap<_, _> = rows.iter().map(|row| (row[0].as_str(), row[1].clone())).collect();
    let shown = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "–".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let parameters: BTreeMap<_, _> =
        section("Parameters").map(|(name, value)| (name, shown(&value["Default"]))).collect();
    assert_eq!(documented, parameters, "the parameters of docs/operations.md, and those of {PATH} (right)");
    for (name, parameter) in section("Parameters") {
        assert!(parameter["Description"].as_str().is_some_and(|text| text.ends_with('.')), "{name} has no description");
    }
}

/// One change that kills the function must not hold up its shard for hours; an outage of an hour must give up none.
#[test]
fn a_change_is_tried_again_for_an_hour_and_not_for_a_day() {
    for stream in ["TriggerEvaluatorRecordsStream", "TriggerEvaluatorUnheardChanges"].map(resource) {
        let attempts = stream["MaximumRetryAttempts"].as_i64().unwrap_or(-1);
        assert!((60..=240).contains(&attempts), "expected 60 to 240 tries, about a minute apart, found {attempts}");
        assert_eq!(stream["BisectBatchOnFunctionError"], true, "the one that kills the function is found");
    }
}

/// Every change of a record is read by one of the two mappings: those that are marked as unheard by one, all others by the
/// other, also what a version wrote that marked nothing.
#[test]
fn each_change_is_read_by_exactly_one_mapping() {
    let patterns = |mapping: &str| -> Vec<Value> {
        let filters = resource(mapping)["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
        let parse = |filter: &Value| serde_json::from_str(filter["Pattern"].as_str().unwrap_or_default());
        filters.map(|filter| parse(filter).expect("a pattern is JSON")).collect()
    };
    let marked =
        |test: Value| json!({"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"h": {"N": [test]}}}});
    let heard = patterns("TriggerEvaluatorRecordsStream");
    assert_eq!(heard, [marked(json!("1")), marked(json!({"exists": false}))]);
    assert_eq!(patterns("TriggerEvaluatorUnheardChanges"), [marked(json!("0"))]);
}

/// Bug: throttles of an index do not count for its table, so the first partition that was too hot rang nothing.
#[test]
fn each_table_and_index_has_alarms_on_what_is_refused() {
    let watched: BTreeSet<(String, String, Option<String>)> = resources("AWS::CloudWatch::Alarm")
        .filter(|(_, alarm)| alarm["Namespace"] == "AWS/DynamoDB")
        .map(|(_, alarm)| {
            let index = alarm["Dimensions"].as_array().into_iter().flatten();
            let mut index = index.filter(|dimension| dimension["Name"] == "GlobalSecondaryIndexName");
            let index = index.find_map(|dimension| dimension["Value"].as_str());
            let metric = alarm["MetricName"].as_str().unwrap_or_default();
            (named(&alarm["Dimensions"]).remove(0), metric.to_owned(), index.map(str::to_owned))
        })
        .collect();
    for (id, table) in resources("AWS::DynamoDB::Table") {
        for metric in ["WriteKeyRangeThroughputThrottleEvents", "ReadThrottleEvents"] {
            assert!(watched.contains(&(id.to_owned(), metric.to_owned(), None)), "no alarm on {metric} of {id}");
        }
        for index in table["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
            let index = index["IndexName"].as_str().map(str::to_owned);
            let alarm = (id.to_owned(), "WriteThrottleEvents".to_owned(), index.clone());
            assert!(watched.contains(&alarm), "no alarm on writes that {index:?} of {id} refuses");
        }
    }
}
