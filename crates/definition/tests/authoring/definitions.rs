//! What is told of groups, calendars and types of activities, and of workflows that name them.

use std::collections::BTreeMap;

use pawl_definition::{
    Around, DefinitionKind, Definitions, Object, Problem, Source, check_definition, check_object, check_workflow,
};

const DEAL: &str = "object: deal\nfields: {name: {type: text}, amount: {type: number}}\n\
                    relationships: {buyer: {object: buyer}}\nstages: [open, won]";
const BUYER: &str = "object: buyer\nfields: {name: {type: text}}";
const BIG: &str = "group: big\nobject: deal\nwhere: record.amount > 10";
const SHOP: &str = "calendar: shop\nweekend: [sun]\nholidays: [2026-12-25]";

fn source(text: &str) -> Source {
    Source::parse("file.yaml", text).expect("it is YAML")
}

fn objects() -> BTreeMap<String, Object> {
    let read = |text: &str| check_object(&source(text)).0.expect("the object is right");
    [DEAL, BUYER].map(read).map(|object| (object.id.clone(), object)).into()
}

fn lines(problems: &[Problem]) -> Vec<String> {
    let line = |problem: &Problem| {
        let near = problem.suggestion.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
        let place = problem.line.map(|line| format!("{line} ")).unwrap_or_default();
        format!("{place}{} {}: {}{near}", problem.code, problem.path, problem.message)
    };
    problems.iter().map(line).collect()
}

fn told(kind: DefinitionKind, text: &str) -> Vec<String> {
    let (id, problems) = check_definition(kind, &source(text), &objects());
    assert_eq!(id.is_some(), problems.iter().all(|problem| !problem.is_error()), "{problems:?}");
    lines(&problems)
}

#[test]
fn a_group_is_checked_as_a_filter_is() {
    let group = |text: &str| told(DefinitionKind::Group, text);
    assert_eq!(group(BIG), [""; 0]);
    assert_eq!(
        group("group: g\nobject: deal\nwhere: record.stage == 'open' && now > timestamp(record.created_at)"),
        [""; 0]
    );
    assert_eq!(
        group("group: g\nobject: deel\nwhere: 'true'"),
        [
            "2 unknown_object object: expected an object that exists, found \"deel\"; there are buyer and deal; did you mean \"deal\"?"
        ]
    );
    let wrong = [
        ("record.amout > 10", "unknown_field"),
        ("record.amount ==", "expression_syntax"),
        ("record.amount", "expression_type"),
        ("record.stage == 'lost'", "invalid_value"),
        ("vars.x == 1", "not_allowed"),
        ("record.buyer.name == 'Ada'", "not_allowed"),
        ("in_group(record, 'big')", "not_allowed"),
        ("lookup(\"buyer\", {\"name\":record.amount}) != null", "not_allowed"),
        ("secret('x') == 'y'", "expression_secret"),
        ("' '", "blank_value"),
    ];
    for (test, code) in wrong {
        let found = group(&format!("group: g\nobject: deal\nwhere: {test}"));
        assert_eq!(found.len(), 1, "one cause is one error: {test}: {found:#?}");
        assert!(found[0].starts_with("3 ") && found[0].contains(" where: "), "{found:#?}");
        assert!(found[0].contains(code), "{test}: {found:#?}");
    }
}

#[test]
fn unknown_keys_and_ids_are_refused_with_a_suggestion() {
    let found = told(DefinitionKind::Group, "group: Big Deals\nobject: deal\nwher: 'true'");
    assert!(found.iter().any(|line| line.contains("invalid_id group") && line.contains("big-deals")), "{found:#?}");
    assert!(found.iter().any(|line| line.contains("unknown_key wher") && line.contains("\"where\"")), "{found:#?}");
    assert!(found.iter().any(|line| line.contains("missing_key")), "{found:#?}");
}

#[test]
fn a_calendar_has_days_and_at_least_one_on_which_business_is_done() {
    let calendar = |text: &str| told(DefinitionKind::Calendar, text);
    assert_eq!(calendar(SHOP), [""; 0]);
    assert_eq!(calendar("calendar: c"), [""; 0]);
    let cases = [
        ("holidays: [2026-02-30]", "invalid_time holidays[0]"),
        ("holidays: [2026-12-25, 2026-12-25]", "duplicate_id holidays[1]"),
        ("weekend: [sunday]", "unknown_word weekend[0]"),
        ("weekend: [sun, sun]", "duplicate_id weekend[1]"),
        ("weekend: [mon, tue, wed, thu, fri, sat, sun]", "invalid_value weekend"),
        ("import: holidays.ics", "unknown_key import"),
    ];
    for (keys, expected) in cases {
        let found = calendar(&format!("calendar: c\n{keys}"));
        assert!(found.len() == 1 && found[0].contains(expected), "{keys}: {found:#?}");
    }
}

#[test]
fn a_type_of_activities_has_fields_as_an_object_has() {
    let activity = |text: &str| told(DefinitionKind::Activity, text);
    assert_eq!(
        activity(
            "activity: call\nfields: {topic: {type: text, required: true, default: 1.10}}\nobjects: [deal, buyer]"
        ),
        [""; 0]
    );
    assert_eq!(activity("activity: to-do"), [""; 0]);
    let cases = [
        ("objects: [deel]", "unknown_object objects[0]"),
        ("objects: [deal, deal]", "duplicate_id objects[1]"),
        ("objects: []", "invalid_value objects"),
        ("fields: {id: {type: text}}", "not_allowed fields.id"),
        ("fields: {Topic: {type: text}}", "invalid_id fields.Topic"),
        ("fields: {topic: {type: option}}", "missing_key fields.topic"),
        ("fields: {topic: {type: number, default: much}}", "invalid_value fields.topic.default"),
        ("fields: {topic: {type: text, unique: true}}", "not_allowed fields.topic.unique"),
        ("fields: {topic: {type: text, indexed: true}}", "not_allowed fields.topic.indexed"),
        ("object: deal", "unknown_key object"),
    ];
    for (keys, expected) in cases {
        let found = activity(&format!("activity: call\n{keys}"));
        assert!(found.len() == 1 && found[0].contains(expected), "{keys}: {found:#?}");
    }
}

