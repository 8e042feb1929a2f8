//! The commands that talk to an installation, against a real one.

use std::process::Stdio;

use crate::serving::Dev;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Goes round so often that its history has several pages, then meets a variable that nobody set.
const ROUND: &str = "
workflow: round
owner: team@example.com
active: true
triggers: [{id: in, type: webhook}]
variables: [{name: n, type: number, default: 0}]
steps:
  - {id: count, type: set_variables, values: {n: '{{ vars.n + 1 }}'}}
  - {id: enough, type: condition, if: vars.n >= 90, no: [{id: again, type: go_to, step: count}], yes: []}
  - {id: say, type: note, text: '{{ trigger.body.name }}'}
";

pub(crate) fn folder(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    folder
}

pub(crate) async fn dev(folder: &TempDir) -> Dev {
    Dev::start(folder.path(), &folder.path().join(".data")).await
}

pub(crate) fn command(dev: &Dev, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    command.env_remove("PAWL_TOKEN").args(["--endpoint", &format!("http://{}", dev.address())]).args(arguments);
    command
}

/// What a command prints on both channels, and its exit code.
pub(crate) async fn run(dev: &Dev, arguments: &[&str]) -> String {
    let output = command(dev, arguments).output().await.expect("the program can be run");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
    let code = output.status.code().expect("the program ends by itself");
    format!("{}{}exit code {code}", text(&output.stdout), text(&output.stderr))
}

/// How often a test looks whether an operation has completed.
const LOOKS: usize = 100;

#[tokio::test]
async fn an_execution_is_shown_with_its_whole_history_and_why_it_stands() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    let execution = dev.deliver("round/in", &json!({})).await;
    dev.until(&format!("/v1/executions/{execution}"), |page| page["status"] == "paused").await;

    let told = run(&dev, &["show", &execution]).await;
    assert!(
        told.starts_with(&format!("{execution}  round  paused  has_failures\n  made "))
            && told.lines().nth(2).is_some_and(|line| line.contains(" by a failure at say: ")),
        "{told}"
    );
    // Made, begun, three rows in each of 90 rounds but two in the last, and the failure.
    assert!(told.lines().any(|line| line.starts_with("271  2") && line.contains(" say ")), "{told}");
    let page: serde_json::Value =
        serde_json::from_str(run(&dev, &["show", "--json", &execution]).await.trim_end_matches("\nexit code 0"))
            .expect("JSON");
    assert_eq!(page["history"]["items"].as_array().map(Vec::len), Some(272));

    let mut show =
        command(&dev, &["show", &execution]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut out = BufReader::with_capacity(1, show.stdout.take().expect("the output is piped"));
    out.read_line(&mut String::new()).await.expect("the program prints UTF-8");
    drop(out);
    let end = show.wait_with_output().await.expect("the program ends");
    assert_eq!(String::from_utf8_lossy(&end.stderr), "", "who reads no further is no failure");
}

#[tokio::test]
async fn an_execution_is_meant_by_the_first_letters_of_its_id() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    let mut executions = Vec::new();
    // Of seventeen ids, two begin with the same of sixteen digits.
    for number in 0..17 {
        let execution = dev.deliver("round/in", &json!({"name": number.to_string()})).await;
        dev.ended(&execution).await;
        executions.push(execution);
    }
    let shared = |one: &str, other: &str| one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let mut pairs = executions.iter().flat_map(|one| executions.iter().map(move |other| (one, other)));
    let (one, other) = pairs.find(|(one, other)| one < other && shared(one, other) > 4).expect("two are alike");
    let longest = executions.iter().filter(|each| *each != one).map(|each| shared(one, each)).max().unwrap_or_default();

    for begin in [&one[..=longest], &one["exe_".len()..=longest]] {
        let told = run(&dev, &["show", begin]).await;
        assert!(told.starts_with(&format!("{one}  round  completed")), "{begin}: {told}");
    }
    let told = run(&dev, &["cancel", &one[..="exe_".len()]]).await;
    assert!(told.contains(one) && told.contains(other), "{told}");
    assert!(told.contains("  round  completed") && told.contains("[ambiguous_id]\nexit code 1"), "{told}");
    let unknown = ["0", "1", "2"].map(|digit| format!("exe_{}", digit.repeat(20)));
    let unknown = unknown.iter().find(|begin| !executions.iter().any(|each| each.starts_with(*begin)));
    let told = run(&dev, &["show", unknown.expect("three are not there")]).await;
    assert!(told.contains("no execution has an id that begins with exe_") && told.contains("[no_execution]"), "{told}");
}

