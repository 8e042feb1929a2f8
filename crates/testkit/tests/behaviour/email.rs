//! The trigger `email`: which records a message finds by its address, what fires it, and what a repeat does.

use pawl_definition::trigger::{BounceKind, MailEventKind};
use pawl_engine::Subject;
use pawl_runtime::forget::{Forget, Stage};
use pawl_testkit::scenario::{Mail, Scenario, World, archived, bus_says, completed, mail, manual, scenario, waiting};
use serde_json::{Value, json};

use crate::support::with;

const CONTACT: &str = "
object: contact
fields:
  address: {type: email, unique: true}
  name: {type: text}
contact: {email: address}
";

/// A household: several records may have one address.
const LEAD: &str = "
object: lead
fields:
  mail: {type: email, indexed: true}
contact: {email: mail}
";

/// Its address is no address to write to.
const INVOICE: &str = "
object: invoice
fields:
  mail: {type: email, indexed: true}
";

const ADA: &str = "ada@example.com";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

fn shop() -> Scenario {
    scenario().object(CONTACT).object(LEAD).object(INVOICE).record(
        "contact",
        "ada",
        json!({"address": "Ada@Example.com"}),
    )
}

/// A workflow that notes what became of a message.
fn listens(name: &str, object: &str, keys: &str) -> String {
    let text = "  - {id: told, type: note, text: '{{ trigger.email.event }} {{ trigger.email.to }} {{ record.id }}'}";
    let keys = format!("object: {object}\ntriggers: [{{id: mail, type: email{keys}}}]");
    with(&keys, text).replacen("workflow: w", &format!("workflow: {name}"), 1)
}

fn hear(story: &Scenario, mail: Mail) {
    story.world().hear_of_mail(mail).expect("it has no mistakes");
}

fn bounced(to: &str) -> Mail {
    mail(MailEventKind::Bounced, to).bounce(BounceKind::Permanent, Some("user unknown"))
}

fn clicked(link: &str) -> Mail {
    mail(MailEventKind::Clicked, ADA).link(link)
}

/// What executions of a workflow noted.
fn noted(world: &World, workflow: &str) -> Vec<String> {
    let executions = world.executions().into_iter().filter(|execution| execution.workflow == workflow);
    let note = |id: &str| world.trace(id).rows.iter().find_map(|row| row.note.clone()).unwrap_or_default();
    let mut notes: Vec<_> = executions.map(|execution| note(&execution.id)).collect();
    notes.sort();
    notes
}

#[test]
fn a_message_finds_its_record_by_the_address_whatever_its_case() {
    let story = shop().workflow(&listens("w", "contact", ""));
    for (kind, to) in [(MailEventKind::Opened, " ADA@example.com "), (MailEventKind::Delivered, ADA)] {
        hear(&story, mail(kind, to));
    }
    hear(&story, mail(MailEventKind::Opened, "eve@example.com"));
    let story = story.run_until_idle();
    assert_eq!(noted(story.world(), "w"), ["delivered ada@example.com ada", "opened ada@example.com ada"]);
    assert_eq!(story.world().refusals("w"), []);
}

#[test]
fn each_record_with_the_address_starts_a_workflow_once() {
    let mut story = shop().workflow(&listens("w", "lead", "")).workflow(&listens("on-contacts", "contact", ""));
    let leads: Vec<_> = (0..12).map(|number| format!("l{number:02}")).collect();
    for lead in &leads {
        story = story.record("lead", lead, json!({"mail": ADA}));
    }
    story =
        story.record("lead", "other", json!({"mail": "bob@example.com"})).record("invoice", "i", json!({"mail": ADA}));
    for _ in 0..2 {
        hear(&story, bounced(ADA).id("e-1"));
        story = story.run_until_idle();
    }
    let expected: Vec<_> = leads.iter().map(|lead| format!("bounced {ADA} {lead}")).collect();
    assert_eq!(noted(story.world(), "w"), expected);
    assert_eq!(noted(story.world(), "on-contacts"), [format!("bounced {ADA} ada")]);
}

#[test]
fn a_repeat_under_one_id_gets_the_first_answer() {
    let story = shop().workflow(&listens("w", "contact", ""));
    let first = story.world().hear_of_mail(bounced(ADA).id("e-1")).expect("it has no mistakes");
    let again = story.world().hear_of_mail(bounced(ADA).id("e-1")).expect("it has no mistakes");
    assert_eq!((first.repeat.is_some(), again.repeat.is_some()), (false, true));
    assert_eq!(first.event_id, again.event_id);
    hear(&story, bounced(ADA).id("e-2"));
    assert_eq!(noted(story.run_until_idle().world(), "w").len(), 2);
}

#[test]
fn keys_say_which_events_templates_and_links_count() {
    let said = [
        mail(MailEventKind::Delivered, ADA).template("welcome"),
        mail(MailEventKind::Opened, ADA).template("invoice"),
        clicked("https://example.com/offer?utm_source=mail").template("welcome"),
        clicked("https://example.com/unsubscribe"),
        mail(MailEventKind::Clicked, ADA),
        bounced(ADA),
        mail(MailEventKind::Complained, ADA),
        mail(MailEventKind::Unsubscribed, ADA),
    ];
    for (keys, expected) in [
        ("", 8),
        (", event: clicked", 3),
        (", event: [bounced, complained, unsubscribed]", 3),
        (", template: welcome", 2),
        (", template: [welcome, invoice]", 3),
        (", event: [delivered, opened], template: invoice", 1),
        (", event: clicked, link: 'https://example.com/offer*'", 1),
        (", event: clicked, link: ['*/offer*', '*/unsubscribe']", 2),
        (", event: clicked, link: 'https://example.com/offer'", 0),
        (", event: bounced, filter: 'trigger.email.bounce.type == \"permanent\"'", 1),
        (", event: bounced, filter: 'trigger.email.bounce.reason == \"mailbox full\"'", 0),
        (", filter: 'trigger.email.link == \"https://example.com/unsubscribe\"'", 1),
        (", enabled: false", 0),
    ] {
        let story = shop().workflow(&listens("w", "contact", keys));
        said.iter().cloned().for_each(|mail| hear(&story, mail));
        assert_eq!(noted(story.run_until_idle().world(), "w").len(), expected, "{keys}");
    }
}

