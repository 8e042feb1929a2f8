//! From a `*.cases.yaml` file to its cases, with every problem at once.

use pawl_definition::{Duration, JsonSchema, Level, Mismatch, MismatchKind, Path, Problem, SchemaBudget, Source, code};
use serde_json::Value;

use super::file::{Case, CaseFile, ExpectExecution, Happens, HttpScript, Later, ModelScript};
use super::interaction::PostedInteraction;
use super::mail::MailTold;
use super::{cases_schema, children, cloud, machines};

/// What may happen in a case.
const HAPPENINGS: &str = "webhook, manual, record_created, field_updated, record_archived, record_unarchived, schedule, \
                          date, event, workflow_ended, activity_logged, activity_overdue, interaction, email";

/// Least likeness of a word to be suggested.
const LIKE: f64 = 0.7;

/// What is said of a file with more problems than are told.
const TOO_MANY: &str = "expected a file with fewer problems than this one, whose places are too long to be told";

/// Checks a file. The cases are there if and only if there is no problem.
pub(super) fn check(source: &Source) -> Result<CaseFile, Vec<Problem>> {
    let schema: Value = serde_json::from_str(cases_schema()).expect("a schema is JSON");
    let ours = JsonSchema::ours(&schema).expect("our own schema is valid");
    let mismatches = ours
        .mismatches(&source.value, &mut SchemaBudget::default())
        .map_err(|_| vec![of(source, &Path::root(), code::FILE_TOO_LARGE, TOO_MANY.to_owned())])?;
    let mut problems: Vec<_> =
        mismatches.iter().flat_map(|mismatch| shape_problems(source, &schema, mismatch)).collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    if !problems.is_empty() {
        return Err(problems);
    }
    let file = serde_json::from_value(source.value.clone());
    let file: CaseFile = file.map_err(|error| vec![of(source, &Path::root(), code::WRONG_TYPE, error.to_string())])?;
    let problems = meaning_problems(source, &file);
    if problems.is_empty() { Ok(file) } else { Err(problems) }
}

/// A problem at a place of a file.
pub(super) fn of(source: &Source, path: &Path, code: &str, message: String) -> Problem {
    let position = source.position(&path.to_string());
    Problem {
        file: source.name.clone(),
        code: code.to_owned(),
        path: path.to_string(),
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        message,
        suggestion: None,
        severity: Level::Error,
    }
}

fn shape_problems(source: &Source, schema: &Value, mismatch: &Mismatch) -> Vec<Problem> {
    let path = place(&mismatch.place, &source.value);
    let found = || pawl_engine::coerce::short(source.value.pointer(&mismatch.place).unwrap_or(&Value::Null));
    let shape = schema.pointer(&mismatch.schema).unwrap_or(&Value::Null);
    let one = |code, message| vec![of(source, &path, code, message)];
    match &mismatch.kind {
        MismatchKind::UnknownKeys(keys) => {
            let allowed: Vec<_> =
                shape["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
            keys.iter().map(|key| unknown_key(source, &path.key(key), key, &allowed)).collect()
        }
        MismatchKind::MissingKeys(keys) => {
            let missing =
                |key| of(source, &path, code::MISSING_KEY, format!("expected the key {key:?}, which is absent"));
            keys.iter().map(missing).collect()
        }
        MismatchKind::UnknownWord => {
            let words: Vec<_> = shape["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            one(code::UNKNOWN_WORD, format!("expected one of {}, found {}", words.join(", "), found()))
        }
        MismatchKind::WrongType => {
            let wanted = &shape["type"];
            let wanted = wanted.as_str().map_or_else(|| wanted.to_string(), type_in_words);
            one(code::WRONG_TYPE, format!("expected {wanted}, found {}", found()))
        }
        MismatchKind::Other => one(code::INVALID_VALUE, mismatch.message.clone()),
    }
}

/// A JSON pointer as a place; lists are told from objects by the value.
fn place(pointer: &str, value: &Value) -> Path {
    let mut path = Path::root();
    let mut at = value;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        let index: Option<usize> = key.parse().ok().filter(|_| at.is_array());
        path = index.map_or_else(|| path.key(&key), |index| path.index(index));
        at = index.map_or_else(|| at.get(&key), |index| at.get(index)).unwrap_or(&Value::Null);
    }
    path
}

fn unknown_key(source: &Source, path: &Path, key: &str, allowed: &[String]) -> Problem {
    let likeness = |other: &&String| strsim::jaro_winkler(key, other);
    let nearest = allowed.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|other| likeness(other) > LIKE);
    let message = format!("unknown key {key:?}; expected one of {}", allowed.join(", "));
    let suggestion = nearest.map(|other| format!("did you mean {other:?}?"));
    Problem { suggestion, ..of(source, path, code::UNKNOWN_KEY, message) }
}