#[tokio::test]
async fn a_listing_goes_on_at_its_cursor() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    let first = dev.deliver("round/in", &json!({"name": "a"})).await;
    dev.ended(&first).await;
    let second = dev.deliver("round/in", &json!({"name": "b"})).await;
    dev.ended(&second).await;
    let told = run(&dev, &["executions", "--limit", "1"]).await;
    let cursor = told.split("more: --cursor ").nth(1).and_then(|rest| rest.lines().next()).expect("there are more");
    assert!(told.contains(&second) && !told.contains(&first), "{told}");
    let next = run(&dev, &["executions", "--limit", "1", "--cursor", cursor]).await;
    assert!(next.contains(&first) && !next.contains(&second), "{next}");
}

#[tokio::test]
async fn a_workflow_is_listed_with_what_holds_it() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    run(&dev, &["kill", "--workflow", "round"]).await;
    assert!(run(&dev, &["workflows"]).await.contains("round     killed "));
    run(&dev, &["lift", "--workflow", "round"]).await;
    run(&dev, &["deactivate", "round"]).await;
    assert!(run(&dev, &["workflows"]).await.contains("round     inactive "));
}

#[tokio::test]
async fn what_cannot_be_saved_is_told_with_its_file() {
    let served = folder("round.workflow.yaml", ROUND);
    let dev = dev(&served).await;
    let wrong = folder("wrong.workflow.yaml", "workflow: wrong\nowner: a@b.c\nsteps: [{id: a, type: nota, text: x}]\n");
    let path = wrong.path().join("wrong.workflow.yaml").display().to_string();
    let told = run(&dev, &["apply", &path]).await;
    assert!(told.starts_with(&format!("{path}:\nInvalid workflow [invalid_workflow]")), "{told}");
    assert!(
        told.contains("3:23: error[unknown_type] steps[0].type: ") && told.contains("; did you mean \"note\"?"),
        "{told}"
    );

    std::fs::write(&path, ROUND.replace("round", "other")).expect("the folder is writable");
    assert_eq!(run(&dev, &["apply", &path]).await, format!("{path}: workflow other revision 1 saved\nexit code 0"));
    assert_eq!(run(&dev, &["apply", &path]).await, format!("{path}: workflow other revision 1 unchanged\nexit code 0"));
    let stale = run(&dev, &["apply", "--if-match", "7", &path]).await;
    assert!(stale.contains("[stale_revision]") && stale.ends_with("exit code 1"), "{stale}");
}

#[tokio::test]
async fn a_redrive_of_what_never_failed_sets_nothing_going() {
    let folder = folder("round.workflow.yaml", ROUND);
    let mut dev = dev(&folder).await;
    let told = run(&dev, &["redrive", "--reason", "the tracker is back"]).await;
    let (did, id) = told.split_once("pawl operation ").unwrap_or_else(|| panic!("{told}"));
    assert_eq!(did, "redriven: 0 dead letters; stalled executions go on: ");
    let logged = dev.told("so does what is stalled").await;
    assert!(logged.contains("the tracker is back"), "{logged}");
    let mut shown = String::new();
    for _ in 0..LOOKS {
        shown = run(&dev, &["operation", id.lines().next().unwrap_or_default()]).await;
        if shown.contains(" completed; executions so far: 0; last progress ") {
            return;
        }
    }
    panic!("{shown}");
}

