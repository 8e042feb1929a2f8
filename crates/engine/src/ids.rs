//! Ids that are derived, so that doing a thing twice names it once.

use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::Subject;

/// The id of the execution that an event starts of a workflow.
pub fn execution_id(event: &str, workflow: &str) -> String {
    format!("exe_{}", digest(&["execution", event, workflow]))
}

/// The id of the event by which a visit of a step starts one of its children.
pub fn child_event_id(execution: &str, address: &str, visit: u32, index: u32) -> String {
    format!("evt_{}", digest(&["child", execution, address, &visit.to_string(), &index.to_string()]))
}

/// The id of the event that the end of an execution becomes.
pub fn end_event_id(execution: &str) -> String {
    format!("evt_{}", digest(&["end", execution]))
}

/// The id of the event that a burst of events becomes, which the first of them began.
pub fn window_event_id(workflow: &str, key: &str, first_event: &str) -> String {
    format!("evt_{}", digest(&["window", workflow, key, first_event]))
}

/// The id of the event that a firing of a schedule becomes, which was planned for a time.
pub fn firing_event_id(workflow: &str, trigger: &str, at: Timestamp) -> String {
    format!("evt_{}", digest(&["firing", workflow, trigger, &at.to_string()]))
}

/// The id of the event of a date trigger, for a record and the time for which it was planned.
pub fn date_event_id((workflow, trigger): (&str, &str), record: &Subject, at: Timestamp) -> String {
    format!("evt_{}", digest(&["date", workflow, trigger, &record.object, &record.id, &at.to_string()]))
}

/// What stands for a schedule in the name of its timer.
pub fn schedule_digest(workflow: &str, trigger: &str) -> String {
    digest(&["schedule", workflow, trigger])
}

/// The id of the record that a step creates in one visit.
pub fn created_record_id(execution: &str, step: &str, visit: u32) -> String {
    format!("rec_{}", digest(&["record", execution, step, &visit.to_string()]))
}

/// The id of the activity that a step makes in one visit.
pub fn made_activity_id(execution: &str, step: &str, visit: u32) -> String {
    format!("act_{}", digest(&["activity", execution, step, &visit.to_string()]))
}

/// The id of the record that is found or created by the value of a field.
pub fn matched_record_id(object: &str, field: &str, value: &str) -> String {
    format!("rec_{}", digest(&["match", object, field, value]))
}

/// The id of the record that a row of an imported file makes, if the row does not name one: the same for the same file.
pub fn imported_record_id(file: &str, object: &str, line: usize) -> String {
    format!("rec_{}", digest(&["import", file, object, &line.to_string()]))
}

/// The id of the event that a delivery with an idempotency key becomes.
pub fn delivery_event_id(workflow: &str, trigger: &str, key: &str) -> String {
    format!("evt_{}", digest(&["delivery", workflow, trigger, key]))
}

/// The id of deliveries that were rejected: those of one trigger with one code within an hour are one row.
pub fn rejection_id(workflow: &str, trigger: &str, code: &str, hour: i64) -> String {
    format!("rej_{}", digest(&["rejection", workflow, trigger, code, &hour.to_string()]))
}

/// The id of the event that a change of a record becomes.
pub fn change_event_id(object: &str, record: &str, version: u64) -> String {
    format!("evt_{}", digest(&["change", object, record, &version.to_string()]))
}

/// The id of the control that a step makes in one visit.
pub fn step_control_id(execution: &str, step: &str, visit: u32) -> String {
    format!("ctl_{}", digest(&["step control", execution, step, &visit.to_string()]))
}

/// What follows from the key of a request that begins an action.
pub fn action_digest(action: &str, key: &str) -> String {
    digest(&["action", action, key])
}

/// The id of the control by which an action touches an execution.
pub fn action_control_id(action: &str) -> String {
    format!("ctl_{}", digest(&["action control", action]))
}

