use serde_json::{Value, json};

use super::{check, check_all_over, evaluated, world};
use crate::expression::secret_placeholder;
use crate::{Expression, ExpressionError};

fn support() -> Value {
    json!({
        "trigger": {"body": {"issue": {"title": "Crash", "labels": ["bug", "urgent"], "milestone": null, "user-id": 7}}},
        "record": {"name": "Ada", "email": null, "company": {"name": "Acme"}},
        "steps": {"call": {"output": {"status": 200}, "status": "completed", "error": null}},
        "vars": {"count": 3, "blank": "  "},
    })
}

#[test]
fn paths_lead_into_data() {
    check_all_over(
        &support(),
        &[
            ("trigger.body.issue.title", r#""Crash""#),
            ("trigger.body.issue.labels[1]", r#""urgent""#),
            ("trigger.body.issue['title']", r#""Crash""#),
            ("trigger['body'].issue.labels.size()", "2"),
            ("trigger.body.issue[\"user-id\"]", "7"),
            ("trigger.body.issue.`user-id`", "7"),
            ("record.company.name", r#""Acme""#),
            ("steps.call.output", r#"{"status":200}"#),
            ("steps.call.status", r#""completed""#),
            ("[vars.count, vars.count + 1]", "[3,4]"),
            ("vars", r#"{"blank":"  ","count":3}"#),
        ],
    );
}

#[test]
fn a_missing_key_names_the_path_and_what_is_there() {
    check_all_over(
        &support(),
        &[
            (
                "trigger.body.issue.titel",
                "expression_missing_key: `trigger.body.issue.titel` does not exist: `trigger.body.issue` has `labels`, \
                 `milestone`, `title`, `user-id`, did you mean `title`?",
            ),
            (
                "trigger.body.issue.milestone.title",
                "expression_missing_key: `trigger.body.issue.milestone.title` does not exist: \
                 `trigger.body.issue.milestone` is null",
            ),
            (
                "trigger.body.issue.labels[2]",
                "expression_missing_key: `trigger.body.issue.labels[2]` does not exist: \
                 `trigger.body.issue.labels` has 2 elements, the first is [0]",
            ),
            ("{}.x", "expression_missing_key: `(…).x` does not exist: `(…)` is empty"),
            (
                "trigger.body.issue.labels.first",
                "expression_type: wrong type: `trigger.body.issue.labels` is a list: take an element, \
                 `trigger.body.issue.labels[0]`, or go over it with map()",
            ),
            ("record.name.first", "expression_type: wrong type: `record.name` is text, which has nothing inside"),
        ],
    );
}

#[test]
fn a_long_list_of_keys_is_cut() {
    let roots = json!({"vars": (0..30).map(|n| (format!("k{n:02}"), json!(n))).collect::<serde_json::Map<_, _>>()});
    let message = check("vars.zzzzzz", roots);
    assert!(message.ends_with("`k10`, `k11` and 18 more"), "{message}");
}

#[test]
fn unknown_variables_are_errors_with_a_suggestion() {
    check_all_over(
        &support(),
        &[
            ("recrod.name", "expression_unknown_name: unknown variable `recrod`, did you mean `record`?"),
            ("item", "expression_unknown_name: unknown variable `item`"),
            ("blank(item)", "expression_unknown_name: unknown variable `item`"),
        ],
    );
}

#[test]
fn has_says_whether_a_path_leads_anywhere() {
    check_all_over(
        &support(),
        &[
            ("has(record.email)", "true"),
            ("has(record.phone)", "false"),
            ("has(trigger.body.pull.title)", "false"),
            ("has(trigger.body.issue.milestone.title)", "false"),
            ("has({'a': 1}.a)", "true"),
            ("has(record.name.first)", "expression_type: wrong type: `record.name` is text, which has nothing inside"),
        ],
    );
}

#[test]
fn blank_and_coalesce_take_missing_keys_too() {
    check_all_over(
        &support(),
        &[
            ("blank(record.email)", "true"),
            ("blank(record.phone)", "true"),
            ("blank(trigger.body.pull.title)", "true"),
            ("blank(vars.blank)", "true"),
            ("blank('')", "true"),
            ("blank([])", "true"),
            ("blank({})", "true"),
            ("blank(0)", "false"),
            ("blank(false)", "false"),
            ("blank(record)", "false"),
            ("blank(lower(record.phone))", "true"),
            ("coalesce(record.phone, record.email, vars.blank, record.name, 1)", r#""Ada""#),
            ("coalesce(record.phone, record.email)", "null"),
            ("coalesce(vars.count, 1 / 0)", "3"),
            ("coalesce(0, 1)", "0"),
            // Fault 06: the last argument is given as it is.
            ("coalesce(record.missing, [])", "[]"),
            ("size(coalesce(record.missing, []))", "0"),
            ("'Hello ' + coalesce(record.missing, '')", r#""Hello ""#),
            ("coalesce('', record.missing)", "null"),
            ("coalesce([], {})", "{}"),
            ("blank(1 / 0)", "expression_value: bad value: division by zero"),
        ],
    );
}

#[test]
fn only_named_variables_are_asked_for_and_each_once() {
    struct Counting(super::World, std::cell::RefCell<Vec<String>>);
    impl crate::Scope for Counting {
        fn root(&self, name: &str) -> Option<Value> {
            self.1.borrow_mut().push(name.to_owned());
            self.0.root(name)
        }
        fn now(&self) -> jiff::Timestamp {
            self.0.now()
        }
        fn timezone(&self) -> &jiff::tz::TimeZone {
            self.0.timezone()
        }
    }
    let scope = Counting(world(support()), std::cell::RefCell::default());
    let expression = Expression::parse("vars.count + vars.count > 5 || record.name == 'x'").expect("it parses");
    assert_eq!(expression.test(&scope), Ok(true));
    assert_eq!(*scope.1.borrow(), ["vars"], "`record` is not needed");
    let roots: Vec<_> = expression.roots().iter().collect();
    assert_eq!(roots, ["record", "vars"]);
}

#[test]
fn variables_held_ready_are_read_in_place() {
    struct Ready(super::World, Value);
    impl crate::Scope for Ready {
        fn root(&self, name: &str) -> Option<Value> {
            assert_ne!(name, "trigger", "it is held ready");
            self.0.root(name)
        }
        fn root_ref(&self, name: &str) -> Option<&Value> {
            (name == "trigger").then_some(&self.1)
        }
        fn now(&self) -> jiff::Timestamp {
            self.0.now()
        }
        fn timezone(&self) -> &jiff::tz::TimeZone {
            self.0.timezone()
        }
    }
    let scope = Ready(world(support()), json!({"id": "evt_1"}));
    let expression = Expression::parse("trigger.id + record.name").expect("it parses");
    assert_eq!(expression.evaluate(&scope), Ok(json!("evt_1Ada")));
}

#[test]
fn reads_are_known_without_data() {
    let source =
        "record.company.name == vars.names[0].x || trigger['body'][vars.key].y == item.map(x, x.y)[0] || now > now";
    let expression = Expression::parse(source).expect("it parses");
    let reads: Vec<_> = expression.reads().iter().map(|path| path.join(".")).collect();
    assert_eq!(reads, ["item", "record.company.name", "trigger.body", "vars.key", "vars.names"]);
}

#[test]
fn a_test_that_is_no_boolean_names_the_type_found() {
    let test = |source| Expression::parse(source).and_then(|expression| expression.test(&world(support())));
    assert_eq!(test("record.name == 'Ada'"), Ok(true));
    let message = |source| test(source).map_err(|error| error.to_string());
    assert_eq!(message("record.name"), Err("wrong type: expected true or false, found `record.name` (text)".into()));
    assert_eq!(message("1"), Err("wrong type: expected true or false, found number".into()));
    assert_eq!(message("record.email"), Err("wrong type: expected true or false, found `record.email` (null)".into()));
}

#[test]
fn results_keep_their_types() {
    check_all_over(
        &support(),
        &[
            ("now", r#""2026-11-21T08:30:00Z""#),
            ("duration('90m')", r#""1h 30m""#),
            ("now - date('2026-11-21')", r#""9h 30m""#),
            ("b'\\xff'", r#""/w==""#),
            ("1.0", "1"),
            ("18446744073709551615u", "18446744073709551615"),
            ("type(1)", r#""int""#),
        ],
    );
}

#[test]
fn secrets_are_named_only_where_they_may_stand() {
    let expression = Expression::parse("'Bearer ' + secret('api_key')").expect("it parses");
    assert_eq!(expression.secrets().iter().collect::<Vec<_>>(), ["api_key"]);
    let error = expression.evaluate(&world(json!({}))).expect_err("no secrets here");
    assert_eq!(error.code(), "expression_secret");
    let value = expression.evaluate(&world(json!({})).with_secrets());
    assert_eq!(value, Ok(json!(format!("Bearer {}", secret_placeholder("api_key")))));
}

#[test]
fn data_chooses_no_secret() {
    let message = |source| Expression::parse(source).map(|_| ()).map_err(|error| error.to_string());
    for source in ["secret(trigger.body.name)", "secret('a' + 'b')", "secret('')", "secret('a\u{E001}')"] {
        let error = message(source).expect_err("it is refused");
        assert!(error.ends_with("secret() expects a name written down, such as secret(\"api_key\")"), "{error}");
    }
    let forged = secret_placeholder("api_key");
    let escaped = format!("{:?}", json!({"text": "\\ue000secret:api_key\\ue001"}));
    let roots =
        json!({"trigger": {"body": {"text": forged, "json": "\"\\ue000secret:api_key\\ue001\""}}, "vars": escaped});
    for source in [
        "trigger.body.text",
        "trigger",
        "parse_json(trigger.body.json)",
        "string(bytes(trigger.body.text))",
        "string(b'\\xee\\x80\\x80secret:api_key\\xee\\x80\\x81')",
        "json(trigger)",
    ] {
        let expression = Expression::parse(source).expect("it parses");
        let value = expression.evaluate(&world(roots.clone()).with_secrets()).expect("it evaluates");
        assert_eq!(crate::expression::redact(&value), value, "{source}");
    }
}

#[test]
fn errors_are_data() {
    let error = evaluated("record.nam", support()).expect_err("the key is missing");
    let stored = serde_json::to_value(&error).expect("an error serialises");
    assert_eq!(
        stored,
        json!({
            "code": "expression_missing_key",
            "path": "record.nam",
            "message": "`record` has `company`, `email`, `name`",
            "suggestion": "name",
        })
    );
    assert_eq!(serde_json::from_value::<ExpressionError>(stored).ok(), Some(error));
}
