//! Listings: how many, from where on, and the cursor that says it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use pawl_definition::json::{self, Bounds};
use pawl_runtime::items::Unreadable;
use pawl_runtime::ports::TableError;
use pawl_runtime::{Error, Listed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::describe::{IntoParams, ToSchema};
use crate::{Code, Problem};

/// Entries of a page, unless the request says.
const DEFAULT: usize = 50;

/// Most entries of a page.
pub(crate) const MOST: usize = 200;

/// Longest cursor, in bytes: one holds the keys of an item.
const CURSOR_MOST: usize = 16 * 1024;

/// Most bytes of what stands on a page, but for a page of one entry. On AWS an answer has at most 6 MB, in which the
/// quotes of its JSON are escaped.
const BYTES_MOST: usize = 2 * 1024 * 1024;

/// Longest value that an answer shows, in bytes of JSON; the same bound holds for all variables and outputs of an
/// execution together.
pub(crate) const VALUE_MOST: usize = 1024 * 1024;

/// How many entries, one at least, one answer takes, by the bytes of each.
pub(crate) fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0_usize;
    let fits = |size: &usize| {
        bytes = bytes.saturating_add(*size);
        bytes <= BYTES_MOST
    };
    sizes.take_while(fits).count().max(1)
}

/// A value as an answer shows it: one that is too long for that is told by its length.
pub(crate) fn shown(value: Value) -> Value {
    let bytes = json::bytes(&value);
    if bytes <= VALUE_MOST { value } else { omitted(bytes) }
}

/// What stands in the place of a value that is too long.
pub(crate) fn omitted(bytes: usize) -> Value {
    serde_json::json!({"omitted_bytes": bytes})
}

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// Entries.
    pub(crate) items: Vec<T>,
    /// Cursor of the next page; absent at the end. Opaque, and valid only for the same listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// Stored items of this page that cannot be read; absent if there are none. See `unreadable_item`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) unreadable: Vec<UnreadableItem>,
    /// Present if few entries match and the request stopped before its page was full: it has not read entries from
    /// before this time. The listing continues at `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) looked_until: Option<Timestamp>,
}

impl<T> Listing<T> {
    /// All there is.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, unreadable: Vec::new(), looked_until: None }
    }
}

/// A stored item that cannot be read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct UnreadableItem {
    /// Its key in storage.
    key: String,
    /// What is wrong with the item, without its content.
    error: String,
}

impl From<Unreadable> for UnreadableItem {
    fn from(unreadable: Unreadable) -> Self {
        Self { error: unreadable.to_string(), key: unreadable.key }
    }
}

/// How many entries, and from where on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Most entries, 1–200; 50 if absent. A page may have fewer although more follow.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<usize>,
    /// `next` of the previous page.
    pub(crate) cursor: Option<String>,
}

/// Checks a limit.
pub(crate) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(DEFAULT),
        Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::new(Code::BadQuery, format!("expected limit from 1 to {MOST}, found {limit}"))),
    }
}

/// A cursor as it is sent: which listing it belongs to, and where that stands.
#[derive(Serialize, Deserialize)]
struct Sealed<P> {
    #[serde(rename = "l")]
    listing: String,
    #[serde(rename = "p")]
    place: P,
}

/// Writes a cursor. `listing` names the listing with its filter, so that a cursor of another one is refused.
pub(crate) fn seal<P: Serialize>(listing: &str, place: P) -> String {
    let sealed = Sealed { listing: fingerprint(listing), place };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&sealed).expect("a cursor is JSON"))
}

/// Reads a cursor.
pub(crate) fn open<P: DeserializeOwned>(listing: &str, cursor: Option<&str>) -> Result<Option<P>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unknown())?;
    let sealed: Sealed<P> = json::read(&bytes, &Bounds::OUTSIDE.with_bytes(CURSOR_MOST)).map_err(|_| unknown())?;
    if sealed.listing == fingerprint(listing) { Ok(Some(sealed.place)) } else { Err(unknown()) }
}

fn fingerprint(listing: &str) -> String {
    pawl_runtime::offload::sha256(listing.as_bytes())[..12].to_owned()
}

fn unknown() -> Problem {
    Problem::new(Code::BadCursor, "expected a cursor that this listing gave, with the same filter, found another")
}

/// A listing that storage pages by itself: reads the cursor, and writes the next one.
pub(crate) struct Walk {
    listing: String,
    /// Most entries.
    pub(crate) limit: usize,
    /// The cursor of storage.
    pub(crate) after: Option<String>,
    resumed: bool,
}

impl Walk {
    /// Begins or goes on with a listing.
    pub(crate) fn of(listing: String, paging: &Paging) -> Result<Self, Problem> {
        let after: Option<String> = open(&listing, paging.cursor.as_deref())?;
        let resumed = after.is_some();
        Ok(Self { listing, limit: limit(paging.limit)?, after, resumed })
    }

    /// The cursor of storage, once.
    pub(crate) fn after(&mut self) -> Option<String> {
        self.after.take()
    }

    /// The page, each entry as it is shown.
    pub(crate) fn page<T, V>(&self, found: Listed<T>, shown: impl FnMut(T) -> V) -> Listing<V> {
        Listing {
            items: found.items.into_iter().map(shown).collect(),
            next: found.next.map(|next| seal(&self.listing, next)),
            unreadable: found.unreadable.into_iter().map(UnreadableItem::from).collect(),
            looked_until: None,
        }
    }

    /// The problem of a failed read: what storage calls invalid is a cursor that was forged.
    pub(crate) fn problem(&self, error: Error) -> Problem {
        match error {
            Error::Table(TableError::Invalid(_)) if self.resumed => unknown(),
            error => error.into(),
        }
    }
}
