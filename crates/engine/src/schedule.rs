//! Firings of a schedule: which are due, and the events that they become.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Recurrence;
use pawl_definition::trigger::CatchUp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::event::EventType;
use crate::{Cause, Event, ids};

/// A firing that is later than this was missed: nobody could carry it out at its time. A message that is lost is sent again by
/// the sweeper in less.
pub const LATE: SignedDuration = SignedDuration::from_mins(5);

/// Most firings that start after they were missed.
pub const CATCH_UP_MOST: usize = 100;

/// Most firings that are counted as missed.
pub const MISSED_MOST: usize = 1_000;

/// Spans back from now in which firings are looked for, each of which holds about thirty of the one before: in the first that
/// holds enough of them there are not many more.
const SPANS: [SignedDuration; 4] = [
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(24 * 31),
    SignedDuration::from_hours(24 * 366),
];

/// A firing that is to start an execution. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// The time for which it was planned.
    pub at: Timestamp,
    /// Firings before it that were missed, and for which it stands.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is due of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Firings that start, the first first.
    pub firings: Vec<Firing>,
    /// The last of those that start nothing, and how many there are.
    pub missed: Option<Firing>,
    /// The first firing after now.
    pub next: Option<Timestamp>,
}

/// What is due at a time of a schedule whose next firing was planned.
pub fn due(recurrence: &Recurrence, planned: Timestamp, now: Timestamp, catch_up: CatchUp) -> Due {
    let next = recurrence.next_after(now);
    if planned > now {
        return Due { next: Some(planned), ..Due::default() };
    }
    let late = now.saturating_sub(LATE).unwrap_or(Timestamp::MIN);
    let at = |at: Timestamp| Firing { at, missed: 0 };
    let mut firings: Vec<Firing> =
        recurrence.all_after(late.max(just_before(planned))).take_while(|at| *at <= now).map(at).collect();
    if planned >= late {
        return Due { firings, missed: None, next };
    }
    let (mut missed, count) = before(recurrence, planned, late);
    let mut dropped = None;
    match catch_up {
        CatchUp::One if firings.is_empty() => {
            firings.extend(missed.pop().map(|last| Firing { missed: count.saturating_sub(1), at: last }));
        }
        CatchUp::One => firings[0].missed = count,
        CatchUp::None => dropped = missed.pop().map(|last| Firing { at: last, missed: count }),
        CatchUp::All => {
            let too_many = missed.len().saturating_sub(CATCH_UP_MOST);
            let started = u64::try_from(missed.len() - too_many).unwrap_or(u64::MAX);
            let last = missed.drain(..too_many).next_back();
            dropped = last.map(|at| Firing { at, missed: count.saturating_sub(started) });
            firings.splice(..0, missed.into_iter().map(at));
        }
    }
    Due { firings, missed: dropped, next }
}

/// The last firings from a planned one on that are not after a time, at least so many as may start; and how many there are.
fn before(recurrence: &Recurrence, planned: Timestamp, last: Timestamp) -> (Vec<Timestamp>, u64) {
    let from = just_before(planned);
    let up_to = |from: Timestamp| recurrence.all_after(from).take_while(move |at| *at <= last);
    let spans = SPANS.iter().map(|span| last.saturating_sub(*span).unwrap_or(Timestamp::MIN).max(from));
    for start in spans.chain([from]) {
        let found: Vec<_> = up_to(start).collect();
        if start == from {
            let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
            return (found, count);
        }
        if found.len() > CATCH_UP_MOST {
            let count = u64::try_from(up_to(from).take(MISSED_MOST).count()).unwrap_or(u64::MAX);
            return (found, count);
        }
    }
    (Vec::new(), 0)
}

fn just_before(at: Timestamp) -> Timestamp {
    at.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}