/// The id of the event by which an action starts a workflow on a record.
pub fn action_event_id(action: &str, object: &str, record: &str) -> String {
    format!("evt_{}", digest(&["action start", action, object, record]))
}

/// The id of the signal that a step sends in one visit.
pub fn step_signal_id(execution: &str, step: &str, visit: u32) -> String {
    format!("sig_{}", digest(&["step signal", execution, step, &visit.to_string()]))
}

/// The id of the event, message or invocation that a step makes in one visit.
pub fn step_message_id(execution: &str, step: &str, visit: u32) -> String {
    format!("msg_{}", digest(&["step message", execution, step, &visit.to_string()]))
}

/// The id of the signal that a request with an idempotency key sends.
pub fn sent_signal_id(name: &str, key: &str) -> String {
    format!("sig_{}", digest(&["sent signal", name, key]))
}

/// The id of the signal that an event of the bus becomes.
pub fn bus_signal_id(id: &str) -> String {
    format!("sig_{}", digest(&["bus signal", id]))
}

/// The key by which an outside service recognises a repeated call.
pub fn idempotency_key(execution: &str, step: &str, visit: u32) -> String {
    format!("{execution}:{step}:{visit}")
}

/// Longest name of a Step Functions execution.
const MACHINE_NAME_MOST: usize = 80;

/// The name of the state machine's execution that a step starts in one visit: `<execution>-<step>-<visit>`, of letters,
/// digits, `-` and `_`; what is longer than a name may be is told by a digest.
pub fn state_machine_name(execution: &str, step: &str, visit: u32) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let visit = visit.to_string();
    let name = format!("{execution}-{step}-{visit}");
    if name.len() <= MACHINE_NAME_MOST && name.chars().all(is_safe) {
        return name;
    }
    let shown: String = execution.chars().filter(|c| is_safe(*c)).take(40).collect();
    format!("{shown}-{}", digest(&["state machine", execution, step, &visit]))
}

/// The token by which a state machine calls back, of one visit. Nobody who does not know the invocation's chance can
/// guess it.
pub fn callback_token(invocation: &str, execution: &str, step: &str, visit: u32) -> String {
    format!("pawl_{}", digest(&["callback token", invocation, execution, step, &visit.to_string()]))
}

/// The topic of callbacks with a token. The token cannot be derived from the topic.
pub fn callback_topic(token: &str) -> String {
    format!("{CALLBACK}{}", digest(&["callback", token]))
}

const CALLBACK: &str = "callback/";

/// Whether a topic is one of callbacks.
pub fn is_callback(topic: &str) -> bool {
    topic.starts_with(CALLBACK)
}

/// What workflows listen on for all records of an object.
pub fn object_topic(object: &str) -> String {
    format!("object/{object}")
}

/// What a step listens on for deliveries to a webhook.
pub fn webhook_topic(workflow: &str, trigger: &str) -> String {
    format!("hook/{workflow}/{trigger}")
}

/// What a step listens on for the end of a state machine's execution.
pub fn state_machine_topic(execution_arn: &str) -> String {
    format!("state-machine/{execution_arn}")
}

/// The id of the event that the log of an activity is for one of its records, or for none.
pub fn logged_event_id(activity: &str, record: Option<&Subject>) -> String {
    let of = |part: fn(&Subject) -> &str| record.map_or("", part);
    format!("evt_{}", digest(&["logged", activity, of(|record| &record.object), of(|record| &record.id)]))
}

/// The id of the event that an activity is overdue, which was due at a time, for one of its records or for none; of a trigger that
/// fires later, for the time of its firing.
pub fn overdue_event_id(
    (activity, at): (&str, Timestamp),
    record: Option<&Subject>,
    trigger: Option<(&str, &str)>,
) -> String {
    let of = |part: fn(&Subject) -> &str| record.map_or("", part);
    let (workflow, trigger) = trigger.unwrap_or_default();
    let (object, record) = (of(|record| &record.object), of(|record| &record.id));
    format!("evt_{}", digest(&["overdue", activity, &at.to_string(), object, record, workflow, trigger]))
}

