//! The trigger `interaction`: which page views and interactions start a workflow, on which record, and once.

use std::collections::BTreeSet;
use std::sync::Arc;

use pawl_definition::{Source, Workflow};
use pawl_engine::{Event, Plan, PostedInteraction, Subject, triggers};
use pawl_runtime::NewInteraction;
use pawl_runtime::forget::{Forget, Stage};
use pawl_testkit::scenario::{
    Scenario, archived, completed, interaction, manual, nothing_began, page_view, scenario, waiting, whose,
};
use serde_json::{Map, json};

use crate::erasure::stored;
use crate::support::{CUSTOMER, with};

const LEAD: &str = "
object: lead
fields:
  email: {type: text, unique: true}
  phone: {type: text, indexed: true}
  city: {type: text}
";

const PRICING: &str = "https://shop.example.com/pricing?from=mail";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

/// The workflow `w` on leads, which listens with these keys.
fn on(keys: &str) -> String {
    let told = "  - {id: told, type: set_variables, values: {seen: '{{ trigger.interaction }}'}}";
    with(&format!("object: lead\ntriggers: [{{id: i, type: interaction{keys}}}]"), told)
}

fn shop(keys: &str) -> Scenario {
    let story = scenario().object(LEAD).object(CUSTOMER).workflow(&on(keys));
    story.record("lead", "ada", json!({"email": "ada@example.com", "phone": "1", "city": "Rome"}))
}

fn refused(story: &Scenario, posted: NewInteraction) -> (String, String) {
    let error = story.world().post_interaction(posted).expect_err("it is refused");
    (error.code, error.message)
}