/// The event that a firing becomes. Its id follows from the planned time, so that a firing starts nothing twice.
pub fn event(workflow: &str, trigger: &str, firing: &Firing) -> Event {
    let mut data = Map::new();
    data.insert("scheduled_at".to_owned(), json!(firing.at.to_string()));
    data.insert("missed".to_owned(), json!(firing.missed));
    Event {
        id: ids::firing_event_id(workflow, trigger, firing.at),
        kind: EventType::Schedule,
        workflow: Some(workflow.to_owned()),
        trigger: Some(trigger.to_owned()),
        subject: None,
        occurred_at: firing.at,
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use pawl_definition::{Duration, Pattern};

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn each(length: &str) -> Recurrence {
        let length = Duration::parse(length).expect("a length");
        Recurrence::new(Pattern::Every(length), TimeZone::UTC, (None, None)).expect("a pattern")
    }

    type Shown = (String, u64);

    fn shown(due: &Due) -> (Vec<Shown>, Option<Shown>, Option<String>) {
        let one = |firing: &Firing| (firing.at.to_string(), firing.missed);
        (due.firings.iter().map(one).collect(), due.missed.as_ref().map(one), due.next.map(|at| at.to_string()))
    }

    fn at(text: &str, missed: u64) -> (String, u64) {
        (text.to_owned(), missed)
    }

    #[test]
    fn a_firing_that_is_on_time_starts_and_the_next_is_planned() {
        let due = due(&each("1d"), time("2026-03-02T00:00:00Z"), time("2026-03-02T00:00:03Z"), CatchUp::None);
        assert_eq!(shown(&due), (vec![at("2026-03-02T00:00:00Z", 0)], None, Some("2026-03-03T00:00:00Z".to_owned())));
    }

    #[test]
    fn what_was_missed_starts_once_or_not_or_each() {
        let by = |catch_up| due(&each("1d"), time("2026-03-02T00:00:00Z"), time("2026-03-04T12:00:00Z"), catch_up);
        let next = Some("2026-03-05T00:00:00Z".to_owned());
        assert_eq!(shown(&by(CatchUp::One)), (vec![at("2026-03-04T00:00:00Z", 2)], None, next.clone()));
        assert_eq!(shown(&by(CatchUp::None)), (vec![], Some(at("2026-03-04T00:00:00Z", 3)), next.clone()));
        let all = ["2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"].map(|day| at(day, 0));
        assert_eq!(shown(&by(CatchUp::All)), (all.to_vec(), None, next));
    }

    #[test]
    fn a_firing_that_is_on_time_stands_for_those_that_were_missed() {
        let due = due(&each("1d"), time("2026-03-02T00:00:00Z"), time("2026-03-04T00:01:00Z"), CatchUp::One);
        assert_eq!(shown(&due).0, [at("2026-03-04T00:00:00Z", 2)]);
    }

    #[test]
    fn years_of_minutes_that_were_missed_are_bounded() {
        let (planned, now) = (time("2020-01-01T00:00:00Z"), time("2026-03-04T00:30:30Z"));
        let everything = due(&each("1m"), planned, now, CatchUp::All);
        // 100 that were missed, and those of the last five minutes.
        assert_eq!(everything.firings.len(), 105);
        assert_eq!(everything.firings[0].at, time("2026-03-03T22:46:00Z"));
        assert!(everything.missed.is_some_and(|missed| missed.missed == 900));
        assert_eq!(due(&each("1m"), planned, now, CatchUp::One).firings[0].missed, 1_000);
    }

    #[test]
    fn an_event_has_the_planned_time_and_an_id_of_it() {
        let firing = Firing { at: time("2026-03-02T00:00:00Z"), missed: 0 };
        let event = event("w", "nightly", &firing);
        assert_eq!(event.view()["scheduled_at"], "2026-03-02T00:00:00Z");
        assert_eq!(event.id, super::event("w", "nightly", &Firing { missed: 7, ..firing.clone() }).id);
        assert_ne!(event.id, super::event("w", "weekly", &firing).id);
    }
}
