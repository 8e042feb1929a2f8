//! Patterns against events: the examples of the documentation of `EventBridge` and of `event-ruler`, and what they leave open.

use serde_json::{Value, json};

use super::{EventPattern, Step};

/// The example of the documentation.
fn instance() -> Value {
    json!({
        "version": "0",
        "id": "ddddd4-aaaa-7777-4444-345dd43cc333",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "012345679012",
        "time": "2017-10-02T16:24:49Z",
        "region": "us-east-1",
        "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"],
        "detail": {"c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "10.0.0.33", "state": "running"},
    })
}

fn read(pattern: &Value) -> EventPattern {
    EventPattern::read(pattern.as_object().expect("a pattern is an object"))
}

fn matches(pattern: &Value, event: &Value) -> bool {
    let read = read(pattern);
    assert_eq!(read.wrong(), None, "{pattern}");
    read.matches(event)
}

#[track_caller]
fn on_instance(expected: bool, patterns: impl IntoIterator<Item = Value>) {
    for pattern in patterns {
        assert_eq!(matches(&pattern, &instance()), expected, "{pattern}");
    }
}

/// Whether a value at `x` passes a list of tests.
fn passes(tests: &Value, value: &Value) -> bool {
    matches(&json!({"x": tests}), &json!({"x": value}))
}

#[test]
fn the_examples_of_the_documentation_match() {
    on_instance(
        true,
        [
            json!({
                "detail-type": ["EC2 Instance State-change Notification"],
                "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"],
                "detail": {"state": ["initializing", "running"]},
            }),
            json!({"time": [{"prefix": "2017-10-02"}]}),
            json!({"source": [{"suffix": "ec2"}]}),
            json!({"source": [{"equals-ignore-case": "AWS.EC2"}]}),
            json!({"source": [{"wildcard": "aws.*"}]}),
            json!({"detail": {"state": [{"anything-but": "initializing"}]}}),
            json!({"detail": {"x-limit": [{"anything-but": 123}]}}),
            json!({"detail": {"state": [{"anything-but": ["stopped", "overloaded"]}]}}),
            json!({"detail": {"x-limit": [{"anything-but": [100, 200, 300]}]}}),
            json!({"detail": {"state": [{"anything-but": {"prefix": "init"}}]}}),
            json!({"detail": {
                "c-count": [{"numeric": [">", 0, "<=", 5]}],
                "d-count": [{"numeric": ["<", 10]}],
                "x-limit": [{"numeric": ["=", 3.018e2]}],
            }}),
            json!({"detail": {"source-ip": [{"cidr": "10.0.0.0/24"}]}}),
            json!({"detail": {"c-count": [{"exists": true}]}}),
            json!({"detail": {"e-count": [{"exists": false}]}}),
            json!({
                "time": [{"prefix": "2017-10-02"}],
                "detail": {
                    "state": [{"anything-but": "initializing"}],
                    "c-count": [{"numeric": [">", 0, "<=", 5]}],
                    "x-limit": [{"anything-but": [100, 200, 300]}],
                    "source-ip": [{"cidr": "10.0.0.0/8"}],
                },
            }),
        ],
    );
}

#[test]
fn what_differs_in_one_place_does_not_match() {
    on_instance(
        false,
        [
            json!({"source": ["aws.ec2"], "region": ["eu-central-1"]}),
            json!({"source": ["AWS.EC2"]}),
            json!({"detail": {"state": ["stopped"]}}),
            json!({"detail": {"state": {"inner": ["running"]}}}),
            json!({"detail": ["running"]}),
            json!({"state": ["running"]}),
            json!({"detail": {"c-count": ["5"]}}),
            json!({"detail": {"c-count": [{"numeric": [">", 5]}]}}),
            json!({"detail": {"state": [{"numeric": [">", 0]}]}}),
            json!({"detail": {"source-ip": [{"cidr": "10.0.1.0/24"}]}}),
            json!({"detail": {"state": [{"cidr": "10.0.1.0/24"}]}}),
            json!({"detail": {"state": [{"anything-but": {"prefix": "run"}}]}}),
            json!({"detail": {"e-count": [{"anything-but": 1}]}}),
            json!({"detail": {"c-count": [{"exists": false}]}}),
            json!({"detail": {"e-count": [{"exists": true}]}}),
            json!({"detail": [{"exists": true}]}),
        ],
    );
}

#[test]
fn numbers_are_equal_whatever_their_spelling() {
    let x = |tests: Value, text: &str| passes(&tests, &serde_json::from_str(text).expect("it is a number"));
    assert!(x(json!([300]), "3.0e2") && x(json!([301.8]), "301.80") && x(json!([{"numeric": ["=", 300]}]), "300.0"));
    assert!(!x(json!([300]), "300.1") && !x(json!([{"anything-but": 300}]), "3e2"));
    assert!(!passes(&json!([300]), &json!("300")) && !passes(&json!([true]), &json!("true")));
}