#[test]
fn an_interaction_starts_the_workflows_on_its_record_and_is_seen_whole() {
    let global = with("", "  - {id: n, type: note, text: x}").replacen("workflow: w", "workflow: global", 1);
    let other = on("").replacen("workflow: w", "workflow: other", 1).replacen("object: lead", "object: customer", 1);
    let story = shop(", kind: page_view, url: /pricing").workflow(&global).workflow(&other);
    let data = Map::from_iter([("plan".to_owned(), json!("team"))]);
    let time = Some("2025-12-31T23:00:00Z".to_owned());
    let posted = NewInteraction { id: Some("v-1".to_owned()), data, time, ..page_view(PRICING, "lead", "ada") };
    let story = story.event(posted).run_until_idle();
    let seen = json!({
        "id": "v-1", "kind": "page_view", "url": PRICING, "at": "2025-12-31T23:00:00Z", "data": {"plan": "team"},
    });
    let story = story.expect(completed().of("w").variable("seen", seen));
    assert_eq!(story.world().executions().len(), 1, "neither the global workflow nor that on customers");
    assert_eq!(story.world().executions()[0].record.as_ref().map(ToString::to_string).as_deref(), Some("lead/ada"));
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn kind_and_page_must_fit() {
    for keys in
        ["", ", kind: page_view", ", kind: [download, page_view]", ", url: '*/pricing'", ", url: 'shop.example.com/*'"]
    {
        shop(keys).event(page_view(PRICING, "lead", "ada")).run_until_idle().expect(completed());
    }
    for keys in
        [", kind: download", ", kind: Page_view", ", kind: page_view, url: /prices", ", url: '/pricing?from=ad'"]
    {
        shop(keys).event(page_view(PRICING, "lead", "ada")).run_until_idle().expect(nothing_began());
    }
    let download = interaction("download", "lead", "ada");
    shop(", kind: download").event(download.clone()).run_until_idle().expect(completed());
    shop(", url: '*'").event(download).run_until_idle().expect(nothing_began());
    let filter = ", filter: 'trigger.interaction.data.x == 1'";
    let more = NewInteraction { data: Map::from_iter([("x".to_owned(), json!(1))]), ..interaction("a", "lead", "ada") };
    shop(filter).event(more).run_until_idle().expect(completed());
}

#[test]
fn a_record_is_found_by_a_unique_or_indexed_field() {
    for (field, value) in [("email", json!("ada@example.com")), ("phone", json!("1")), ("phone", json!(1))] {
        let posted = NewInteraction { record: whose(field, value), ..interaction("a", "lead", "") };
        shop("").event(posted).run_until_idle().expect(completed());
    }
}

#[test]
fn what_is_about_no_one_record_is_refused_with_the_reason() {
    let story = shop("").record("lead", "bo", json!({"phone": "1"})).record("lead", "old", json!({"email": "old"}));
    let story = story.event(archived("lead", "old")).run_until_idle();
    let by = |record| NewInteraction { record, ..interaction("a", "lead", "") };
    for (code, posted) in [
        ("no_record", interaction("a", "lead", "nobody")),
        ("no_object", interaction("a", "visitor", "ada")),
        ("no_record", by(whose("email", json!("x@example.com")))),
        ("ambiguous_record", by(whose("phone", json!("1")))),
        ("record_archived", by(whose("email", json!("old")))),
        ("record_archived", interaction("a", "lead", "old")),
        ("blank_match", by(whose("email", json!(" ")))),
        ("bad_filter", by(whose("city", json!("Rome")))),
        ("bad_filter", by(whose("colour", json!("red")))),
        ("bad_filter", by(whose("email", json!(["a", "b"])))),
        ("invalid_event", interaction(" ", "lead", "ada")),
        ("invalid_event", interaction("a\nb", "lead", "ada")),
        ("invalid_event", page_view("pricing", "lead", "ada")),
        ("invalid_event", NewInteraction { time: Some("today".to_owned()), ..interaction("a", "lead", "ada") }),
        ("invalid_event", NewInteraction { id: Some("x".repeat(256)), ..interaction("a", "lead", "ada") }),
    ] {
        assert_eq!(refused(&story, posted.clone()).0, code, "{posted:?}");
    }
    let (_, message) = refused(&story, by(whose("city", json!("Rome"))));
    assert_eq!(message, r#"expected a unique or indexed field of "lead" (email, phone), found "city""#);
    story.run_until_idle().expect(nothing_began());
}

#[test]
fn a_repeat_starts_nothing_and_gets_the_first_answer() {
    let story = shop("");
    let posted = |id: &str, kind: &str| NewInteraction { id: Some(id.to_owned()), ..interaction(kind, "lead", "ada") };
    let first = story.world().post_interaction(posted("1", "a")).expect("it fits");
    let story = story.run_until_idle().event(archived("lead", "ada")).run_until_idle();
    let again = story.world().post_interaction(posted("1", "a")).expect("the record is not looked at again");
    assert_eq!((again.event_id, again.repeat.is_some()), (first.event_id, true));
    assert_eq!(refused(&story, posted("1", "b")).0, "idempotency_key_reused");
    assert_eq!(story.run_until_idle().world().executions().len(), 1);
}

#[test]
fn an_event_of_the_bus_with_the_same_id_is_another_one() {
    let story = shop("");
    let posted = NewInteraction { id: Some("1".to_owned()), ..interaction("a", "lead", "ada") };
    let first = story.world().post_interaction(posted).expect("it fits");
    let identity = pawl_runtime::Identity { content: Some("x".to_owned()), ..pawl_runtime::Identity::of(Some("1")) };
    let posted = pawl_runtime::bus::POSTED;
    let earlier = at_once(story.world().system.ingest.earlier(posted, posted, &identity)).expect("memory is readable");
    assert_eq!(earlier, None);
    assert_ne!(first.event_id, pawl_engine::ids::posted_event_id("1"));
}

#[test]
fn a_goal_waits_for_an_interaction_of_its_own_record() {
    let steps = "
  - {id: came, type: goal, on: [{id: back, type: interaction, kind: page_view, url: /pricing}], timeout: 3d}";
    let story = shop("").record("lead", "bo", json!({})).workflow(&with("object: lead", steps));
    let story = story.event(page_view(PRICING, "lead", "ada")).event(manual("w").on("lead", "ada")).settle();
    let story = story.event(page_view(PRICING, "lead", "bo")).event(page_view("/prices", "lead", "ada")).settle();
    let story = story.expect(waiting());
    story.event(page_view("/pricing", "lead", "ada")).settle().expect(completed().path(["came:met"]));
}

#[test]
fn values_of_an_interaction_are_forgotten_with_its_record() {
    let secret = "vera.probe@example.com";
    let story = shop("");
    let data = Map::from_iter([("typed".to_owned(), json!(secret)), ("long".to_owned(), json!(secret.repeat(9_000)))]);
    let url = Some(format!("/search?q={secret}"));
    let posted = NewInteraction { url, data, id: Some("1".to_owned()), ..interaction("search", "lead", "ada") };
    let story = story.event(posted).run_until_idle().expect(completed());
    let holds = |story: &Scenario| {
        let items = stored(story.world()).into_iter();
        let items = items.filter(|(_, item)| item.body.contains(secret)).count();
        items + story.world().store.blob_keys().len()
    };
    assert_ne!(holds(&story), 0);
    let record = Subject { object: "lead".to_owned(), id: "ada".to_owned() };
    let order = Forget { record, cancel: false, everywhere: false, act: story.world().act() };
    let mut stage: Option<Stage> = None;
    loop {
        let done = at_once(story.world().system.forgetting.forget(&order, stage.take())).expect("it is forgotten");
        match done.next {
            Some(next) => stage = Some(next),
            None => break,
        }
    }
    assert_eq!(holds(&story), 0);
    assert_eq!(refused(&story, interaction("search", "lead", "ada")).0, "record_forgotten");
}

/// The terms under which a workflow is listed, and whether an interaction finds it.
fn listed(keys: &str, posted: &Event) -> (BTreeSet<String>, bool) {
    let source = Source::parse("w", &on(keys)).expect("it is YAML");
    let workflow: Workflow = serde_json::from_value(source.value.clone()).expect("it fits");
    let terms = triggers::terms(&workflow);
    let topics = posted.workflow_topics();
    let found = terms.iter().any(|term| {
        let [topic, dimension, values] = term.split('|').collect::<Vec<_>>()[..] else { panic!("{term}") };
        let answer = triggers::answer(dimension, posted, None);
        topics.contains(topic) && answer == triggers::Answer::Values(values.to_owned())
    });
    let plan = Plan::new(Arc::new(workflow), 1);
    let matches = plan.workflow.triggers.iter().any(|trigger| triggers::matches(trigger, &plan, posted));
    assert!(!matches || found, "{keys} matches, and is not found");
    (terms, found)
}

#[test]
fn a_workflow_is_listed_by_object_and_kind() {
    let posted = PostedInteraction {
        id: None,
        kind: "page_view".to_owned(),
        url: Some(PRICING.to_owned()),
        at: jiff::Timestamp::UNIX_EPOCH,
        data: Map::new(),
    };
    let record = Subject { object: "lead".to_owned(), id: "ada".to_owned() };
    let posted = posted.event(record, jiff::Timestamp::UNIX_EPOCH, || "evt_1".to_owned());
    let one = |term: &str| BTreeSet::from([term.to_owned()]);
    assert_eq!(listed("", &posted), (one("interaction/lead|interaction|"), true));
    let by_kind = |kind: &str| format!("interaction/lead|interaction;as:trigger.interaction.kind|{kind}");
    assert_eq!(listed(", kind: page_view", &posted), (one(&by_kind("page_view")), true));
    assert_eq!(listed(", kind: download", &posted), (one(&by_kind("download")), false));
    let both = BTreeSet::from([by_kind("page_view"), by_kind("download")]);
    assert_eq!(listed(", kind: [download, page_view], url: /pricing", &posted), (both, true));
}