/// Executions whose step fails until a variable is there: four of them.
#[tokio::test]
async fn many_executions_are_mended_by_one_command() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    for _ in 0..4 {
        let execution = dev.deliver("round/in", &json!({})).await;
        dev.until(&format!("/v1/executions/{execution}"), |page| page["status"] == "paused").await;
    }
    let filter = ["--workflow", "round", "--code", "expression_missing_key"];
    let with = |first: &[&'static str], last: &[&'static str]| [first, &filter, last].concat();

    let told = run(&dev, &with(&["retry"], &["--dry-run"])).await;
    assert!(told.starts_with("4 executions, such as exe_"), "{told}");
    assert!(told.contains("4      round     say   expression_missing_key"), "{told}");
    assert!(told.contains("nothing was done; to run it: pawl operation retry."), "{told}");
    let told = run(&dev, &with(&["retry"], &[])).await;
    assert!(
        told.contains("nobody can be asked here: say --yes, or --dry-run") && told.ends_with("exit code 2"),
        "{told}"
    );

    let told = run(&dev, &with(&["resume"], &["--yes"])).await;
    assert!(told.contains("4 of them would be refused:"), "{told}");
    assert!(told.contains(" completed; done: 0 of 4, refused: 4; last progress "), "{told}");
    assert!(told.contains("illegal_transition  cannot resume an execution that is paused"), "{told}");
    assert!(told.ends_with("exit code 1"), "{told}");

    let told = run(&dev, &with(&["skip"], &["--yes", "--rate", "100", "--reason", "nobody needs it"])).await;
    assert!(told.contains(" completed; done: 4 of 4; last progress ") && told.ends_with("exit code 0"), "{told}");
    let told = run(&dev, &with(&["retry"], &["--yes"])).await;
    assert!(told.starts_with("no execution matches among those that are paused"), "{told}");
}

#[tokio::test]
async fn no_filter_is_not_all() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    for command in ["retry", "resume", "cancel", "skip"] {
        let told = run(&dev, &[command, "--yes"]).await;
        assert!(
            told.contains("which does not mean all executions [empty_filter]") && told.ends_with("exit code 1"),
            "{told}"
        );
    }
    let both = run(&dev, &["retry", "exe_1", "--code", "http_status"]).await;
    assert!(both.contains("[bad_filter]") || both.contains("no_execution"), "{both}");
    let unused = run(&dev, &["start", "round", "--dry-run"]).await;
    assert!(unused.contains("are for many at once") && unused.ends_with("exit code 2"), "{unused}");
}

#[tokio::test]
async fn a_workflow_is_started_on_the_records_of_a_file() {
    let folder = folder("thing.object.yaml", "object: thing\nfields: {size: {type: number}}\n");
    let workflow = "workflow: visit\nowner: a@b.c\nobject: thing\nsteps: [{id: say, type: note, text: seen}]\n";
    std::fs::write(folder.path().join("visit.workflow.yaml"), workflow).expect("the folder is writable");
    let dev = dev(&folder).await;
    for id in ["a", "b", "c"] {
        let record = json!({"id": id, "fields": {"size": 1}});
        let made = dev.ask(Method::POST, "/v1/objects/thing/records", Some(&record)).await;
        assert_eq!(made.0, 201, "{made:?}");
    }
    let ids = folder.path().join("ids.txt");
    std::fs::write(&ids, "a\nz\n\nb\n").expect("the folder is writable");
    let file = ids.display().to_string();
    let told = run(&dev, &["start", "visit", "--records", &file, "--yes"]).await;
    assert!(told.starts_with("3 records, such as a, z, b"), "{told}");
    assert!(told.contains(" completed; done: 2 of 3, refused: 1; last progress "), "{told}");
    assert!(told.contains("z       refused  no_record"), "{told}");
    let told = run(&dev, &["start", "visit", "--where", "record.size == 1", "--yes", "--detach", "--json"]).await;
    assert!(told.contains("\"action\":\"start\"") && told.ends_with("exit code 0"), "{told}");
}

#[tokio::test]
async fn as_json_every_entry_of_every_page_is_a_line() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    for name in ["a", "b", "c"] {
        let execution = dev.deliver("round/in", &json!({"name": name})).await;
        dev.ended(&execution).await;
    }
    for (arguments, expected) in [(vec!["executions", "--json"], 3), (vec!["executions", "--json", "--limit", "2"], 2)]
    {
        let told = run(&dev, &arguments).await;
        let lines: Vec<_> = told.lines().filter(|line| line.starts_with('{')).collect();
        assert_eq!(lines.len(), expected, "{told}");
        for line in lines {
            let execution: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            assert_eq!(execution["workflow"], "round");
        }
    }
    let told = run(&dev, &["executions", "--status", "completed,failed", "--status", "paused", "--since", "1h"]).await;
    assert_eq!(told.lines().filter(|line| line.starts_with("exe_")).count(), 3, "{told}");
    let told = run(&dev, &["executions", "--workflow", "nope"]).await;
    assert!(told.contains("[no_workflow]") && told.ends_with("exit code 1"), "{told}");
    let told = run(&dev, &["executions", "--since", "soon"]).await;
    assert!(told.contains("expected how long ago (`1h`, `2d`), a date"), "{told}");
}

