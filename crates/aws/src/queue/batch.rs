//! Messages in pieces that the service takes.

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use jiff::SignedDuration;
use pawl_runtime::ports::Message;

/// Most messages in one batch.
const ENTRIES_MOST: usize = 10;

/// Most bytes in one batch. The service takes 1 MiB by now; the old bound costs nothing and holds everywhere.
const BYTES_MOST: usize = 256 * 1024;

/// Longest name of a fairness group.
const GROUP_MOST: usize = 128;

/// Packs messages, in order, into as few batches as their order allows.
pub(super) fn pack(messages: Vec<Message>) -> Vec<Vec<SendMessageBatchRequestEntry>> {
    let mut batches: Vec<Vec<SendMessageBatchRequestEntry>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let body = sendable(message.body);
        bytes += body.len();
        let fits = |batch: &&mut Vec<_>| batch.len() < ENTRIES_MOST && bytes <= BYTES_MOST;
        let entry = |place: usize, body: String| entry(place, body, message.delay, &message.group);
        if let Some(batch) = batches.last_mut().filter(fits) {
            batch.push(entry(batch.len(), body));
        } else {
            bytes = body.len();
            batches.push(vec![entry(0, body)]);
        }
    }
    batches
}

fn entry(place: usize, body: String, delay: SignedDuration, group: &str) -> SendMessageBatchRequestEntry {
    let entry = SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(body)
        .delay_seconds(whole_seconds(delay))
        .set_message_group_id(fair(group));
    entry.build().expect("an entry has an id and a body")
}

/// One message with a count beside its body.
pub(super) fn counted(message: Message, name: &str, count: u32) -> SendMessageBatchRequestEntry {
    let value = MessageAttributeValue::builder().data_type("Number").string_value(count.to_string()).build();
    let mut entry = entry(0, sendable(message.body), message.delay, &message.group);
    entry.message_attributes = Some([(name.to_owned(), value.expect("it has a type"))].into());
    entry
}

/// Rounded up: never early.
pub(super) fn whole_seconds(delay: SignedDuration) -> i32 {
    let seconds = delay.as_secs() + i64::from(delay.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// A group as the service takes it: letters, digits and punctuation of ASCII. Two groups that become one share their
/// fairness, nothing else.
fn fair(group: &str) -> Option<String> {
    let letter = |letter: char| if letter.is_ascii_graphic() { letter } else { '-' };
    let group: String = group.chars().take(GROUP_MOST).map(letter).collect();
    (!group.is_empty()).then_some(group)
}

/// A JSON text that says the same, without the two characters that XML, and so SQS, does not allow. They can stand
/// only inside strings.
fn sendable(body: String) -> String {
    if body.contains(['\u{FFFE}', '\u{FFFF}']) {
        return body.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff");
    }
    body
}

#[cfg(test)]
mod tests {
    use pawl_runtime::ports::rules::MAX_MESSAGE_BODY;
    use proptest::prelude::*;

    use super::*;

    fn message(body: String) -> Message {
        Message { body, delay: SignedDuration::ZERO, group: "triage".to_owned() }
    }

    proptest! {
        // Each case is megabytes of text.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_message_is_in_one_batch_in_order(sizes in proptest::collection::vec(0..MAX_MESSAGE_BODY, 0..16)) {
            let bodies: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
            let batches = pack(bodies.iter().cloned().map(message).collect());
            for batch in &batches {
                prop_assert!(!batch.is_empty() && batch.len() <= ENTRIES_MOST);
                prop_assert!(batch.iter().map(|entry| entry.message_body.len()).sum::<usize>() <= BYTES_MOST);
            }
            let packed: Vec<&String> = batches.iter().flatten().map(|entry| &entry.message_body).collect();
            prop_assert_eq!(packed, bodies.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_delay_is_never_early() {
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (900_000, 900)] {
            assert_eq!(whole_seconds(SignedDuration::from_millis(millis)), seconds);
        }
    }

    #[test]
    fn a_count_goes_beside_the_body() {
        let entry = counted(message("{}".to_owned()), "put_off", 3);
        let count = entry.message_attributes.as_ref().and_then(|all| all["put_off"].string_value());
        assert_eq!((entry.message_body.as_str(), count), ("{}", Some("3")));
        assert_eq!(entry.message_group_id.as_deref(), Some("triage"));
    }

    #[test]
    fn a_group_has_only_what_the_service_takes() {
        assert_eq!(fair("record#ticket"), Some("record#ticket".to_owned()));
        assert_eq!(fair("größe 1"), Some("gr--e-1".to_owned()));
        assert_eq!(fair(&"x".repeat(200)).map(|group| group.len()), Some(GROUP_MOST));
        assert_eq!(fair(""), None);
    }

    #[test]
    fn characters_that_xml_does_not_allow_are_escaped() {
        let text = "\u{FFFE} and \u{FFFF}";
        let body = sendable(serde_json::to_string(text).expect("a text is JSON"));
        assert!(!body.contains(['\u{FFFE}', '\u{FFFF}']), "SQS refuses {body}");
        assert_eq!(serde_json::from_str::<String>(&body).expect("JSON"), text);
    }
}
