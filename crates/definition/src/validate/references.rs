//! Names in expressions: variables, steps, fields of records, and what else an expression sees.

use super::facts::Facts;
use super::found::{ExpressionSite, Found, Owner};
use super::regions::Regions;
use super::report::Report;
use super::typing::Typing;
use super::words::{all_of, any_of, did_you_mean};
use crate::StepKind;
use crate::kind::check_known;
use crate::path::{Path, Segment};
use crate::problem::{Problem, code};
use crate::types::Kinds;
use crate::{DefinitionKind, Expression, led_to, step};

/// Every variable that an expression of a step sees.
const ROOTS: &[&str] = &["record", "vars", "trigger", "steps", "execution", "workflow", "now"];

/// Names of types, which CEL knows as values.
const TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// What follows `execution.`.
const EXECUTION: &[&str] = &["id", "status", "started_at", "created_at", "attempt", "failed_steps"];

/// What follows `workflow.`.
const WORKFLOW: &[&str] = &["id", "name", "owner", "revision"];

/// What follows `steps.<id>.`.
const STEP: &[&str] = &["output", "status", "error"];

/// A variable and the way into it, as far as it is written out: `record.company.name`, `steps["my-step"].output`.
struct Read<'e> {
    names: &'e [String],
    /// Characters of the expression before it.
    column: usize,
}

