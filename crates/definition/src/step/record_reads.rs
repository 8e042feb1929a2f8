//! What a step may read of its record and of other steps, told from its keys without data.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{NOT_AVAILABLE, StepKind};
use crate::{Expression, Template};

/// What a step may read of the record of its execution, and of other steps; nested steps left out.
///
/// Deliberately generous: a name too many costs one look at the schema and a value in history, a name too few is a wrong
/// null.
#[derive(Debug, Default)]
pub(super) struct RecordReads {
    /// Names that follow `record.` in any text.
    pub(super) names: BTreeSet<String>,
    /// Paths after `record` that expressions read; an empty one is the whole record.
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Whether `record` stands in any text.
    pub(super) any: bool,
    /// Whether a group is asked for in any text.
    pub(super) groups: bool,
    /// Objects of which a record is looked up in any text; an empty one stands for all.
    pub(super) lookups: BTreeSet<String>,
    /// Ids that follow `steps` in any text; an empty one stands for all steps.
    pub(super) steps: BTreeSet<String>,
}

impl RecordReads {
    /// Of the own keys of a step.
    pub(super) fn of(own: &Value) -> Self {
        let mut reads = Self::default();
        reads.scan(own);
        reads
    }

    fn add(&mut self, text: &str) {
        self.steps.extend(steps_named(text));
        self.groups = self.groups || text.contains("in_group");
        self.lookups.extend(looked_up(text));
        if text.contains("record") {
            self.any = true;
            self.names.extend(names_after_record(text));
            self.paths.extend(paths_after_record(text));
        }
    }

    /// Adds what the texts of a value read.
    pub(super) fn scan(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(values) => values.iter().filter(|value| !is_step(value)).for_each(|value| self.scan(value)),
            Value::Object(keys) => {
                self.groups = self.groups || keys.contains_key("in_group");
                keys.values().for_each(|value| self.scan(value));
            }
            _ => {}
        }
    }
}

/// The names that follow `record` in a text: `record.company`, `record["company"]`.
pub fn names_after_record(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("record").filter_map(|(at, found)| {
        let rest = text[at + found.len()..].trim_start();
        let opened = rest.strip_prefix('[').map(|rest| rest.trim_start().trim_start_matches(['"', '\'', '\\']));
        let rest = rest.strip_prefix('.').or(opened)?.trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (!name.is_empty()).then_some(name)
    })
}

/// The objects of which a text looks a record up: `lookup("company", …)`. It is empty where the name stands elsewhere.
pub fn looked_up(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("lookup").map(|(at, found)| {
        let rest = text[at + found.len()..].trim_start();
        let rest = rest.strip_prefix('(').unwrap_or_default().trim_start().trim_start_matches(['"', '\'', '\\']);
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    })
}

/// The ids that follow `steps` in a text: `steps.ask`, `steps["ask-again"]`. It is empty where another word follows.
fn steps_named(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, found) in text.match_indices("steps") {
        let rest = text[at + found.len()..].trim_start();
        let quote = |c: char| ['"', '\'', '\\'].contains(&c);
        let opened = rest.strip_prefix('[').map(str::trim_start).filter(|rest| rest.starts_with(quote));
        let rest = rest.strip_prefix('.').or(opened).unwrap_or_default();
        let rest = rest.trim_start().trim_start_matches(quote);
        let is_letter = |c: char| c.is_alphanumeric() || c == '_';
        // With dashes and without: `steps.a-1` is a subtraction.
        named.insert(rest.chars().take_while(|c| is_letter(*c) || *c == '-').collect());
        named.insert(rest.chars().take_while(|c| is_letter(*c)).collect());
    }
    named
}

/// Of the paths that expressions read, those of the record, without its name.
pub fn after_record(paths: &BTreeSet<Vec<String>>) -> BTreeSet<Vec<String>> {
    let own = paths.iter().filter(|path| path.first().is_some_and(|root| root == "record"));
    own.map(|path| path[1..].to_vec()).collect()
}

/// The paths after `record` that a text reads, be it a template or an expression; prose reads nothing. What has `{{ }}`
/// and is neither may read all.
fn paths_after_record(text: &str) -> BTreeSet<Vec<String>> {
    let expression = Expression::parse(text).map(|expression| after_record(expression.reads()));
    if !text.contains("{{") {
        return expression.unwrap_or_default();
    }
    let template = Template::parse(&Value::String(text.to_owned())).map(|template| after_record(&template.reads()));
    match (template, expression) {
        (Ok(template), Ok(expression)) => template.union(&expression).cloned().collect(),
        (Ok(paths), Err(_)) | (Err(_), Ok(paths)) => paths,
        (Err(_), Err(_)) => BTreeSet::from([Vec::new()]),
    }
}

/// Whether a value is a step, and not a trigger that a goal waits for.
fn is_step(value: &Value) -> bool {
    let tag = value.get("type").and_then(Value::as_str);
    value.get("id").is_some()
        && tag.is_some_and(|tag| StepKind::AVAILABLE.contains(&tag) || NOT_AVAILABLE.contains(&tag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(own: &Value) -> Vec<String> {
        RecordReads::of(own).paths.into_iter().map(|path| path.join(".")).collect()
    }

    #[test]
    fn paths_are_those_of_expressions_and_not_of_prose() {
        assert_eq!(paths(&json!({"if": "record.plan == 'free' && record[\"tags\"][0] == 'a'"})), ["plan", "tags"]);
        assert_eq!(paths(&json!({"text": "The record of {{ record.customer.name }}"})), ["customer.name"]);
        assert_eq!(paths(&json!({"text": "Tell of the record."})), [""; 0]);
    }

    #[test]
    fn a_record_that_is_named_alone_is_read_as_a_whole() {
        assert_eq!(paths(&json!({"body": "{{ json(record) }}"})), [""]);
        assert_eq!(paths(&json!({"body": "{{ record[vars.name] }}"})), [""]);
    }

    #[test]
    fn steps_are_named_with_points_and_in_brackets_or_all_of_them() {
        let steps = |text: &str| RecordReads::of(&json!({"if": text})).steps.into_iter().collect::<Vec<_>>();
        assert_eq!(steps("steps.ask.output > 1"), ["ask"]);
        assert_eq!(steps("steps[\"ask-again\"].output"), ["ask", "ask-again"]);
        assert_eq!(steps("{{ json(steps) }}"), [""]);
        assert_eq!(steps("steps[vars.x].output"), [""]);
    }

    #[test]
    fn objects_are_those_that_are_looked_up() {
        let objects = |text: &str| looked_up(text).collect::<Vec<_>>();
        assert_eq!(objects(r#"lookup( "company", {"a": 1}) == lookup(\'deal\', {})"#), ["company", "deal"]);
        assert_eq!(objects(r#""company".lookup({"a": 1})"#), [""], "it may be any");
        assert_eq!(objects("record.name"), [""; 0]);
    }

    #[test]
    fn nested_steps_read_for_themselves() {
        let nested = json!({"if": "record.a", "yes": [{"id": "x", "type": "note", "text": "{{ record.b }}"}]});
        assert_eq!(paths(&nested), ["a"]);
    }
}
