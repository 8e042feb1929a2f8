//! Functions of times and durations.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Call, Outcome};
use crate::expression::calendar::MOST_BUSINESS_DAYS;
use crate::expression::error::shortened;
use crate::expression::val::{Key, Val};
use crate::{Duration, ExpressionError};

/// `timestamp(x)`: of a text in RFC 3339, or of seconds since 1970.
pub(super) fn timestamp<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    match call.first() {
        Val::Int(seconds) => Timestamp::from_second(seconds)
            .map(Val::Time)
            .map_err(|_| call.bad(format!("{seconds} seconds are out of range"))),
        _ => call.time(0).map(Val::Time),
    }
}

/// Reads a text in RFC 3339.
pub(super) fn parse_timestamp(text: &str) -> Result<Timestamp, ExpressionError> {
    text.parse().map_err(|_| {
        let found = shortened(text);
        let hint = if text.parse::<Date>().is_ok() { ": write date(…) around a date without an offset" } else { "" };
        ExpressionError::value(format!("expected a time such as \"2026-11-21T09:00:00Z\", found {found:?}{hint}"))
    })
}

/// `date(x)`: the start of a day in the workflow's time zone, of a text `2026-11-21` or of the day that a time falls on.
pub(super) fn date<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let timezone = call.evaluator.scope().timezone();
    let date = match call.first() {
        Val::Time(time) => time.to_zoned(timezone.clone()).date(),
        Val::Text(text) => match text.parse::<Timestamp>() {
            Ok(time) => time.to_zoned(timezone.clone()).date(),
            Err(_) => text.parse().map_err(|_| {
                call.bad(format!("expected a date such as \"2026-11-21\", found {:?}", shortened(&text)))
            })?,
        },
        _ => return Err(call.wrong(0, "text such as \"2026-11-21\", or a timestamp")),
    };
    let start = date.to_zoned(timezone.clone()).and_then(|zoned| zoned.start_of_day());
    start.map(|start| Val::Time(start.timestamp())).map_err(|_| call.bad("the date is out of range"))
}

/// `duration(x)`: of a text such as `2d 3h`.
pub(super) fn duration<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    match call.first() {
        duration @ (Val::Duration(_) | Val::BusinessDays(_)) => Ok(duration),
        Val::Text(text) => Duration::parse(&text).map(Val::Duration),
        _ => Err(call.wrong(0, "text such as \"2d 3h\"")),
    }
}

/// `days(n)`: calendar days, which keep the time of day.
pub(super) fn days<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let count = call.integer(0)?;
    Duration::from_days(count).map(Val::Duration).ok_or_else(|| call.bad(format!("{count} days are too many")))
}

/// `months(n)`: calendar months; the last day of a shorter month stands for a day that it lacks.
pub(super) fn months<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let count = call.integer(0)?;
    Duration::from_months(count).map(Val::Duration).ok_or_else(|| call.bad(format!("{count} months are too many")))
}

/// `business_days(n)`: days that are neither of a weekend nor holidays of the workflow's calendar.
pub(super) fn business_days<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let count = call.integer(0)?;
    if count.unsigned_abs() > MOST_BUSINESS_DAYS.unsigned_abs() {
        return Err(call.bad(format!("{count} business days are too many, at most {MOST_BUSINESS_DAYS} are counted")));
    }
    Ok(Val::BusinessDays(count))
}

/// `in_zone(t, tz)`: what clock and calendar show there.
pub(super) fn in_zone<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let zoned = call.time(0)?.to_zoned(zone(call, 1)?);
    let number = |number: i64| Val::Int(number);
    let fields = [
        ("year", number(zoned.year().into())),
        ("month", number(zoned.month().into())),
        ("day", number(zoned.day().into())),
        ("hour", number(zoned.hour().into())),
        ("minute", number(zoned.minute().into())),
        ("second", number(zoned.second().into())),
        ("weekday", number(zoned.weekday().to_monday_one_offset().into())),
        ("date", Val::text(zoned.date().to_string())),
        ("time", Val::text(zoned.strftime("%H:%M:%S").to_string())),
        ("datetime", Val::text(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())),
    ];
    let fields: BTreeMap<_, _> = fields.into_iter().map(|(name, val)| (Key::Text(name.to_owned()), val)).collect();
    Ok(Val::Map(Rc::new(fields)))
}

/// The time zone at a place: a name, or an offset such as `+05:30`.
fn zone(call: &Call<'_, '_>, place: usize) -> Result<TimeZone, ExpressionError> {
    let name = call.text(place)?;
    let named = TimeZone::get(&name).ok().or_else(|| offset(&name).map(TimeZone::fixed));
    let found = shortened(&name);
    named.ok_or_else(|| call.bad(format!("expected a time zone such as \"Europe/Berlin\", found {found:?}")))
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// The standard accessors of CEL: in UTC unless a time zone is given; of a duration, the whole of it in that unit.
pub(super) fn get<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if let (Val::Duration(duration), 1) = (call.first(), call.arguments.len()) {
        let length = duration.fixed().ok_or_else(|| call.bad("months have no fixed length"))?;
        return whole(call.name, length).map(Val::Int).ok_or_else(|| call.wrong(0, "a timestamp"));
    }
    let timezone = if call.arguments.len() == 2 { zone(call, 1)? } else { TimeZone::UTC };
    Ok(Val::Int(part(call.name, &call.time(0)?.to_zoned(timezone))))
}

fn whole(accessor: &str, length: SignedDuration) -> Option<i64> {
    match accessor {
        "getHours" => Some(length.as_secs() / 3600),
        "getMinutes" => Some(length.as_secs() / 60),
        "getSeconds" => Some(length.as_secs()),
        "getMilliseconds" => i64::try_from(length.as_millis()).ok(),
        _ => None,
    }
}

fn part(accessor: &str, zoned: &Zoned) -> i64 {
    match accessor {
        "getDate" => zoned.day().into(),
        "getDayOfMonth" => i64::from(zoned.day()) - 1,
        "getDayOfWeek" => zoned.weekday().to_sunday_zero_offset().into(),
        "getDayOfYear" => i64::from(zoned.day_of_year()) - 1,
        "getFullYear" => zoned.year().into(),
        "getHours" => zoned.hour().into(),
        "getMilliseconds" => zoned.millisecond().into(),
        "getMinutes" => zoned.minute().into(),
        "getMonth" => i64::from(zoned.month()) - 1,
        _ => zoned.second().into(),
    }
}
