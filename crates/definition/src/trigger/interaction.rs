//! `interaction`: a page view or another interaction of a person is posted.

use serde::Deserialize;

use super::{Listen, OneOrMany};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::types::{Kinds, Type};
use crate::url_pattern::UrlPattern;
use crate::validate::Facts;
use crate::value::is_blank_text;
use crate::{Check, code};

/// Longest kind of an interaction, in bytes: it stands in messages and in keys of the index.
const KIND_MOST: usize = 128;

/// Whether a text can be the kind of an interaction: 1 to 128 bytes, not blanks alone, no control characters.
pub fn is_interaction_kind(text: &str) -> bool {
    !is_blank_text(text) && text.len() <= KIND_MOST && !text.chars().any(char::is_control)
}

/// The trigger `interaction`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    /// What the person did, `page_view` or a name of one's own, or several of these; anything if absent.
    #[serde(default)]
    pub kind: Option<OneOrMany<String>>,
    /// Pattern of the page's address; any page, or none, if absent.
    #[serde(default)]
    pub url: Option<UrlPattern>,
}

impl Interaction {
    /// The kinds that it names; none is any.
    pub fn kinds(&self) -> &[String] {
        self.kind.as_ref().map_or(&[], OneOrMany::all)
    }

    /// Whether an interaction of this kind, on the page with this address, fires it.
    pub fn takes(&self, kind: &str, url: Option<&str>) -> bool {
        let fits_kind = self.kind.is_none() || self.kinds().iter().any(|named| named == kind);
        let fits_page = |pattern: &UrlPattern| url.is_some_and(|url| pattern.matches(url));
        fits_kind && self.url.as_ref().is_none_or(fits_page)
    }
}

impl Listen for Interaction {
    fn words(&self) -> String {
        let what = match self.kinds() {
            [] => "an interaction".to_owned(),
            kinds => format!("an interaction {}", listed(kinds.iter().map(|kind| format!("{kind:?}")), "or")),
        };
        let page = self.url.as_ref().map_or(String::new(), |url| format!(" on a page {:?}", url.text()));
        format!("{what}{page} is posted")
    }

    fn event(&self, _: &Facts<'_>) -> Vec<(&'static str, Type)> {
        let kind = match self.kinds() {
            [] => Type::text(),
            kinds => Type::words(kinds.iter().map(String::as_str)),
        };
        let url = if self.url.is_some() { Type::text() } else { Type::text().or_null() };
        let interaction = Type::object([
            ("id", Type::text()),
            ("kind", kind),
            ("url", url),
            ("at", Type::text()),
            ("data", Type::of(Kinds::OBJECT)),
        ]);
        vec![("interaction", interaction)]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.needs_record();
        let place = cx.key("kind");
        let is_list = matches!(self.kind, Some(OneOrMany::Many(_)));
        for (index, kind) in self.kinds().iter().enumerate().filter(|(_, kind)| !is_interaction_kind(kind)) {
            let place = if is_list { place.index(index) } else { place.clone() };
            let message = format!("expected a name of 1 to {KIND_MOST} bytes such as page_view, found {kind:?}");
            cx.error(code::INVALID_VALUE, &place, message);
        }
        if let Some(wrong) = self.url.as_ref().and_then(UrlPattern::wrong) {
            cx.error(code::INVALID_VALUE, &cx.key("url"), wrong.to_owned());
        }
    }
}