fn type_in_words(name: &str) -> String {
    match name {
        "object" => "a mapping".to_owned(),
        "array" => "a list".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => "a whole number".to_owned(),
        other => format!("a {other}"),
    }
}

/// What the shape does not say: keys of which exactly one must be there, times and spans, names used twice.
fn meaning_problems(source: &Source, file: &CaseFile) -> Vec<Problem> {
    let mut found = Found { source, problems: Vec::new() };
    let root = Path::root();
    found.time(&root.key("now"), file.now.as_deref());
    found.http(&root.key("http"), &file.http);
    machines::check(&mut found, &root.key("state_machines"), &file.state_machines);
    cloud::check(&mut found, &root.key("cloud"), &file.cloud);
    children::check(&mut found, &root.key("children"), &file.children);
    for (index, case) in file.cases.iter().enumerate() {
        let path = root.key("cases").index(index);
        if file.cases[..index].iter().any(|other| other.name == case.name) {
            found.add(&path.key("name"), code::DUPLICATE_ID, format!("the name {:?} is used twice", case.name));
        }
        found.case(&path, case);
    }
    found.problems.sort_by_key(|problem| (problem.line, problem.column));
    found.problems
}

/// What is wrong with a file, as far as it was looked at.
pub(super) struct Found<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

impl Found<'_> {
    pub(super) fn add(&mut self, path: &Path, code: &str, message: String) {
        self.problems.push(of(self.source, path, code, message));
    }

    fn case(&mut self, path: &Path, case: &Case) {
        self.time(&path.key("now"), case.now.as_deref());
        self.span(&path.key("look_after"), case.look_after.as_deref());
        self.http(&path.key("http"), &case.http);
        machines::check(self, &path.key("state_machines"), &case.state_machines);
        cloud::check(self, &path.key("cloud"), &case.cloud);
        children::check(self, &path.key("children"), &case.children);
        for (index, model) in case.models.iter().flatten().enumerate() {
            self.model(&path.key("models").index(index), model);
        }
        self.happens(&path.key("event"), &case.event);
        if case.expect.executions.is_some() && case.expect.execution() != ExpectExecution::default() {
            let message = "expected either executions, or status, path, variables, failed_steps, error, output and outcome, found both";
            self.add(&path.key("expect"), code::EXACTLY_ONE, message.to_owned());
        }
        for (index, later) in case.then.iter().enumerate() {
            self.later(&path.key("then").index(index), later);
        }
    }

    fn happens(&mut self, path: &Path, happens: &Happens) {
        let Happens { webhook, manual, schedule, workflow_ended, event, email, .. } = happens;
        self.email(&path.key("email"), email.as_ref());
        let records = [happens.record_created.is_some(), happens.field_updated.is_some()];
        let archive = [happens.record_archived.is_some(), happens.record_unarchived.is_some()];
        let fired = [schedule.is_some(), workflow_ended.is_some(), happens.date.is_some(), event.is_some()];
        let of_people =
            [happens.activity_logged.is_some(), happens.activity_overdue.is_some(), happens.interaction.is_some()];
        let there = [webhook.is_some(), manual.is_some(), email.is_some()];
        let there = there
            .iter()
            .chain(&fired)
            .chain(&of_people)
            .chain(&records)
            .chain(&archive)
            .filter(|there| **there)
            .count();
        if there != 1 {
            let message = format!("expected exactly one of {HAPPENINGS}, found {there}");
            self.add(path, code::EXACTLY_ONE, message);
        }
        self.interaction(path, happens.interaction.as_ref());
    }

    fn later(&mut self, path: &Path, later: &Later) {
        let Later { after, webhook, manual, record_created, field_updated, signal, control, .. } = later;
        self.span(&path.key("after"), after.as_deref());
        self.email(&path.key("email"), later.email.as_ref());
        let archive = [later.record_archived.is_some(), later.record_unarchived.is_some()];
        let records = [record_created.is_some(), field_updated.is_some(), archive[0], archive[1]];
        let sent =
            [signal.is_some(), control.is_some(), later.activity_logged.is_some(), later.activity_overdue.is_some()];
        let fired =
            [later.schedule.is_some(), later.date.is_some(), later.workflow_ended.is_some(), later.event.is_some()];
        let there = [webhook.is_some(), manual.is_some(), later.interaction.is_some(), later.email.is_some()];
        let there = there.iter().chain(&fired).chain(&sent).chain(&records).filter(|there| **there).count();
        if there > 1 || (there == 0 && after.is_none()) {
            let message = format!("expected one of {HAPPENINGS}, signal, control, or a time to pass, found {there}");
            self.add(path, code::EXACTLY_ONE, message);
        }
        self.interaction(path, later.interaction.as_ref());
    }

    fn interaction(&mut self, path: &Path, posted: Option<&PostedInteraction>) {
        if let Some(wrong) = posted.and_then(PostedInteraction::wrong) {
            self.add(&path.key("interaction"), code::EXACTLY_ONE, wrong.to_owned());
        }
    }

    /// A message is sent to a record, or to an address.
    fn email(&mut self, path: &Path, told: Option<&MailTold>) {
        let Some(told) = told else { return };
        if told.record.is_some() == told.to.is_some() {
            self.add(path, code::EXACTLY_ONE, "expected either record or to".to_owned());
        }
    }

    fn http(&mut self, path: &Path, scripts: &[HttpScript]) {
        for (index, script) in scripts.iter().enumerate() {
            let path = path.index(index);
            self.span(&path.key("takes"), script.takes.as_deref());
            if script.answer.is_some() == script.fail.is_some() {
                self.add(&path, code::EXACTLY_ONE, "expected either answer or fail".to_owned());
            }
        }
    }

    fn model(&mut self, path: &Path, model: &ModelScript) {
        let there = [model.answer.is_some(), model.text.is_some(), model.fail.is_some()];
        if there.iter().filter(|there| **there).count() != 1 {
            self.add(path, code::EXACTLY_ONE, "expected exactly one of answer, text, fail".to_owned());
        }
        let ended = [("finish_reason", model.finish_reason.is_some()), ("usage", model.usage.is_some())];
        for (key, _) in ended.into_iter().filter(|(_, written)| *written && model.fail.is_some()) {
            let message = format!("expected no `{key}` beside `fail`: no answer comes");
            self.add(&path.key(key), code::NOT_ALLOWED, message);
        }
    }

    fn time(&mut self, path: &Path, written: Option<&str>) {
        if let Some(text) = written.filter(|text| text.parse::<jiff::Timestamp>().is_err()) {
            let message = format!("expected a date and time such as 2026-03-02T09:00:00Z, found {text:?}");
            self.add(path, code::INVALID_TIME, message);
        }
    }

    pub(super) fn span(&mut self, path: &Path, written: Option<&str>) {
        if let Some(text) = written.filter(|text| Duration::parse(text).is_err()) {
            self.add(path, code::INVALID_TIME, format!("expected a span such as 3d 2h, found {text:?}"));
        }
    }
}