fn definitions() -> Definitions {
    let mut definitions = Definitions::default();
    for (kind, id, text) in [(DefinitionKind::Group, "big", BIG), (DefinitionKind::Calendar, "shop", SHOP)] {
        definitions.insert(kind, id, &source(text).value).expect("it has no mistakes");
    }
    definitions
}

fn told_of(keys: &str, steps: &str) -> Vec<String> {
    let (objects, definitions) = (objects(), definitions());
    let text = format!("workflow: w\nowner: ada@example.com\n{keys}\nsteps:\n{steps}\n");
    let mut problems = check_workflow(&source(&text), Around::new(&objects).with(&definitions)).1;
    problems.retain(Problem::is_error);
    lines(&problems)
}

#[test]
fn a_workflow_names_groups_and_calendars_that_are_there() {
    let steps = "  - {id: a, type: condition, if: 'in_group(record, \"big\")'}\n  \
                 - {id: b, type: find_records, object: deal, in_group: big}";
    assert_eq!(told_of("object: deal\ncalendar: shop", steps), [""; 0]);
    assert_eq!(
        told_of("object: deal\ncalendar: shp", steps),
        [
            "4 unknown_definition calendar: expected a calendar that exists, found \"shp\"; there are shop; did you mean \"shop\"?"
        ]
    );
    let steps = "  - {id: a, type: condition, if: 'in_group(record, \"bigg\")'}\n  \
                 - {id: b, type: find_records, object: buyer, in_group: big}\n  \
                 - {id: c, type: condition, if: 'in_group(record.buyer, \"big\")'}\n  \
                 - {id: d, type: condition, if: 'in_group(record, vars.x)'}\n  \
                 - {id: e, type: condition, if: 'in_group(\"deal\", \"big\")'}";
    let found = told_of("object: deal", steps);
    for expected in [
        "unknown_definition steps[0].if: expected a group that exists, found \"bigg\"",
        "invalid_value steps[1].in_group: expected a group of \"buyer\", found one of \"deal\"",
        "expression_type steps[2].if: the group \"big\" is one of \"deal\", and the record is one of \"buyer\"",
        "expression_syntax steps[3].if",
        "expression_type steps[4].if",
    ] {
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn steps_and_triggers_name_calendars_that_are_there() {
    let steps = |calendar: &str| {
        format!(
            "  - {{id: a, type: delay, for: 3 business days, calendar: {calendar}}}\n  \
             - {{id: b, type: goal, until: 'record.amount > 1', timeout: 2 business days, calendar: {calendar}}}"
        )
    };
    assert_eq!(told_of("object: deal", &steps("shop")), [""; 0]);
    let found = told_of("object: deal", &steps("shp"));
    for place in ["steps[0].calendar", "steps[1].calendar"] {
        let expected = format!("unknown_definition {place}: expected a calendar that exists, found \"shp\"");
        assert!(found.iter().any(|line| line.contains(&expected)), "{expected}: {found:#?}");
    }
    let fires = |calendar: &str| {
        format!("triggers: [{{type: schedule, cron: '0 9 * * *', business_days: next, calendar: {calendar}}}]")
    };
    let end = "  - {id: end, type: note, text: x}";
    assert_eq!(told_of(&fires("shop"), end), [""; 0]);
    let found = told_of(&fires("shp"), end);
    assert!(found.iter().any(|line| line.contains("unknown_definition triggers[0].calendar")), "{found:#?}");
}

#[test]
fn a_calendar_by_which_nothing_is_counted_is_suspicious() {
    for step in [
        "{id: a, type: delay, for: 3d, calendar: []}",
        "{id: a, type: goal, on: [{type: webhook}], timeout: 3d, calendar: []}",
    ] {
        let (_, problems) = crate::support::check(&format!("workflow: w\nowner: ada@example.com\nsteps: [{step}]"));
        let found = problems.iter().filter(|problem| problem.path == "steps[0].calendar");
        assert_eq!(
            found.map(|problem| problem.code.as_str()).collect::<Vec<_>>(),
            ["suspicious"],
            "{step}: {problems:#?}"
        );
    }
    for length in ["0 business days", "1.5 business days", "3 business"] {
        let found = told_of("object: deal", &format!("  - {{id: a, type: delay, for: {length}}}"));
        assert!(found.iter().any(|line| line.contains("invalid_time steps[0].for")), "{length}: {found:#?}");
    }
}

#[test]
fn what_a_changed_object_leaves_wrong_in_a_group_is_found() {
    let (mut objects, definitions) = (objects(), definitions());
    assert_eq!(definitions.mistakes(Around::new(&objects)), []);
    objects.get_mut("deal").expect("it is there").fields.remove("amount");
    let found = definitions.mistakes(Around::new(&objects));
    let [(DefinitionKind::Group, id, problem)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((id.as_str(), problem.code.as_str()), ("big", "unknown_field"));
}
