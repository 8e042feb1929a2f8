//! What becomes of messages that were sent, as providers tell it: in the plain shape of the API, or in that of Amazon SES ([`ses`]).

mod ses;

use jiff::Timestamp;
use pawl_definition::trigger::MailEventKind;
use pawl_definition::value::{self, is_blank_text};
use pawl_engine::{Event, MailEvent};

pub use ses::events as of_ses;

/// Most bytes of an id, which is a part of the key by which a repeat is known.
const ID_MOST: usize = 255;

/// Most bytes of the id of a message, a template and an address: a header of a message has no longer line.
const NAME_MOST: usize = 998;

/// Most bytes of a link and of a reason.
const TEXT_MOST: usize = 8 * 1024;

/// Why it cannot be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct MailEventError {
    /// The key that is wrong.
    pub key: &'static str,
    /// What was expected and what was found.
    pub message: String,
}

/// The event that tells what became of a message, as of when it was told.
///
/// # Errors
/// A text is blank or too long, the address is none, or a key is missing or does not belong to what happened.
pub fn event(told: MailEvent, told_at: Timestamp) -> Result<Event, MailEventError> {
    let wrong = |key, message: &str| Err(MailEventError { key, message: message.to_owned() });
    if !MailEventKind::OF_SENT.contains(&told.kind) {
        return wrong("event", "expected what became of a message that was sent, found one that came in");
    }
    let (is_bounce, is_click) = (told.kind == MailEventKind::Bounced, told.kind == MailEventKind::Clicked);
    match (&told.bounce, &told.link) {
        (Some(_), _) if !is_bounce => return wrong("bounce", "expected only with `event: bounced`"),
        (None, _) if is_bounce => return wrong("bounce", "expected with `event: bounced`, found none"),
        (_, Some(_)) if !is_click => return wrong("link", "expected only with `event: clicked`"),
        _ => {}
    }
    let reason = told.bounce.as_ref().and_then(|bounce| bounce.reason.as_ref());
    check("id", Some(&told.id), ID_MOST)?;
    check("message_id", Some(&told.message_id), NAME_MOST)?;
    check("template", told.template.as_ref(), NAME_MOST)?;
    check("link", told.link.as_ref(), TEXT_MOST)?;
    check("bounce.reason", reason, TEXT_MOST)?;
    let to = value::email(&told.to).filter(|address| address.len() <= NAME_MOST);
    let Some(to) = to else { return wrong("to", "expected an e-mail address such as ada@example.com") };
    Ok(MailEvent { to, ..told }.event(told_at))
}

fn check(key: &'static str, text: Option<&String>, most: usize) -> Result<(), MailEventError> {
    if text.is_none_or(|text| !is_blank_text(text) && text.len() <= most) {
        return Ok(());
    }
    Err(MailEventError { key, message: format!("expected 1 to {most} bytes, and not blanks alone") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pawl_definition::trigger::BounceKind;
    use pawl_engine::Bounce;

    fn of(kind: MailEventKind) -> MailEvent {
        MailEvent {
            id: "1".to_owned(),
            kind,
            to: " Ada@Example.com".to_owned(),
            message_id: "m-1".to_owned(),
            template: None,
            link: None,
            bounce: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn wrong(told: MailEvent) -> Option<&'static str> {
        event(told, Timestamp::UNIX_EPOCH).err().map(|error| error.key)
    }

    #[test]
    fn an_address_is_kept_as_fields_keep_it() {
        let event = event(of(MailEventKind::Opened), Timestamp::UNIX_EPOCH).expect("it has no mistakes");
        assert_eq!(event.mail_address(), Some("ada@example.com"));
        let none = MailEvent { to: "ada".to_owned(), ..of(MailEventKind::Opened) };
        assert_eq!(wrong(none), Some("to"));
    }

    #[test]
    fn a_reason_belongs_to_a_bounce_and_a_link_to_a_click() {
        let bounce = Some(Bounce { kind: BounceKind::Permanent, reason: None });
        let link = Some("https://example.com".to_owned());
        assert_eq!(wrong(MailEvent { bounce: bounce.clone(), ..of(MailEventKind::Bounced) }), None);
        assert_eq!(wrong(of(MailEventKind::Bounced)), Some("bounce"));
        assert_eq!(wrong(MailEvent { bounce, ..of(MailEventKind::Opened) }), Some("bounce"));
        assert_eq!(wrong(MailEvent { link: link.clone(), ..of(MailEventKind::Clicked) }), None);
        assert_eq!(wrong(MailEvent { link, ..of(MailEventKind::Delivered) }), Some("link"));
        assert_eq!(wrong(of(MailEventKind::Clicked)), None, "a provider may not tell which");
    }

    #[test]
    fn texts_are_there_and_bounded() {
        let with = |id: &str, template: Option<&str>| MailEvent {
            id: id.to_owned(),
            template: template.map(str::to_owned),
            ..of(MailEventKind::Opened)
        };
        assert_eq!(wrong(with("1", Some("welcome"))), None);
        assert_eq!(wrong(with(" ", None)), Some("id"));
        assert_eq!(wrong(with(&"1".repeat(ID_MOST + 1), None)), Some("id"));
        assert_eq!(wrong(with("1", Some(""))), Some("template"));
    }
}
