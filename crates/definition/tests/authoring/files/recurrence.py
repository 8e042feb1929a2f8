"""Writes recurrence.json: what python-dateutil and croniter say of random patterns.

    pip install python-dateutil croniter
    python3 recurrence.py > recurrence.json

All times are in UTC: changes of clocks have tests of their own. Each line of `rrule` and `cron` is
[pattern, after, [the next times]].
"""

import datetime
import json
import random

from croniter import croniter
from dateutil.rrule import rrulestr

FIRINGS = 6
random.seed(5545)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def moment():
    return datetime.datetime(2024, 1, 1) + datetime.timedelta(minutes=random.randrange(60 * 24 * 365 * 6))


def several(values, most):
    return ",".join(str(value) for value in sorted(random.sample(list(values), random.randint(1, most))))


def written(time):
    return time.strftime("%Y%m%dT%H%M%SZ")


def rule(start):
    frequency = random.choice(["YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "WEEKLY", "DAILY", "DAILY", "HOURLY", "MINUTELY"])
    parts = ["FREQ=" + frequency]
    if random.random() < 0.5:
        parts.append(f"INTERVAL={random.choice([2, 3, 5, 12, 45])}")
    chance = random.random()
    if chance < 0.2:
        parts.append(f"COUNT={random.randint(1, 400)}")
    elif chance < 0.35:
        parts.append("UNTIL=" + written(start + datetime.timedelta(days=random.randint(1, 2000))))
    if frequency in ("HOURLY", "MINUTELY"):
        if random.random() < 0.3:
            parts.append("BYHOUR=" + several(range(24), 4))
        return ";".join(parts)
    if random.random() < 0.3:
        parts.append("BYMONTH=" + several(range(1, 13), 3))
    if frequency in ("MONTHLY", "YEARLY") and random.random() < 0.5:
        if random.random() < 0.5:
            parts.append("BYMONTHDAY=" + several([1, 2, 13, 15, 28, 29, 30, 31, -1, -2], 3))
        elif frequency == "MONTHLY":
            parts.append("BYDAY=" + random.choice(["", "1", "2", "-1", "4"]) + random.choice(DAYS))
        else:
            parts.append("BYYEARDAY=" + several([1, 60, 100, 200, 365, 366, -1], 3))
    elif random.random() < 0.4:
        parts.append("BYDAY=" + several(DAYS, 4))
        if frequency == "MONTHLY" and random.random() < 0.5:
            parts.append("BYSETPOS=" + random.choice(["1", "-1", "2"]))
    if frequency == "WEEKLY" and random.random() < 0.3:
        parts.append("WKST=" + random.choice(["SU", "MO", "WE"]))
    if random.random() < 0.3:
        parts.append("BYHOUR=" + several(range(24), 3))
    if random.random() < 0.3:
        parts.append("BYMINUTE=" + several(range(0, 60, 5), 3))
    return ";".join(parts)


def text():
    start = moment()
    lines = ["DTSTART:" + written(start), "RRULE:" + rule(start)]
    rules = rrulestr("\n".join(lines))
    if random.random() < 0.2:
        found = rules.after(start.replace(tzinfo=datetime.timezone.utc), inc=True)
        if found is not None:
            lines.append("EXDATE:" + written(found))
    if random.random() < 0.2:
        lines.append("RDATE:" + ",".join(written(moment()) for _ in range(random.randint(1, 3))))
    return start, "\n".join(lines)


def next_of(rules, after):
    found = []
    for _ in range(FIRINGS):
        after = rules.after(after)
        if after is None or after.year > 2060:
            break
        found.append(after.isoformat() + "Z" if after.tzinfo is None else after.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return found


def field(low, high):
    chance = random.random()
    if chance < 0.35:
        return "*"
    if chance < 0.5:
        return f"*/{random.choice([2, 3, 5, 7, 15, 20])}"
    if chance < 0.7:
        first = random.randint(low, high - 1)
        return f"{first}-{random.randint(first + 1, high)}"
    return several(range(low, high + 1), 4)


def pattern():
    day = random.choice(["*", "*", field(1, 28)])
    weekday = "*" if day != "*" and random.random() < 0.7 else random.choice(["*", "1-5", "0", "6,0", "MON-FRI", "TUE", "2#1", "5L"])
    if weekday in ("2#1", "5L"):
        weekday = "*"
    return " ".join([field(0, 59), field(0, 23), day, random.choice(["*", "*", field(1, 12)]), weekday])


def crons():
    made = []
    while len(made) < 400:
        written_as, after = pattern(), moment()
        try:
            times = croniter(written_as, after)
            found = [times.get_next(datetime.datetime).isoformat() + "Z" for _ in range(FIRINGS)]
        except Exception:
            continue
        made.append([written_as, after.isoformat() + "Z", found])
    return made


def rrules():
    made = []
    while len(made) < 400:
        try:
            start, lines = text()
        except ValueError:
            continue  # Its parts leave no time.
        rules = rrulestr(lines)
        after = start + datetime.timedelta(minutes=random.randrange(-1000, 60 * 24 * 700))
        after = after.replace(tzinfo=datetime.timezone.utc)
        made.append([lines, after.strftime("%Y-%m-%dT%H:%M:%SZ"), next_of(rules, after)])
    return made


def lines(entries):
    return "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]"


print(f'{{"rrule": {lines(rrules())},\n"cron": {lines(crons())}}}')
