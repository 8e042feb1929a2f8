//! Recurrence rules of RFC 5545.
//!
//! A rule is walked on the times of day that clocks show, as if they were UTC, and each time becomes a moment by the one
//! database of time zones that everything else has.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rrule::RRuleSet;

use super::{ORIGIN, clock};

/// Longest text, in bytes.
const LONGEST: usize = 16 * 1024;
/// Most rules of a text, most dates that are added or left out, and most firings of a rule that counts them.
const MOST_RULES: usize = 8;
const MOST_DATES: usize = 1_000;
const MOST_COUNT: i64 = 10_000;
/// Most times of a day that a rule may name: its parts are multiplied with each other.
const MOST_TIMES: usize = 288;
/// Times of a rule that are looked at for one firing: those that a change of clocks repeats, or that are left out.
const LOOKED_AT: usize = 2 * MOST_DATES;
/// Before this year no rule begins, so that a search is short.
const FIRST_YEAR: i16 = 1970;

/// Rules with their dates.
#[derive(Debug, Clone)]
pub(super) struct Rrule {
    start: DateTime,
    /// The zone that the text names.
    pub(super) zone: Option<TimeZone>,
    rules: Vec<Rule>,
    added: BTreeSet<DateTime>,
    left_out: BTreeSet<DateTime>,
}

/// One rule.
#[derive(Debug, Clone)]
struct Rule {
    /// Its parts, with `UNTIL` as if it were UTC.
    parts: String,
    /// How far its start may be moved without changing it; none if it counts its firings, or if that is not worth it.
    step: Option<SignedDuration>,
}

/// One line: its name, the zone that it names, and what it says.
struct Line<'a> {
    name: &'a str,
    zone: Option<TimeZone>,
    value: &'a str,
}

impl Rrule {
    pub(super) fn parse(text: &str, starts: Option<Timestamp>, zone: &TimeZone) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("expected a text of at most {LONGEST} bytes, found {}", text.len()));
        }
        let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
        let lines = unfolded.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = lines.map(Line::parse).collect::<Result<Vec<_>, _>>()?;
        let mut starting = lines.iter().filter(|line| line.name.eq_ignore_ascii_case("DTSTART"));
        let start = starting.next();
        if starting.next().is_some() {
            return Err("expected one DTSTART, found several".to_owned());
        }
        let is_utc = start.is_some_and(|line| line.value.ends_with(['Z', 'z']));
        let named = start.and_then(|line| if is_utc { Some(TimeZone::UTC) } else { line.zone.clone() });
        let zone = named.as_ref().unwrap_or(zone);
        let has_start = start.is_some() || starts.is_some();
        let start = match start {
            Some(line) => line.time(line.value, zone)?,
            None => starts.map_or(ORIGIN.to_datetime(Time::midnight()), |starts| clock::civil(starts, zone)),
        };
        if start.year() < FIRST_YEAR {
            return Err(format!("expected DTSTART in {FIRST_YEAR} or later, found {start}"));
        }
        let start = start.with().subsec_nanosecond(0).build().map_err(|error| error.to_string())?;
        let mut read =
            Self { start, zone: named.clone(), rules: Vec::new(), added: BTreeSet::new(), left_out: BTreeSet::new() };
        for line in &lines {
            read.take(line, zone, has_start)?;
        }
        if read.rules.is_empty() && read.added.is_empty() {
            return Err("expected a rule such as `FREQ=WEEKLY;BYDAY=MO`, found none".to_owned());
        }
        Ok(read)
    }

    fn take(&mut self, line: &Line<'_>, zone: &TimeZone, has_start: bool) -> Result<(), String> {
        match line.name.to_ascii_uppercase().as_str() {
            "DTSTART" => {}
            "RRULE" => {
                let rule = Rule::parse(line.value, zone, has_start)?;
                rule.set(self.start)?;
                self.rules.push(rule);
            }
            name @ ("RDATE" | "EXDATE") => {
                let dates = if name == "RDATE" { &mut self.added } else { &mut self.left_out };
                for value in line.value.split(',') {
                    dates.insert(line.time(value, zone)?);
                }
            }
            other => return Err(format!("expected DTSTART, RRULE, RDATE or EXDATE, found {other}")),
        }
        if self.rules.len() > MOST_RULES || self.added.len() + self.left_out.len() > MOST_DATES {
            return Err(format!("expected at most {MOST_RULES} rules and {MOST_DATES} dates, found more"));
        }
        Ok(())
    }

    pub(super) fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let zone = self.zone.as_ref().unwrap_or(zone);
        let civil = clock::civil(after, zone);
        let is_next = |time: &DateTime| {
            let at = clock::moment(*time, zone).filter(|at| *at > after)?;
            (!self.left_out.contains(time)).then_some(at)
        };
        let of_rules =
            self.rules.iter().filter_map(|rule| rule.times(self.start, civil).find_map(|time| is_next(&time)));
        let of_dates = self.added.range(civil..).find_map(is_next);
        of_rules.chain(of_dates).min()
    }
}

