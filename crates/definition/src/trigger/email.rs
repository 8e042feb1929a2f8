//! `email`: a message to the address of a record was delivered, opened, clicked, or came back.

use serde::{Deserialize, Serialize};

use super::{Listen, OneOrMany};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::pattern::Wildcard;
use crate::types::Type;
use crate::validate::Facts;
use crate::value::is_blank_text;
use crate::{Check, Object, code};

/// What can become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailEventKind {
    /// The mail server of the recipient took it.
    Delivered,
    /// The recipient, or a scanner, loaded its images.
    Opened,
    /// The recipient, or a scanner, followed a link of it.
    Clicked,
    /// It could not be delivered.
    Bounced,
    /// The recipient marked it as spam.
    Complained,
    /// The recipient wants no more messages.
    Unsubscribed,
    /// A message came in. Not available in this version.
    Received,
}

impl MailEventKind {
    /// Those of messages that were sent.
    pub const OF_SENT: [Self; 6] =
        [Self::Delivered, Self::Opened, Self::Clicked, Self::Bounced, Self::Complained, Self::Unsubscribed];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Unsubscribed => "unsubscribed",
            Self::Received => "received",
        }
    }

    /// The event of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::OF_SENT.into_iter().find(|kind| kind.word() == word)
    }
}

/// Why a message could not be delivered, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BounceKind {
    /// The address takes no mail, now or later.
    Permanent,
    /// Another attempt may succeed, or nobody knows.
    Transient,
}

impl BounceKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Permanent, Self::Transient];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
        }
    }
}

/// A link, in which `*` stands for any characters: `https://example.com/offer*`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct LinkPattern(Result<Wildcard, String>);

impl From<String> for LinkPattern {
    fn from(text: String) -> Self {
        if is_blank_text(&text) {
            return Self(Err("expected a link such as https://example.com/*, found an empty text".to_owned()));
        }
        Self(Wildcard::read(&text))
    }
}

#[cfg(feature = "describe")]
impl schemars::JsonSchema for LinkPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LinkPattern".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// The trigger `email`. The record is the one whose object has the address of the message in the field of `contact.email`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// What became of the message, or several of these; any of them if absent.
    #[serde(default)]
    pub event: Option<OneOrMany<MailEventKind>>,
    /// The template of the message, as its sender names it, or several; any if absent.
    #[serde(default)]
    pub template: Option<OneOrMany<String>>,
    /// With `event: clicked`, the link that was followed, or several; `*` stands for any characters. Any if absent.
    #[serde(default)]
    pub link: Option<OneOrMany<LinkPattern>>,
}

impl Email {
    /// The events that it names; all if it names none.
    pub fn events(&self) -> &[MailEventKind] {
        self.event.as_ref().map_or(&MailEventKind::OF_SENT, OneOrMany::all)
    }

    /// The templates that it names; none is any.
    pub fn templates(&self) -> &[String] {
        self.template.as_ref().map_or(&[], OneOrMany::all)
    }

    /// Whether a message that has this link, or none, counts for it. A pattern that is wrong takes no link.
    pub fn takes_link(&self, link: Option<&str>) -> bool {
        let Some(patterns) = &self.link else { return true };
        let takes = |pattern: &LinkPattern, link| pattern.0.as_ref().is_ok_and(|pattern| pattern.matches(link));
        link.is_some_and(|link| patterns.all().iter().any(|pattern| takes(pattern, link)))
    }

    /// Whether it listens for one event only.
    fn is_only(&self, kind: MailEventKind) -> bool {
        self.events().iter().all(|event| *event == kind)
    }
}

/// The field by which the records of an object are found for an address; `None` if they cannot be found.
pub fn address_field(object: &Object) -> Option<&str> {
    let name = object.contact.as_ref()?.email.as_deref()?;
    let field = object.fields.get(name)?;
    (field.unique || field.indexed).then_some(name)
}

