use proptest::prelude::*;
use serde_json::{Value, json};

use super::world;
use crate::{ExpressionError, Template};

fn roots() -> Value {
    json!({
        "record": {"name": "Ada", "age": 36, "email": null, "tags": ["a", "b"]},
        "vars": {"key": "k", "text": "{{ record.name }}"},
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it reads better at the calls")]
fn resolved(template: Value) -> Value {
    let resolved = Template::parse(&template).and_then(|template| template.resolve(&world(roots())));
    resolved.unwrap_or_else(|error| json!({"error": error.to_string()}))
}

fn text(template: &str) -> Result<String, ExpressionError> {
    Template::parse(&json!(template))?.resolve_text(&world(roots()))
}

#[test]
fn one_expression_alone_keeps_its_type() {
    assert_eq!(resolved(json!("{{ record.age + 1 }}")), json!(37));
    assert_eq!(resolved(json!("{{record.tags}}")), json!(["a", "b"]));
    assert_eq!(resolved(json!("{{ record.email }}")), json!(null));
    assert_eq!(resolved(json!("{{ record.age }}\n")), json!(36), "a block of YAML ends with a line break");
    assert_eq!(resolved(json!(" {{ record.age }}")), json!(" 36"));
}

#[test]
fn values_are_put_into_texts() {
    assert_eq!(resolved(json!("Hello {{ record.name }}!")), json!("Hello Ada!"));
    assert_eq!(resolved(json!("{{ record.name }}{{ record.age }}")), json!("Ada36"));
    assert_eq!(resolved(json!("mail: {{ record.email }}.")), json!("mail: ."));
    assert_eq!(resolved(json!("tags {{ record.tags }}\n")), json!("tags [\"a\",\"b\"]\n"));
    assert_eq!(resolved(json!("{{ vars.text }} stays")), json!("{{ record.name }} stays"), "data is no template");
}

#[test]
fn lists_and_objects_are_resolved_inside() {
    let template = json!({"a": ["{{ record.age }}", {"b": "x{{ vars.key }}"}], "{{ key }}": 1, "plain": "text"});
    assert_eq!(resolved(template), json!({"a": [36, {"b": "xk"}], "{{ key }}": 1, "plain": "text"}));
}

#[test]
fn braces_of_an_expression_are_its_own() {
    assert_eq!(resolved(json!("{{ {'a': {'b': 1}} }}")), json!({"a": {"b": 1}}));
    assert_eq!(resolved(json!("{{{'a': {'b': 1}}}}")), json!({"a": {"b": 1}}));
    assert_eq!(resolved(json!("a {{ '}}' }} b")), json!("a }} b"));
    assert_eq!(resolved(json!("{{ \"{{\" }} literally {{ r'\\' }}")), json!("{{ literally \\"));
    assert_eq!(resolved(json!("{{ '''it's }} here''' }}.")), json!("it's }} here."));
    assert_eq!(resolved(json!("} } { {")), json!("} } { {"));
}

#[test]
fn unfinished_expressions_are_errors() {
    let error = |template: Value| Template::parse(&template).expect_err("it is refused").to_string();
    assert_eq!(error(json!("a {{ b")), "cannot read `{{ b`: `{{` is not closed by `}}`");
    assert_eq!(error(json!(["{{ 'b }}"])), "cannot read `{{ 'b }}`: `{{` is not closed by `}}`");
    assert_eq!(error(json!({"a": "{{ }}"})), "cannot read ``: expected an expression, found nothing");
}

#[test]
fn text_of_a_template_is_always_text() {
    assert_eq!(text("{{ record.email }}"), Ok(String::new()));
    assert_eq!(text("{{ record.age }}"), Ok("36".into()));
    assert_eq!(text("{{ record.tags }}"), Ok("[\"a\",\"b\"]".into()));
    assert_eq!(text("plain"), Ok("plain".into()));
    assert_eq!(text("{{ nothing }}").map_err(|error| error.code()), Err("expression_unknown_name"));
}

#[test]
fn a_template_without_expressions_is_a_literal() {
    let parse = |value: Value| Template::parse(&value).expect("it parses");
    assert_eq!(parse(json!({"a": [1, "x"]})).literal(), Some(&json!({"a": [1, "x"]})));
    assert_eq!(parse(json!(null)).literal(), Some(&json!(null)));
    assert_eq!(parse(json!("plain")).literal(), Some(&json!("plain")));
    assert_eq!(parse(json!(["{{ 1 }}"])).literal(), None);
}

#[test]
fn a_template_knows_what_it_reads() {
    let template = Template::parse(&json!({"a": "{{ record.name }} {{ vars.key }}", "b": ["{{ record.age }}"]}));
    let template = template.expect("it parses");
    assert_eq!(template.roots().into_iter().collect::<Vec<_>>(), ["record", "vars"]);
    let reads: Vec<_> = template.reads().into_iter().map(|path| path.join(".")).collect();
    assert_eq!(reads, ["record.age", "record.name", "vars.key"]);
    assert_eq!(template.secrets().len(), 0);
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\{\\{|\\}\\}|[{}'\"\\\\r a.1]|\\PC){0,30}") {
        if let Ok(template) = Template::parse(&json!(text)) {
            let _ = template.resolve(&world(json!({})));
        }
    }

    #[test]
    fn text_without_braces_is_itself(text in "[^{]*") {
        let template = Template::parse(&json!(text)).expect("it parses");
        prop_assert_eq!(template.resolve(&world(json!({}))), Ok(json!(text)));
    }
}

/// 5,000 times a body of a megabyte aborted the process, and again after each restart.
#[test]
fn all_parts_of_a_template_share_one_budget() {
    let roots = json!({"vars": {"long": "x".repeat(1 << 20), "short": "y".repeat(1_000)}});
    let over = |template: Value| {
        let resolved = Template::parse(&template).and_then(|template| template.resolve(&world(roots.clone())));
        resolved.map_err(|error| error.to_string())
    };
    let many = over(json!("{{ vars.long }}".repeat(5_000)));
    assert_eq!(many, Err("expression is too costly: its text has more than 1048576 bytes".to_owned()));
    let texts: Vec<_> = (0..5_000).map(|_| json!("{{ vars.long }}")).collect();
    let many = over(json!(texts));
    assert_eq!(many, Err("expression is too costly: it takes more than 2000000 units of work".to_owned()));
    let few = over(json!("{{ vars.short }}".repeat(1_000))).expect("a megabyte is within bounds");
    assert_eq!(few.as_str().map(str::len), Some(1_000_000));
}