/// What is listened on for activities of a type that are logged.
pub fn activity_topic(activity: &str) -> String {
    format!("activity/{activity}")
}

/// What is listened on for activities of a type that are overdue.
pub fn overdue_topic(activity: &str) -> String {
    format!("overdue/{activity}")
}

/// What is listened on for interactions about records of an object.
pub fn interaction_topic(object: &str) -> String {
    format!("interaction/{object}")
}

/// The id of the event that something which became of a message is, to one address.
pub fn mail_event_id(id: &str, to: &str) -> String {
    format!("evt_{}", digest(&["mail", id, to]))
}

/// The id of the same event about a record that has the address.
pub fn mail_to_record_id(event: &str, record: &Subject) -> String {
    format!("evt_{}", digest(&["mail to", event, &record.object, &record.id]))
}

/// What is listened on for messages to the records of an object.
pub fn email_topic(object: &str) -> String {
    format!("email/{object}")
}

/// What is listened on for the ends of executions: of a workflow, or of any.
pub fn end_topic(workflow: Option<&str>) -> String {
    workflow.map_or_else(|| "ended".to_owned(), |workflow| format!("ended/{workflow}"))
}

/// What is listened on for events of the bus: of a source, or of any. A source is a text that its sender chose.
pub fn bus_topic(source: Option<&str>) -> String {
    let is_simple = |text: &str| {
        text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/:".contains(&byte))
    };
    match source {
        None => "bus".to_owned(),
        Some(source) if is_simple(source) => format!("bus/{source}"),
        Some(source) => format!("bus//{}", value_digest(source)),
    }
}

/// What a step listens on for events of a topic about its record.
pub fn topic_on_record(topic: &str, record: &Subject) -> String {
    format!("{topic}|{}", record.topic())
}

/// A long value in a key, by which it is looked up.
pub fn value_digest(text: &str) -> String {
    digest(&["value", text])
}

/// The key of a limit, where executions that count for it are looked up: the key itself may be a value of a record.
pub fn slot_key_digest(key: &str) -> String {
    digest(&["slot key", key])
}

/// The id of the event that an event of the bus becomes.
pub fn bus_event_id(id: &str) -> String {
    format!("evt_{}", digest(&["bus", id]))
}

/// The id of the event that an event from outside becomes, which has this id there.
pub fn posted_event_id(id: &str) -> String {
    format!("evt_{}", digest(&["posted", id]))
}

/// The id of the event that an interaction becomes, which has this id at its sender.
pub fn interaction_event_id(id: &str) -> String {
    format!("evt_{}", digest(&["interaction", id]))
}

/// A fraction in `[0, 1)` that depends only on its parts; spreads retries.
pub fn fraction(parts: &[&str]) -> f64 {
    let digest = digest(parts);
    let bits = u32::from_str_radix(&digest[..8], 16).expect("a digest is hexadecimal");
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

/// A number below `many` that depends only on the parts: which of several equal places something goes to. It decides where
/// items are stored, so it never changes.
pub fn one_of(parts: &[&str], many: u8) -> u8 {
    u8::try_from(number_below(parts, many.into())).expect("it is below a number of eight bits")
}

/// The same, below a larger number.
pub fn number_below(parts: &[&str], many: u32) -> u32 {
    let digest = digest(parts);
    let bits = u32::from_str_radix(&digest[..8], 16).expect("a digest is hexadecimal");
    bits % many.max(1)
}

/// The first 128 bits of SHA-256 over the parts, length-prefixed so that no two lists of parts meet.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).expect("a length fits 64 bits").to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize()[..16])
}

/// The name of content: lower-case hexadecimal SHA-256.
pub fn content_hash(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