impl Listen for Email {
    fn words(&self) -> String {
        let words = |kind: &MailEventKind| match kind {
            MailEventKind::Complained => "is marked as spam".to_owned(),
            MailEventKind::Unsubscribed => "makes its recipient unsubscribe".to_owned(),
            MailEventKind::Bounced => "bounces".to_owned(),
            kind => format!("is {}", kind.word()),
        };
        let what = match self.templates() {
            [] => "a message to the record".to_owned(),
            some => {
                let some = some.iter().map(|template| format!("{template:?}"));
                format!("a message to the record of the template {}", listed(some, "or"))
            }
        };
        let link = if self.link.is_some() { ", on one of the links" } else { "" };
        format!("{what} {}{link}", listed(self.events().iter().map(words), "or"))
    }

    fn event(&self, _: &Facts<'_>) -> Vec<(&'static str, Type)> {
        let only_if = |kind, of: Type| if self.is_only(kind) { of } else { of.or_null() };
        let bounce = Type::object([
            ("type", Type::words(BounceKind::ALL.map(BounceKind::word))),
            ("reason", Type::text().or_null()),
        ]);
        let email = Type::object([
            ("event", Type::words(self.events().iter().map(|kind| kind.word()))),
            ("message_id", Type::text().or_null()),
            ("to", Type::text()),
            ("template", if self.template.is_some() { Type::text() } else { Type::text().or_null() }),
            ("link", if self.link.is_some() { Type::text() } else { Type::text().or_null() }),
            ("bounce", only_if(MailEventKind::Bounced, bounce)),
            ("at", Type::text()),
        ]);
        vec![("email", email)]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.needs_record();
        check_object(cx);
        self.check_events(cx);
        let empty = "this trigger never fires: expected at least one, found an empty list";
        for (key, is_empty) in [
            ("event", self.event.as_ref().is_some_and(|all| all.all().is_empty())),
            ("template", self.template.as_ref().is_some_and(|all| all.all().is_empty())),
            ("link", self.link.as_ref().is_some_and(|all| all.all().is_empty())),
        ] {
            if is_empty && !cx.has_problem(key) {
                cx.error(code::INVALID_VALUE, &cx.key(key), empty);
            }
        }
        if self.templates().iter().any(|template| is_blank_text(template)) && !cx.has_problem("template") {
            cx.error(code::BLANK_VALUE, &cx.key("template"), "expected the name of a template, found an empty text");
        }
        self.check_link(cx);
    }
}

impl Email {
    fn check_events(&self, cx: &mut Check<'_, '_>) {
        let Some(event) = &self.event else { return };
        let at = event.all().iter().position(|kind| *kind == MailEventKind::Received);
        if let Some(at) = at.filter(|_| !cx.has_problem("event")) {
            let path = match event {
                OneOrMany::One(_) => cx.key("event"),
                OneOrMany::Many(_) => cx.key("event").index(at),
            };
            let message = "the event `received`, of mail that comes in, is not available in this version";
            cx.error(code::NOT_AVAILABLE, &path, message);
        }
    }

    fn check_link(&self, cx: &mut Check<'_, '_>) {
        let Some(links) = &self.link else { return };
        if !self.is_only(MailEventKind::Clicked) && !cx.has_problem("event") {
            let message = "`link` counts with `event: clicked` only: no other event has a link";
            cx.error_at_key(code::NOT_ALLOWED, &cx.key("link"), message);
            return;
        }
        for (at, wrong) in links.all().iter().enumerate().filter_map(|(at, link)| Some((at, link.0.as_ref().err()?))) {
            let path = match links {
                OneOrMany::One(_) => cx.key("link"),
                OneOrMany::Many(_) => cx.key("link").index(at),
            };
            cx.error(code::INVALID_VALUE, &path, wrong.clone());
        }
    }
}

/// Records must be found by the address, without reading all of them.
fn check_object(cx: &mut Check<'_, '_>) {
    let Some(object) = cx.facts.object() else { return };
    let path = cx.path.clone();
    let Some(name) = object.contact.as_ref().and_then(|contact| contact.email.as_ref()) else {
        let message = format!(
            "this trigger never fires: expected an object with `contact: {{email: <field>}}`, found {:?}, which has none",
            object.id
        );
        cx.error(code::UNKNOWN_FIELD, &path, message);
        return;
    };
    if object.fields.contains_key(name) && address_field(object).is_none() {
        let message = format!(
            "this trigger never fires: expected the field {name:?} of {:?}, by which records are found, to be `unique` or \
             `indexed`, found neither",
            object.id
        );
        cx.error(code::INVALID_VALUE, &path, message);
    }
}