/// A body that wants to clear the screen, and to look like an answer of Pawl.
#[tokio::test]
async fn text_of_strangers_is_shown_and_not_obeyed() {
    let folder = folder("round.workflow.yaml", ROUND);
    let dev = dev(&folder).await;
    let name = "\u{1b}[2J\u{1b}]0;owned\u{7}\nexe_forged  round  completed\u{202e}\u{9b}31m";
    std::fs::write(folder.path().join("body.json"), json!({"name": name}).to_string()).expect("the folder is writable");
    let body = folder.path().join("body.json").display().to_string();
    let told = run(&dev, &["deliver", "round", "--body", &body]).await;
    assert!(told.starts_with("accepted as event evt_"), "{told}");
    let execution =
        told.split("it starts execution ").nth(1).and_then(|rest| rest.lines().next()).expect("it starts one");
    dev.ended(execution).await;
    for arguments in [vec!["show", execution], vec!["show", "--json", execution], vec!["executions"]] {
        let told = run(&dev, &arguments).await;
        assert!(told.contains(execution), "{told}");
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!told.contains(obeyed) && !told.contains("\nexe_forged"), "{told:?}");
    }
    assert!(run(&dev, &["show", execution]).await.contains("\\u001b[2J"), "it is shown");
}

#[tokio::test]
async fn health_is_asked_for_without_credentials() {
    let folder = folder("round.workflow.yaml", ROUND);
    let data = folder.path().join(".data");
    let dev = Dev::start_with(folder.path(), &data, &["--token", "t"], &[]).await;
    let told = run(&dev, &["health"]).await;
    assert!(told.starts_with("ok, version ") && told.ends_with("exit code 0"), "{told}");
    let address = dev.address().to_owned();
    drop(dev);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    let output = command.args(["--endpoint", &format!("http://{address}"), "health"]).output().await;
    assert_eq!(output.expect("the program can be run").status.code(), Some(2), "nobody answers");
}

#[tokio::test]
async fn a_code_is_explained() {
    let output = |code: &'static str| async move {
        let output = Command::new(env!("CARGO_BIN_EXE_pawl")).args(["explain", code]).output().await;
        let output = output.expect("the program can be run");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, page, _) = output("signature_mismatch").await;
    assert!(code == Some(0) && page.starts_with("# `signature_mismatch`\n"), "{page}");
    let (code, _, told) = output("signature_mismach").await;
    assert!(code == Some(1) && told.contains("did you mean signature_mismatch?"), "{told}");
}

const PERSON: &str = "object: person\nfields: {email: {type: email}}\n";

const WAITS: &str = "
workflow: waits
owner: team@example.com
active: true
object: person
steps: [{id: wait, type: goal, until: record.email == '', timeout: never}]
";

#[tokio::test]
async fn a_record_is_forgotten_and_what_is_open_on_it_is_named_or_canceled() {
    let folder = folder("waits.workflow.yaml", WAITS);
    std::fs::write(folder.path().join("person.object.yaml"), PERSON).expect("the folder is writable");
    let dev = dev(&folder).await;
    let person = json!({"id": "p1", "fields": {"email": "vera@example.com"}});
    dev.ask(Method::POST, "/v1/objects/person/records", Some(&person)).await;
    let started = run(&dev, &["start", "waits", "--record", "person/p1"]).await;
    let execution = started.lines().next().and_then(|line| line.strip_prefix("started ")).expect("it begins");
    dev.until(&format!("/v1/executions/{execution}"), |page| page["status"] == "waiting").await;

    let refused = run(&dev, &["forget", "person/p1"]).await;
    assert!(refused.contains("[record_in_use]") && refused.contains(execution), "{refused}");
    let done = run(&dev, &["forget", "person/p1", "--cancel", "--reason", "asked to"]).await;
    assert_eq!(done, "forgotten: person/p1, and its values in 1 execution\nexit code 0");
    let shown = run(&dev, &["show", execution]).await;
    assert!(shown.contains(", values forgotten ") && !shown.contains("vera@example.com"), "{shown}");
    let again = run(&dev, &["start", "waits", "--record", "person/p1"]).await;
    assert!(again.contains("[record_forgotten]") && again.ends_with("exit code 1"), "{again}");
    let wrong = run(&dev, &["forget", "p1"]).await;
    assert!(wrong.contains("expected a record as <object>/<id>") && wrong.ends_with("exit code 2"), "{wrong}");
}