impl<'a> Line<'a> {
    /// `NAME;TZID=zone:value`, or a rule alone.
    fn parse(text: &'a str) -> Result<Self, String> {
        let Some((head, value)) = text.split_once(':') else {
            let is_rule = text.to_ascii_uppercase().contains("FREQ=");
            let line = Self { name: "RRULE", zone: None, value: text };
            return is_rule.then_some(line).ok_or_else(|| format!("expected `RRULE:FREQ=...`, found {}", short(text)));
        };
        let mut parts = head.split(';');
        let name = parts.next().unwrap_or_default();
        let mut zone = None;
        for part in parts {
            let (key, said) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_uppercase().as_str() {
                "TZID" => {
                    let said = said.trim_matches('"').trim_start_matches('/');
                    let found = TimeZone::get(said);
                    zone =
                        Some(found.map_err(|_| {
                            format!("expected a time zone such as `Europe/Berlin`, found {}", short(said))
                        })?);
                }
                "VALUE" if matches!(said.to_ascii_uppercase().as_str(), "DATE" | "DATE-TIME") => {}
                _ => return Err(format!("expected TZID or VALUE=DATE, found {}", short(part))),
            }
        }
        Ok(Self { name, zone, value: value.trim() })
    }

    /// A time of a line, as clocks of the zone of the whole text show it.
    fn time(&self, value: &str, zone: &TimeZone) -> Result<DateTime, String> {
        read_time(value, self.zone.as_ref(), zone)
    }
}

/// Reads `20270131`, `20270131T090000` or `20270131T090000Z`.
fn read_time(value: &str, own: Option<&TimeZone>, zone: &TimeZone) -> Result<DateTime, String> {
    let wrong = || format!("expected a time such as `20270131T090000`, found {}", short(value));
    let value = value.trim().to_ascii_uppercase();
    let (text, is_utc) = value.strip_suffix('Z').map_or((value.as_str(), false), |text| (text, true));
    if !text.is_ascii() || text.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'T') {
        return Err(wrong());
    }
    let date = Date::strptime("%Y%m%d", text.get(..8).ok_or_else(wrong)?).map_err(|_| wrong())?;
    let time = match text.get(8..) {
        Some("") => Time::midnight(),
        Some(time) => Time::strptime("T%H%M%S", time).map_err(|_| wrong())?,
        None => return Err(wrong()),
    };
    let civil = date.to_datetime(time);
    let utc = TimeZone::UTC;
    match if is_utc { Some(&utc) } else { own } {
        Some(own) => clock::moment(civil, own).map(|at| clock::civil(at, zone)).ok_or_else(wrong),
        None => Ok(civil),
    }
}