/// Checks the names of one expression that is valid CEL.
pub(super) fn check(
    report: &mut Report<'_>,
    (site, expression): (&ExpressionSite<'_>, &Expression),
    found: &Found<'_>,
    (facts, typing, regions): (&Facts<'_>, &Typing<'_, '_>, &Regions<'_, '_>),
) {
    if dashed_step(report, site, facts) {
        return;
    }
    let mut names = Names { report, site, facts, regions, found };
    for read in expression.reads() {
        names.root(&Read { names: read, column: column(site.text, read) });
    }
    if !expression.secrets().is_empty() && !secrets_allowed(site, found) {
        let message = "secret() is not allowed here: secrets stand only in the settings of http_request";
        let column = site.column + column(site.text, &["secret".to_owned()]);
        report.error_within(code::EXPRESSION_SECRET, &site.path, column, message);
    }
    groups(report, (site, expression), facts);
    lookups(report, (site, expression), found, facts);
    let (found, mistakes) = expression.infer(&typing.seen_by(site));
    if is_of_start(&site.path) && !found.kinds.present().meets(OF_KEYS) {
        let found = expression.described(&found);
        let message = format!("a key is a text, a number or true or false, found {found}");
        report.error_within(code::EXPRESSION_TYPE, &site.path, site.column, message);
    }
    for mistake in mistakes {
        let column = if mistake.place.is_empty() { 0 } else { column(site.text, &mistake.place) };
        let problem = report.error_within(mistake.code, &site.path, site.column + column, mistake.message);
        problem.severity = mistake.level;
        problem.suggest(mistake.suggestion);
    }
}

/// Groups must be there, and be of the record that is asked about.
fn groups(report: &mut Report<'_>, (site, expression): (&ExpressionSite<'_>, &Expression), facts: &Facts<'_>) {
    for (path, id) in expression.groups() {
        let column = site.column + site.text.find(id.as_str()).map_or(0, |at| site.text[..at].chars().count());
        check_known(report, facts.around, (DefinitionKind::Group, id), (&site.path, column));
        let group = facts.around.definitions.and_then(|definitions| definitions.groups.get(id));
        let (Some(group), Some(asked)) = (group, object_of(path, facts)) else { continue };
        if group.object != asked {
            let message = format!("the group {id:?} is one of {:?}, and the record is one of {asked:?}", group.object);
            report.error_within(code::EXPRESSION_TYPE, &site.path, column, message);
        }
    }
}

/// What is looked up must be there and be found by a unique field, at a place where records are read.
fn lookups(
    report: &mut Report<'_>,
    (site, expression): (&ExpressionSite<'_>, &Expression),
    found: &Found<'_>,
    facts: &Facts<'_>,
) {
    for (object, field) in expression.lookups() {
        let at = |text: &str| site.column + site.text.find(text).map_or(0, |at| site.text[..at].chars().count());
        if found.triggers.iter().any(|trigger| site.path.is_within(&trigger.path)) || is_of_start(&site.path) {
            let message = "lookup() is not allowed here: records are looked up by steps, variables and results only";
            report.error_within(code::NOT_ALLOWED, &site.path, at("lookup"), message);
            return;
        }
        let Some(of) = facts.objects.get(object) else {
            if !facts.objects.is_empty() && !facts.broken.contains(object) {
                let known = || facts.objects.keys().map(String::as_str);
                let message =
                    format!("lookup() expects an object that exists, found {object:?}; there are {}", all_of(known()));
                let problem = report.error_within(code::UNKNOWN_OBJECT, &site.path, at(object), message);
                problem.suggest(did_you_mean(object, known()));
            }
            continue;
        };
        let unique = of.unique_names();
        if !unique.contains(&field.as_str()) {
            let known = if unique.is_empty() {
                "has none".to_owned()
            } else {
                format!("has {}", all_of(unique.iter().copied()))
            };
            let message = format!("lookup() expects a unique field, found {field:?}; {object:?} {known}");
            let near = did_you_mean(field, unique.iter().copied());
            let near =
                near.or_else(|| of.fields.contains_key(field).then(|| format!("or give {field:?} `unique: true`")));
            report.error_within(code::UNKNOWN_FIELD, &site.path, at(field), message).suggest(near);
        }
    }
}

/// The object of the record at a path.
fn object_of<'f>(path: &[String], facts: &'f Facts<'_>) -> Option<&'f str> {
    match path {
        [record] if record == "record" => facts.object_id,
        [record, chain @ ..] if record == "record" => {
            let to = led_to(facts.object()?, facts.objects, &chain.join("."))?;
            (!to.many).then_some(to.object.as_str())
        }
        _ => None,
    }
}

/// Tells of `steps.my-step.output`, which CEL reads as a subtraction.
fn dashed_step(report: &mut Report<'_>, site: &ExpressionSite<'_>, facts: &Facts<'_>) -> bool {
    const ROOT: &str = "steps.";
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let dashed = site.text.match_indices(ROOT).find_map(|(at, _)| {
        let rest = &site.text[at + ROOT.len()..];
        let length = rest.find(|c: char| !letter(c) && c != '-').unwrap_or(rest.len());
        let (id, rest) = rest.split_at(length);
        (id.contains('-') && facts.steps.contains_key(id)).then_some((at, id, rest))
    });
    let Some((at, id, rest)) = dashed else { return false };
    let column = site.column + site.text[..at].chars().count();
    let message = format!("`{ROOT}{id}` is read as a subtraction, since `-` is no letter of a name");
    let rest = &rest[..rest.find(|c: char| !letter(c) && c != '.').unwrap_or(rest.len())];
    let problem = report.error_within(code::EXPRESSION_SYNTAX, &site.path, column, message);
    problem.suggest(format!("write `steps[{id:?}]{rest}`"));
    true
}

/// Where names are written: at the longest beginning of them, with points between, that the text holds.
fn column(text: &str, names: &[String]) -> usize {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    let place = |name: &str| {
        let mut places = text.match_indices(name).map(|(at, _)| at);
        places.find(|at| {
            !text[..*at].ends_with(|c| inside(c) || c == '.') && !text[at + name.len()..].starts_with(inside)
        })
    };
    let beginnings = (1..=names.len()).rev().map(|length| names[..length].join("."));
    beginnings.into_iter().find_map(|name| place(&name)).map_or(0, |at| text[..at].chars().count())
}

/// Secrets stand in the own keys of the types that take them.
fn secrets_allowed(site: &ExpressionSite<'_>, found: &Found<'_>) -> bool {
    let Owner::Step(at) = site.owner else { return false };
    let step = &found.steps[at];
    let key = site.path.segments().get(step.path.segments().len());
    let common = matches!(key, Some(Segment::Key(key)) if step::COMMON_KEYS.contains(&&**key));
    let Some(facts) = step.tag.map(StepKind::facts_of) else { return false };
    // What is read from an answer holds no secret.
    let reads_answer = facts.answer_in.is_some_and(|answers| key == Some(&Segment::Key(answers.into())));
    facts.takes_secrets && !common && !reads_answer
}

/// What a key of a limit may be; times become texts.
const OF_KEYS: Kinds =
    Kinds::NULL.or(Kinds::BOOLEAN).or(Kinds::NUMBER).or(Kinds::TEXT).or(Kinds::TIME).or(Kinds::DURATION);

/// Whether an expression is the key of a limit, which is computed when an execution is created.
pub(super) fn is_of_start(path: &Path) -> bool {
    path.segments().first() == Some(&Segment::Key("limits".into()))
}

struct Names<'c, 'r, 's> {
    report: &'r mut Report<'s>,
    site: &'c ExpressionSite<'c>,
    facts: &'c Facts<'c>,
    regions: &'c Regions<'c, 'c>,
    found: &'c Found<'c>,
}

impl Names<'_, '_, '_> {
    fn error(&mut self, code: &str, read: &Read<'_>, message: impl Into<String>) -> &mut Problem {
        self.report.error_within(code, &self.site.path, self.site.column + read.column, message)
    }

    fn root(&mut self, read: &Read<'_>) {
        match read.names[0].as_str() {
            name @ ("vars" | "steps" | "execution") if is_of_start(&self.site.path) => {
                let message = format!("`{name}` does not exist here: the key is computed before an execution starts");
                self.error(code::EXPRESSION_UNKNOWN_NAME, read, message);
            }
            "record" => self.record(read),
            "vars" => self.variable(read),
            "steps" => self.step(read),
            "execution" if self.is_of_delivery() => {
                let message = "`execution` does not exist here: a delivery is read before an execution starts";
                self.error(code::EXPRESSION_UNKNOWN_NAME, read, message);
            }
            "execution" => self.one_of(read, EXECUTION),
            "workflow" => self.one_of(read, WORKFLOW),
            "trigger" | "now" => {}
            "item" | "index" if self.is_in_loop() => {}
            "item" | "index" => {
                let message = format!("`{}` exists only inside for_each", read.names[0]);
                self.error(code::NO_ITEM, read, message);
            }
            "answer" if self.sees_answer() => {}
            name if TYPES.contains(&name) => {}
            name => self.unknown_root(name, read),
        }
    }

    fn unknown_root(&mut self, name: &str, read: &Read<'_>) {
        let field = self.facts.object().is_some_and(|object| object.names().contains(&name));
        let near = if self.facts.variables.contains(name) {
            Some(format!("did you mean `vars.{name}`?"))
        } else if self.facts.steps.contains_key(name) {
            Some(format!("did you mean `steps.{name}`?"))
        } else if field {
            Some(format!("did you mean `record.{name}`?"))
        } else {
            did_you_mean(name, ROOTS.iter().copied())
        };
        let message = format!("unknown name `{name}`; expected one of {}", any_of(ROOTS.iter().copied()));
        self.error(code::EXPRESSION_UNKNOWN_NAME, read, message).suggest(near);
    }

    fn record(&mut self, read: &Read<'_>) {
        if self.facts.object_id.is_none() {
            let message = "`record` does not exist here: this workflow is global, it runs against no record";
            self.error(code::NO_RECORD, read, message)
                .suggest("add `object: <record type>` to the workflow".to_owned());
            return;
        }
        if matches!(self.site.owner, Owner::Trigger(_)) && self.below_trigger("values") {
            let message = "`record` does not exist here: a delivery is read before its record is found";
            self.error(code::NO_RECORD, read, message);
            return;
        }
        if matches!(self.site.owner, Owner::Trigger(_)) && self.below_trigger("match") {
            let message = "`record` does not exist here: this expression is what finds it";
            self.error(code::NO_RECORD, read, message);
        }
    }

    fn variable(&mut self, read: &Read<'_>) {
        if matches!(self.site.owner, Owner::Trigger(_)) {
            let message = "`vars` does not exist here: variables are set after the trigger, when an execution starts";
            self.error(code::EXPRESSION_UNKNOWN_NAME, read, message);
            return;
        }
        let Some(name) = read.names.get(1) else { return };
        if let Some(own) = self.variable_index() {
            return self.earlier_variable(name, own, read);
        }
        if !self.facts.variables.contains(name.as_str()) {
            let known = || self.facts.variables.iter().copied();
            let there =
                if known().next().is_some() { format!("; there are {}", all_of(known())) } else { String::new() };
            let near = did_you_mean(name, known());
            self.error(code::UNKNOWN_VARIABLE, read, format!("nothing sets a variable {name:?}{there}")).suggest(near);
        }
    }

    /// Variables are evaluated top to bottom: each sees those above it.
    fn earlier_variable(&mut self, name: &str, own: usize, read: &Read<'_>) {
        let declared = self.facts.declared.iter().map(|(name, ..)| *name);
        let above: Vec<_> = declared.take(own).collect();
        if !above.contains(&name) {
            let later = self.facts.variables.contains(name);
            let why = if later { ": variables see only those above them" } else { "" };
            let near = did_you_mean(name, above.iter().copied());
            self.error(code::UNKNOWN_VARIABLE, read, format!("no variable {name:?} is set yet{why}")).suggest(near);
        }
    }

    fn step(&mut self, read: &Read<'_>) {
        let is_before = self.site.owner == Owner::Workflow && !self.is_result();
        if is_before || matches!(self.site.owner, Owner::Trigger(_)) {
            let message = "`steps` does not exist here: no step has run yet";
            self.error(code::EXPRESSION_UNKNOWN_NAME, read, message);
            return;
        }
        let Some(id) = read.names.get(1) else { return };
        if !self.facts.steps.contains_key(id.as_str()) {
            let known = || self.facts.steps.keys().copied();
            let dashed =
                known().find(|known| known.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('-')));
            let near = dashed.map(|id| format!("write `steps[{id:?}]`")).or_else(|| did_you_mean(id, known()));
            self.error(code::UNKNOWN_STEP, read, format!("this workflow has no step {id:?}")).suggest(near);
        } else if let Some(hint) = self.regions.hides(id, &self.site.path) {
            let message = format!("the step {id:?} runs apart, in a lane or for an item: its result is not seen here");
            self.error(code::NOT_ALLOWED, read, message).suggest(hint);
        } else if let Some(part) = read.names.get(2).filter(|part| !STEP.contains(&part.as_str())) {
            let message = format!("a step has output, status and error, found {part:?}");
            let inside = format!("did you mean `steps.{id}.output.{part}`?");
            let near = did_you_mean(part, STEP.iter().copied()).unwrap_or(inside);
            self.error(code::EXPRESSION_UNKNOWN_NAME, read, message).suggest(near);
        }
    }

    fn one_of(&mut self, read: &Read<'_>, known: &[&str]) {
        let Some(name) = read.names.get(1).filter(|name| !known.contains(&name.as_str())) else { return };
        let message = format!("`{}` has {}, found {name:?}", read.names[0], all_of(known.iter().copied()));
        let near = did_you_mean(name, known.iter().copied());
        self.error(code::EXPRESSION_UNKNOWN_NAME, read, message).suggest(near);
    }

    /// Whether it is evaluated when a delivery comes.
    fn is_of_delivery(&self) -> bool {
        let of_trigger = matches!(self.site.owner, Owner::Trigger(_));
        of_trigger && (self.below_trigger("values") || self.below_trigger("match"))
    }

    /// Whether there is an item: below the steps of a loop, and where it says what is kept of an item.
    fn is_in_loop(&self) -> bool {
        self.regions.has_item(&self.site.path)
    }

    /// Whether it is about the answer of a call that its step made.
    fn sees_answer(&self) -> bool {
        let Owner::Step(at) = self.site.owner else { return false };
        let step = &self.found.steps[at];
        let key = self.site.path.segments().get(step.path.segments().len());
        let answers = step.tag.and_then(|tag| StepKind::facts_of(tag).answer_in);
        answers.is_some_and(|answers| key == Some(&Segment::Key(answers.into())))
    }

    fn below_trigger(&self, key: &str) -> bool {
        self.site.path.segments().contains(&Segment::Key(key.into()))
    }

    /// Whether it is a part of the workflow's result or outcome, which are computed when all steps have run.
    fn is_result(&self) -> bool {
        matches!(self.site.path.segments().first(), Some(Segment::Key(key)) if ["output", "outcome"].contains(&&**key))
    }

    /// The place of the variable whose source this is.
    fn variable_index(&self) -> Option<usize> {
        match self.site.path.segments() {
            [Segment::Key(variables), Segment::Index(at), ..] if **variables == *"variables" => Some(*at),
            _ => None,
        }
    }
}