#[test]
fn texts_are_compared_by_their_tests() {
    for (tests, yes, no) in [
        (json!([{"prefix": "us-"}]), "us-east-1", "eu-us-1"),
        (json!([{"prefix": {"equals-ignore-case": "EventB"}}]), "EVENTBRIDGE", "xeventb"),
        (json!([{"suffix": ".png"}]), "a.png", "a.png "),
        (json!([{"suffix": {"equals-ignore-case": ".PNG"}}]), "a.pNg", "a.jpg"),
        (json!([{"anything-but": {"suffix": ".png"}}]), "a.jpg", "a.png"),
        (json!([{"anything-but": {"suffix": [".png", ".jpg"]}}]), "a.gif", "a.jpg"),
        (json!([{"anything-but": {"equals-ignore-case": ["Initializing", "stopped"]}}]), "running", "STOPPED"),
        (json!([{"anything-but": {"wildcard": "*/lib/*"}}]), "/bin/x", "/usr/lib/x"),
        (json!([{"anything-but": {"wildcard": ["*/lib/*", "*.tmp"]}}]), "/bin/x", "a.tmp"),
        (json!([{"anything-but": {"prefix": {"equals-ignore-case": "INIT"}}}]), "running", "initializing"),
        (json!([{"wildcard": "dir/*.png"}]), "dir/a/b.png", "dir/a.pn"),
        (json!([{"wildcard": "*"}]), "", "-"),
        (json!([{"wildcard": "ab*ba"}]), "abba", "aba"),
        (json!([{"wildcard": "a*b*c"}]), "axbxc", "acxb"),
        (json!([{"wildcard": "a\\*b\\\\c"}]), "a*b\\c", "axb\\c"),
        (json!([{"wildcard": "plain"}]), "plain", "plain "),
        (json!(["a", {"prefix": "b"}]), "bc", "c"),
        (json!([""]), "", " "),
    ] {
        assert!(passes(&tests, &json!(yes)), "{tests} {yes}");
        assert!(no == "-" || !passes(&tests, &json!(no)), "{tests} {no}");
    }
    assert!(!passes(&json!([{"prefix": "5"}]), &json!(5)), "a number is no text");
    assert!(passes(&json!([{"anything-but": {"prefix": "5"}}]), &json!(5)), "and so is none of these texts");
}

#[test]
fn null_is_a_value_that_is_there() {
    assert!(passes(&json!([null]), &json!(null)) && !passes(&json!([null]), &json!("")));
    assert!(passes(&json!([{"exists": true}]), &json!(null)) && !passes(&json!([{"exists": false}]), &json!(null)));
    assert!(!matches(&json!({"x": [null]}), &json!({})));
    assert!(passes(&json!([{"anything-but": "a"}]), &json!(null)));
}

#[test]
fn one_element_of_a_list_suffices() {
    assert!(passes(&json!(["b", "c"]), &json!(["a", "b"])) && !passes(&json!(["c"]), &json!(["a", "b"])));
    assert!(
        passes(&json!([{"anything-but": "a"}]), &json!(["a", "b"]))
            && !passes(&json!([{"anything-but": "a"}]), &json!(["a"]))
    );
    assert!(passes(&json!(["b"]), &json!([["a"], ["b"]])), "lists in lists are one list");
    assert!(!passes(&json!([{"exists": true}]), &json!([])) && passes(&json!([{"exists": false}]), &json!([])));
    assert!(
        !passes(&json!([{"exists": true}]), &json!({"y": 1})) && passes(&json!([{"exists": false}]), &json!({"y": 1}))
    );
}

/// The example of `event-ruler`: a Beatle with a first name and a last name of two.
#[test]
fn keys_below_a_list_match_in_one_element() {
    let event = json!({"employees": [
        {"first": "Lennon", "last": "John", "city": {"name": "Liverpool"}},
        {"first": "Paul", "last": "McCartney"},
    ]});
    let matches = |first: &str, last: &str| matches(&json!({"employees": {"first": [first], "last": [last]}}), &event);
    assert!(matches("Paul", "McCartney") && !matches("Paul", "John"));
    assert!(super::tests::matches(&json!({"employees": {"city": {"name": ["Liverpool"]}, "last": ["John"]}}), &event));
    assert!(!super::tests::matches(
        &json!({"employees": {"city": {"name": ["Liverpool"]}, "last": ["McCartney"]}}),
        &event
    ));
    // What is nowhere in a list is not there; what one element has is.
    let absent =
        |key: &str| super::tests::matches(&json!({"employees": {key: [{"exists": false}], "first": ["Paul"]}}), &event);
    assert!(absent("age") && !absent("last"));
}

#[test]
fn what_is_missing_altogether_is_absent() {
    let pattern = json!({"detail": {"a": {"b": [{"exists": false}]}}});
    for event in [json!({}), json!({"detail": 1}), json!({"detail": []}), json!({"detail": {"a": [{"c": 1}]}})] {
        assert!(matches(&pattern, &event), "{event}");
    }
    assert!(!matches(&pattern, &json!({"detail": {"a": [{"c": 1}, {"b": 1}]}})));
    assert!(matches(&json!({"detail": {"a": ["x", {"exists": false}]}}), &json!({"detail": {}})));
}