impl Rule {
    fn parse(text: &str, zone: &TimeZone, has_start: bool) -> Result<Self, String> {
        let mut parts = Vec::new();
        let (mut frequency, mut interval, mut counted, mut of_days, mut times) = (String::new(), 1, false, None, 1);
        let mut said = BTreeSet::new();
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("expected `NAME=value`, found {}", short(part)))?;
            let (key, mut value) = (key.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            if !said.insert(key.clone()) {
                return Err(format!("expected {} once in a rule, found it again", short(&key)));
            }
            let number = || value.parse::<i64>().ok().filter(|number| (1..=MOST_COUNT).contains(number));
            match key.as_str() {
                "FREQ" => frequency.clone_from(&value),
                "INTERVAL" => {
                    interval = number()
                        .ok_or_else(|| format!("expected INTERVAL from 1 to {MOST_COUNT}, found {}", short(&value)))?;
                }
                "COUNT" => {
                    number()
                        .ok_or_else(|| format!("expected COUNT from 1 to {MOST_COUNT}, found {}", short(&value)))?;
                    counted = true;
                }
                "UNTIL" => {
                    let until = read_time(&value, None, zone)?;
                    // A date means all of its day.
                    let until = if value.len() == 8 { until.date().to_datetime(Time::MAX) } else { until };
                    value = written(until);
                }
                "BYSECOND" if value.contains(',') => {
                    return Err("expected one second, found several: firings are a minute apart at least".to_owned());
                }
                "BYHOUR" | "BYMINUTE" => times *= value.split(',').count(),
                "BYMONTH" | "BYMONTHDAY" | "BYDAY" | "BYYEARDAY" | "BYWEEKNO" | "BYSETPOS" => {
                    of_days = Some(key.clone());
                }
                "BYSECOND" | "WKST" => {}
                _ => return Err(format!("expected a part of a rule such as BYDAY, found {}", short(&key))),
            }
            if key == "BYDAY" {
                value.split(',').try_for_each(weekday)?;
            }
            parts.push(format!("{key}={value}"));
        }
        if times > MOST_TIMES {
            return Err(format!("expected at most {MOST_TIMES} times a day, found {times}"));
        }
        if counted && !has_start {
            return Err("expected DTSTART or `starts` beside COUNT, found neither: nothing says what is counted from"
                .to_owned());
        }
        let step = step(&frequency, interval, of_days.as_deref())?;
        Ok(Self { parts: parts.join(";"), step: step.filter(|_| !counted) })
    }

    /// The rule from a start on.
    fn set(&self, start: DateTime) -> Result<RRuleSet, String> {
        let text = format!("DTSTART:{}\nRRULE:{}", written(start), self.parts);
        text.parse::<RRuleSet>().map(RRuleSet::limit).map_err(|error| format!("the rule cannot be read: {error}"))
    }

    /// Its times after one. No time that clocks show before another one is a later moment than that.
    fn times(&self, start: DateTime, after: DateTime) -> impl Iterator<Item = DateTime> {
        let moved = self.step.map_or(start, |step| moved(start, after, step));
        let times = self.set(moved).ok().map(|set| (&set).into_iter()).into_iter().flatten();
        // It was walked as if it were UTC.
        let shown = |at: i64| Timestamp::from_second(at).ok().map(|at| clock::civil(at, &TimeZone::UTC));
        times.filter_map(move |time| shown(time.timestamp())).skip_while(move |time| *time <= after).take(LOOKED_AT)
    }
}

/// Refuses what is no day of BYDAY. The library takes `XMO` for `MO`, and panics where a character is longer than a byte.
fn weekday(text: &str) -> Result<(), String> {
    const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let count = DAYS.iter().find_map(|day| text.strip_suffix(day));
    let is_count = |count: &str| count.parse::<i8>().is_ok_and(|count| (1..=53).contains(&count.unsigned_abs()));
    let is_day = count.is_some_and(|count| count.is_empty() || is_count(count));
    is_day.then_some(()).ok_or_else(|| format!("expected BYDAY such as `MO,-1FR`, found {}", short(text)))
}

/// How far the start of a rule may be moved without changing it: by whole intervals. Rules of years and months have few times.
fn step(frequency: &str, interval: i64, of_days: Option<&str>) -> Result<Option<SignedDuration>, String> {
    let step = match frequency {
        "YEARLY" | "MONTHLY" => return Ok(None),
        "WEEKLY" => SignedDuration::from_hours(24 * 7 * interval),
        "DAILY" => SignedDuration::from_hours(24 * interval),
        "HOURLY" => SignedDuration::from_hours(interval),
        "MINUTELY" => SignedDuration::from_mins(interval),
        "" => return Err("expected FREQ, found none".to_owned()),
        other => {
            let found = short(other);
            return Err(format!("expected FREQ=YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY or MINUTELY, found {found}"));
        }
    };
    match of_days.filter(|_| matches!(frequency, "HOURLY" | "MINUTELY")) {
        Some(part) => Err(format!(
            "{part} makes no sense beside FREQ={frequency} here: write FREQ=DAILY with BYHOUR and BYMINUTE"
        )),
        None => Ok(Some(step)),
    }
}

/// A start that is whole steps later, and not after a time.
fn moved(start: DateTime, last: DateTime, step: SignedDuration) -> DateTime {
    let passed = last.duration_since(start).as_secs();
    let steps = if passed > 0 { passed / step.as_secs().max(1) } else { 0 };
    start.checked_add(SignedDuration::from_secs(steps * step.as_secs())).unwrap_or(start)
}

/// A time as if it were UTC.
fn written(time: DateTime) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn short(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    format!("{shown:?}")
}
