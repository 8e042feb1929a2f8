//! What is told of triggers for what becomes of messages.

use std::collections::BTreeMap;

use pawl_definition::{Around, Object, Problem, Source, check_object, check_workflow};

const CONTACT: &str = "object: contact\nfields: {address: {type: email, unique: true}}\ncontact: {email: address}";
const UNINDEXED: &str = "object: visitor\nfields: {address: {type: email}}\ncontact: {email: address}";
const UNADDRESSED: &str = "object: company\nfields: {address: {type: email, unique: true}}";

fn source(text: &str) -> Source {
    Source::parse("file.yaml", text).expect("it is YAML")
}

/// The errors of a workflow of one step: code and place.
fn told_of(keys: &str, step: &str) -> Vec<String> {
    let read = |text: &str| check_object(&source(text)).0.expect("the object is right");
    let objects: BTreeMap<String, Object> =
        [CONTACT, UNINDEXED, UNADDRESSED].map(read).map(|object| (object.id.clone(), object)).into();
    let text = format!("workflow: w\nowner: ada@example.com\n{keys}\nsteps:\n  - {step}\n");
    let mut problems = check_workflow(&source(&text), Around::new(&objects)).1;
    problems.retain(Problem::is_error);
    problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
}

fn on(object: &str, keys: &str) -> Vec<String> {
    let text = "{id: a, type: note, text: '{{ trigger.email.event }} {{ trigger.email.to }} {{ trigger.email.at }}'}";
    told_of(&format!("{object}\ntriggers: [{{id: t, type: email{keys}}}]"), text)
}

#[test]
fn records_are_found_by_the_address_of_their_object() {
    assert_eq!(on("object: contact", ""), [""; 0]);
    assert_eq!(on("object: company", ""), ["unknown_field triggers[0]"], "it has no contact");
    assert_eq!(on("object: visitor", ""), ["invalid_value triggers[0]"], "its address is not indexed");
    assert_eq!(on("", ""), ["no_record triggers[0].type"]);
}

#[test]
fn keys_name_events_of_sent_messages() {
    for keys in ["event: bounced", "event: [opened, clicked], template: welcome", "event: clicked, link: 'https://*'"] {
        assert_eq!(on("object: contact", &format!(", {keys}")), [""; 0], "{keys}");
    }
    for (keys, expected) in [
        ("event: received", "not_available triggers[0].event"),
        ("event: [bounced, received]", "not_available triggers[0].event[1]"),
        ("event: []", "invalid_value triggers[0].event"),
        ("template: []", "invalid_value triggers[0].template"),
        ("event: opened, link: 'https://*'", "not_allowed triggers[0].link"),
        ("event: [opened, clicked], link: 'https://*'", "not_allowed triggers[0].link"),
        ("link: 'https://*'", "not_allowed triggers[0].link"),
        ("event: clicked, link: 'https://**'", "invalid_value triggers[0].link"),
        ("event: clicked, link: ['https://*', '\\x']", "invalid_value triggers[0].link[1]"),
        ("event: clicked, links: 'https://*'", "unknown_key triggers[0].links"),
    ] {
        assert_eq!(on("object: contact", &format!(", {keys}"))[0], expected, "{keys}");
    }
    assert!(!on("object: contact", ", event: sent").is_empty());
}

#[test]
fn what_a_message_has_follows_from_the_events_that_count() {
    let read = |keys: &str, path: &str| {
        let text = format!("{{id: a, type: note, text: '{{{{ trigger.email.{path} }}}}'}}");
        told_of(&format!("object: contact\ntriggers: [{{id: t, type: email{keys}}}]"), &text)
    };
    assert_eq!(read(", event: bounced", "bounce.type"), [""; 0]);
    assert_eq!(read("", "bounce.type"), [""; 0]);
    assert_eq!(read("", "bounce.kind").len(), 1, "it has no such key");
    assert_eq!(read("", "subject").len(), 1, "it has no such key");
    let compared = |keys: &str, filter: &str| {
        let keys = format!("object: contact\ntriggers: [{{id: t, type: email{keys}, filter: '{filter}'}}]");
        told_of(&keys, "{id: a, type: note, text: x}")
    };
    assert_eq!(compared(", event: bounced", "trigger.email.bounce.type == \"permanent\""), [""; 0]);
    assert_eq!(compared(", event: bounced", "trigger.email.bounce.type == \"hard\"").len(), 1, "it is never that");
    assert_eq!(compared(", event: bounced", "trigger.email.event == \"opened\"").len(), 1, "it is never that");
}

#[test]
fn a_goal_may_wait_for_a_message() {
    let goal = |keys: &str| format!("{{id: g, type: goal, on: [{{id: t, type: email{keys}}}], timeout: 3d}}");
    assert_eq!(told_of("object: contact", &goal(", event: [opened, clicked]")), [""; 0]);
    assert_eq!(told_of("object: contact", &goal(", event: received")), ["not_available steps[0].on[0].event"]);
    assert_eq!(told_of("", &goal("")), ["no_record steps[0].on[0].type"]);
}