#[test]
fn a_record_in_the_archive_hears_nothing() {
    let story = shop().workflow(&listens("w", "contact", "")).event(archived("contact", "ada"));
    hear(&story, bounced(ADA));
    assert_eq!(noted(story.run_until_idle().world(), "w"), [""; 0]);
}

#[test]
fn what_happened_before_the_activation_starts_nothing() {
    let story = shop().workflow(&listens("w", "contact", ""));
    let switch = |active| {
        at_once(story.world().system.workflows.set_active("w", active)).expect("it can be switched");
    };
    switch(false);
    hear(&story, bounced(ADA));
    let story = story.run_for("1h");
    at_once(story.world().system.workflows.set_active("w", true)).expect("it can be switched");
    hear(&story, bounced(ADA));
    assert_eq!(noted(story.run_until_idle().world(), "w").len(), 1);
}

#[test]
fn a_goal_waits_for_what_becomes_of_messages_to_its_record() {
    let steps = "
  - {id: seen, type: goal, on: [{id: mail, type: email, event: [opened, clicked], template: offer}], timeout: 3d}";
    let story = shop().record("contact", "bob", json!({"address": "bob@example.com"}));
    let story = story.workflow(&with("object: contact", steps)).event(manual("w").on("contact", "ada"));
    let story = story.settle().expect(waiting());
    hear(&story, mail(MailEventKind::Opened, "bob@example.com").template("offer"));
    hear(&story, mail(MailEventKind::Delivered, ADA).template("offer"));
    hear(&story, mail(MailEventKind::Opened, ADA).template("welcome"));
    let story = story.run_for("1h").expect(waiting());
    hear(&story, clicked("https://example.com").template("offer"));
    story.run_for("1h").expect(completed().path(["seen:met"]));
}

#[test]
fn mail_that_workflows_answer_by_mail_events_is_bounded_by_their_limits() {
    let keys = "object: contact\nlimits: {cooldown: 1h}\ntriggers: [{type: email}]";
    let story = shop().workflow(&with(keys, "  - {id: a, type: note, text: x}"));
    for number in 0..5 {
        hear(&story, mail(MailEventKind::Opened, ADA).id(&format!("e-{number}")));
    }
    let story = story.run_until_idle();
    assert_eq!((story.world().executions().len(), story.world().refusals("w").len()), (1, 4));
}

fn of_ses(kind: &str, key: &str, inside: &Value) -> Value {
    json!({
        "version": "0", "id": "ses-1", "source": "aws.ses", "detail-type": format!("Email {kind}"),
        "time": "2026-01-01T00:00:00Z", "resources": [],
        "detail": {"eventType": kind, "mail": {"messageId": "m-1", "destination": ["Ada <ada@example.com>"]}, key: inside},
    })
}

#[test]
fn an_event_of_ses_on_the_bus_is_heard_by_both_triggers() {
    let on_bus = "triggers: [{type: event, pattern: {source: [aws.ses]}}]";
    let on_bus = with(on_bus, "  - {id: a, type: note, text: '{{ trigger.event.detail.eventType }}'}");
    let story =
        shop().workflow(&listens("w", "contact", "")).workflow(&on_bus.replacen("workflow: w", "workflow: raw", 1));
    let bounce = json!({"bounceType": "Permanent", "timestamp": "2026-01-01T00:00:00Z",
        "bouncedRecipients": [{"emailAddress": "Ada@example.com"}, {"emailAddress": "eve@example.com"}]});
    let mut story = story;
    for _ in 0..2 {
        story = story.event(bus_says(of_ses("Bounce", "bounce", &bounce))).run_until_idle();
    }
    assert_eq!(noted(story.world(), "w"), ["bounced ada@example.com ada"]);
    assert_eq!(noted(story.world(), "raw"), ["Bounce"]);
}

#[test]
fn a_message_of_a_forgotten_record_leaves_nothing() {
    let story = shop().workflow(&listens("w", "contact", ""));
    hear(&story, bounced(ADA).id("e-1"));
    let story = story.run_until_idle();
    let ada = Subject { object: "contact".to_owned(), id: "ada".to_owned() };
    let order = Forget { record: ada, cancel: false, everywhere: false, act: story.world().act() };
    let mut stage: Option<Stage> = None;
    loop {
        let done = at_once(story.world().system.forgetting.forget(&order, stage.take())).expect("it is forgotten");
        match done.next {
            Some(next) => stage = Some(next),
            None => break,
        }
    }
    hear(&story, bounced(ADA).id("e-2"));
    let story = story.run_until_idle();
    assert_eq!(story.world().executions().len(), 1);
    for table in pawl_testkit::scenario::TABLES {
        for item in story.world().store.items(table) {
            let text = format!("{item:?}");
            assert!(!text.contains(ADA) && !text.contains("user unknown"), "{text}");
        }
    }
}
