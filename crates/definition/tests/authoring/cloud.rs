//! What is told of steps that call services of the cloud.

use std::collections::BTreeMap;

use pawl_definition::{Around, Problem, Source, check_workflow};

const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:orders";
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:orders";

/// The errors of a workflow of one step: code and place, and what each suggests.
fn told_of(step: &str) -> Vec<String> {
    let text = format!("workflow: w\nowner: ada@example.com\nsteps:\n  - {{id: a, type: {step}}}\n");
    let source = Source::parse("file.yaml", &text).expect("it is YAML");
    let mut problems = check_workflow(&source, Around::new(&BTreeMap::new())).1;
    problems.retain(Problem::is_error);
    let line = |problem: &Problem| {
        let near = problem.suggestion.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
        format!("{} {}{near}", problem.code, problem.path)
    };
    problems.iter().map(line).collect()
}

#[test]
fn a_call_that_is_right_is_accepted() {
    for step in [
        format!("send_message, queue: '{QUEUE}', body: x, delay: 15m"),
        format!("send_message, queue: '{QUEUE}.fifo', body: [1], group: 7"),
        "send_message, queue: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders', body: {n: 1}".to_owned(),
        format!("send_message, topic: '{TOPIC}', body: x, delivery: at_most_once"),
        "send_message, queue: '{{ \"q\" + execution.id }}', body: '{{ execution.id }}'".to_owned(),
        "publish_event, source: shop.orders, detail_type: Order Placed".to_owned(),
        "publish_event, source: shop, detail_type: x, detail: '{{ parse_json(\"{}\") }}'".to_owned(),
        "invoke_function, function: price-of".to_owned(),
        "invoke_function, function: 'price-of:live', input: [1], wait: false, timeout: 5m".to_owned(),
        "invoke_function, function: 'arn:aws:lambda:eu-central-1:123456789012:function:price-of:$LATEST'".to_owned(),
    ] {
        assert_eq!(told_of(&step), [""; 0], "{step}");
    }
}

#[test]
fn each_mistake_of_a_message_is_one_error_at_its_place() {
    for (keys, expected) in [
        (format!("queue: '{QUEUE}'"), "missing_key steps[0]"),
        ("body: x".to_owned(), "exactly_one steps[0]"),
        (format!("queue: '{QUEUE}', topic: '{TOPIC}', body: x"), "exactly_one steps[0].topic"),
        ("queue: orders, body: x".to_owned(), "invalid_value steps[0].queue"),
        (format!("queue: '{TOPIC}', body: x"), "invalid_value steps[0].queue"),
        (format!("topic: '{QUEUE}', body: x"), "invalid_value steps[0].topic"),
        (format!("queue: '{QUEUE}.fifo', body: x"), "missing_key steps[0]"),
        (format!("queue: '{QUEUE}.fifo', body: x, group: g, delay: 1m"), "not_allowed steps[0].delay"),
        (format!("topic: '{TOPIC}', body: x, delay: 1m"), "not_allowed steps[0].delay"),
        (format!("queue: '{QUEUE}', body: x, delay: 16m"), "out_of_range steps[0].delay"),
        (format!("queue: '{QUEUE}', body: ''"), "invalid_value steps[0].body"),
        (format!("queue: '{QUEUE}', body: x, group: 'a b'"), "invalid_value steps[0].group"),
        (format!("queue: '{QUEUE}', body: x, grup: g"), "unknown_key steps[0].grup; did you mean \"group\"?"),
    ] {
        assert_eq!(told_of(&format!("send_message, {keys}")), [expected], "{keys}");
    }
}

#[test]
fn each_mistake_of_an_event_or_a_function_is_one_error_at_its_place() {
    for (step, expected) in [
        ("publish_event, source: shop", "missing_key steps[0]"),
        ("publish_event, source: aws.s3, detail_type: x", "invalid_value steps[0].source"),
        ("publish_event, source: pawl.signal, detail_type: x", "invalid_value steps[0].source"),
        ("publish_event, source: s, detail_type: ' '", "invalid_value steps[0].detail_type"),
        ("publish_event, source: s, detail_type: x, detail: [1]", "wrong_type steps[0].detail"),
        ("publish_event, source: s, detail_type: x, detail: '{{ 1 + 1 }}'", "wrong_type steps[0].detail"),
        ("invoke_function, input: {}", "missing_key steps[0]"),
        ("invoke_function, function: 'a b'", "invalid_value steps[0].function"),
        (
            "invoke_function, function: 'arn:aws:sqs:eu-central-1:123456789012:orders'",
            "invalid_value steps[0].function",
        ),
        ("invoke_function, function: f, wait: sometimes", "wrong_type steps[0].wait"),
        ("invoke_function, function: f, input: '{{ secret(\"key\") }}'", "expression_secret steps[0].input"),
    ] {
        assert_eq!(told_of(step), [expected], "{step}");
    }
}
