//! What is told of the trigger `interaction`.

use crate::support::check;

fn told_of(keys: &str, text: &str) -> Vec<String> {
    let file = format!(
        "workflow: w\nowner: ada@example.com\n{keys}\nsteps:\n  - {{id: n, type: note, text: '{{{{ {text} }}}}'}}\n"
    );
    let (_, problems) = check(&file);
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

fn on(keys: &str, text: &str) -> Vec<String> {
    told_of(&format!("object: ticket\ntriggers: [{{id: i, type: interaction{keys}}}]"), text)
}

#[test]
fn kinds_and_a_page_are_right() {
    for keys in [
        "",
        ", kind: page_view",
        ", kind: [page_view, download]",
        ", url: /pricing",
        ", kind: Page viewed, url: '*.example.com/*'",
    ] {
        assert_eq!(on(keys, "trigger.interaction.kind"), [""; 0], "{keys}");
    }
}

#[test]
fn what_never_fires_is_told_at_its_place() {
    for (keys, expected) in [
        (", kind: []", "invalid_value triggers[0].kind: expected at least one value"),
        (", kind: ''", "invalid_value triggers[0].kind: expected a name of 1 to 128 bytes"),
        (", kind: [page_view, ' ']", "invalid_value triggers[0].kind[1]: expected a name"),
        (", url: ''", "invalid_value triggers[0].url: expected a pattern of 1 to 8192 bytes, found 0"),
        (", url: '/a b'", "invalid_value triggers[0].url: an address has no blanks"),
        (", url: '/a**'", "invalid_value triggers[0].url: expected something between two `*`"),
        (", page: /pricing", "unknown_key triggers[0].page"),
    ] {
        let told = on(keys, "now");
        assert!(told.len() == 1 && told[0].starts_with(expected), "{keys}: {told:#?}");
    }
    let told = told_of("triggers: [{id: i, type: interaction}]", "now");
    assert!(told.len() == 1 && told[0].starts_with("no_record triggers[0].type"), "{told:#?}");
}

#[test]
fn the_keys_of_an_interaction_are_known() {
    let keys = ", kind: [page_view, download]";
    assert_eq!(on(keys, "trigger.interaction.kind + string(trigger.interaction.data.x)"), [""; 0]);
    for wrong in ["trigger.interaction.colour", "trigger.interaction.kind == \"click\""] {
        assert_eq!(on(keys, wrong).len(), 1, "{wrong}");
    }
    assert_eq!(on("", "trigger.interaction.kind == \"click\""), [""; 0], "any kind may come");
}

#[test]
fn a_goal_may_wait_for_an_interaction() {
    let goal =
        "object: ticket\nsteps:\n  - {id: g, type: goal, timeout: 1d, on: [{id: i, type: interaction, url: /a}]}\n";
    let (_, problems) = check(&format!("workflow: w\nowner: ada@example.com\n{goal}"));
    assert!(problems.is_empty(), "{problems:#?}");
}