#[test]
fn alternatives_are_any_of_several_patterns() {
    let pattern = json!({
        "source": ["aws.cloudwatch"],
        "$or": [
            {"metricName": ["CPUUtilization", "ReadLatency"]},
            {"metricType": ["MetricType"], "$or": [{"metricId": [1234]}, {"spaceId": [{"numeric": [">", 1000]}]}]},
        ],
    });
    let is = |keys: Value| {
        let mut event = json!({"source": "aws.cloudwatch"});
        event.as_object_mut().expect("it is an object").extend(keys.as_object().cloned().unwrap_or_default());
        matches(&pattern, &event)
    };
    assert!(is(json!({"metricName": "ReadLatency"})) && is(json!({"metricType": "MetricType", "spaceId": 1001})));
    assert!(!is(json!({"metricType": "MetricType"})) && !is(json!({"metricId": 1234})) && !is(json!({})));
    let inner = json!({"detail": {"$or": [{"a": [1]}, {"b": [1]}], "c": [1]}});
    assert!(matches(&inner, &json!({"detail": {"b": 1, "c": 1}})) && !matches(&inner, &json!({"detail": {"b": 1}})));
}

#[test]
fn networks_are_of_both_kinds() {
    for (network, inside, outside) in [
        ("10.0.0.0/24", "10.0.0.255", "10.0.1.0"),
        ("0.0.0.0/0", "1.2.3.4", "::1"),
        ("10.0.0.33/32", "10.0.0.33", "10.0.0.34"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ("::/0", "2001:db9::1", "10.0.0.1"),
    ] {
        let tests = json!([{"cidr": network}]);
        assert!(passes(&tests, &json!(inside)), "{network} {inside}");
        assert!(!passes(&tests, &json!(outside)), "{network} {outside}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (pattern, place, expected) in [
        (json!({}), "", "at least one key"),
        (json!({"source": "aws.ec2"}), "source", "expected a list such as [\"aws.ec2\"]"),
        (json!({"source": []}), "source", "at least one value"),
        (json!({"detail": {"x": {}}}), "detail.x", "at least one key"),
        (json!({"x": [[1]]}), "x.0", "found a list"),
        (json!({"x": [{}]}), "x.0", "found an empty object"),
        (json!({"x": [1, {"prefix": "a", "suffix": "b"}]}), "x.1", "found several"),
        (json!({"x": [{"begins": "a"}]}), "x.0.begins", "expected one of prefix"),
        (json!({"x": [{"prefix": 1}]}), "x.0.prefix", "expected a text"),
        (json!({"x": [{"wildcard": "a**"}]}), "x.0.wildcard", "between two `*`"),
        (json!({"x": [{"wildcard": "a\\b"}]}), "x.0.wildcard", "behind"),
        (json!({"x": [{"anything-but": []}]}), "x.0.anything-but", "a list of texts or a list of numbers"),
        (json!({"x": [{"anything-but": ["a", 1]}]}), "x.0.anything-but", "a list of texts or a list of numbers"),
        (json!({"x": [{"anything-but": null}]}), "x.0.anything-but", "found null"),
        (json!({"x": [{"anything-but": {"exists": true}}]}), "x.0.anything-but", "found \"exists\""),
        (json!({"x": [{"numeric": [">"]}]}), "x.0.numeric", "one or two comparisons"),
        (json!({"x": [{"numeric": ["<", 5, ">", 1]}]}), "x.0.numeric", "one or two comparisons"),
        (json!({"x": [{"numeric": [">", 5, "<", 5]}]}), "x.0.numeric", "no number"),
        (json!({"x": [{"cidr": "10.0.0.0"}]}), "x.0.cidr", "a network"),
        (json!({"x": [{"cidr": "10.0.0.0/33"}]}), "x.0.cidr", "a network"),
        (json!({"x": [{"exists": "yes"}]}), "x.0.exists", "true or false"),
        (json!({"$or": [{"a": [1]}]}), "$or", "two patterns or more"),
        (json!({"$or": [{"a": [1]}, {"b": 1}]}), "$or.1.b", "expected a list"),
    ] {
        let read = read(&pattern);
        let wrong = read.wrong().unwrap_or_else(|| panic!("{pattern} is wrong"));
        let steps = wrong.place.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::At(at) => at.to_string(),
        });
        assert_eq!(steps.collect::<Vec<_>>().join("."), place, "{pattern}: {wrong}");
        assert!(wrong.message.contains(expected), "{pattern}: {wrong}");
        assert!(!read.matches(&json!({"x": "a", "source": "aws.ec2"})), "nothing matches what is wrong");
    }
}

#[test]
fn the_texts_of_a_key_are_known() {
    let texts = |pattern: Value| {
        let read = read(&pattern);
        read.texts("source").map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(texts(json!({"source": ["a", "b"]})), Some(vec!["a".to_owned(), "b".to_owned()]));
    for unknown in [json!({"source": ["a", {"prefix": "b"}]}), json!({"source": ["a", 1]}), json!({"region": ["a"]})] {
        assert_eq!(texts(unknown), None);
    }
}
