//! What follows when an author saves files, and when an operator stops the process.

use std::path::Path;

use crate::serving::Dev;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

/// Things that somebody lets go.
const THING: &str = "
object: thing
fields:
  name: {type: text, unique: true}
  status: {type: text}
";

/// Waits until its thing is let go, then says something.
fn workflow(edits: &str, says: &str) -> String {
    let wait = "- {id: wait, type: goal, until: 'record.status == \"go\"', timeout: 7d}";
    format!("{}\nsteps:\n  {wait}\n  - {{id: say, type: note, text: {says}}}\n", head(edits))
}

fn head(edits: &str) -> String {
    let record = "record: {match: {name: trigger.body.name}, create: true}";
    let trigger = format!("triggers: [{{id: in, type: webhook, {record}}}]");
    format!("workflow: w\nowner: team@example.com\nobject: thing\nactive: true\nedits: {edits}\n{trigger}")
}

/// A folder with the workflow and its object, and one for data.
struct Folders {
    files: TempDir,
    data: TempDir,
}

impl Folders {
    fn with(workflow: &str) -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder can be made");
        let folders = Self { files: folder(), data: folder() };
        folders.save("thing.object.yaml", THING);
        folders.save("w.workflow.yaml", workflow);
        folders
    }

    fn save(&self, name: &str, text: &str) {
        std::fs::write(self.files.path().join(name), text).expect("the folder is writable");
    }

    async fn dev(&self) -> Dev {
        Dev::start(self.files.path(), self.data.path()).await
    }
}

/// An execution that waits for its thing to be let go.
async fn waiting(dev: &Dev, name: &str) -> String {
    let execution = dev.deliver("w/in", &json!({"name": name})).await;
    dev.until(&format!("/v1/executions/{execution}"), |page| page["status"] == "waiting").await;
    execution
}

/// Lets the thing of an execution go, and waits for the execution's end.
async fn let_go(dev: &Dev, execution: &str) -> Value {
    let (_, page) = dev.ask(Method::GET, &format!("/v1/executions/{execution}"), None).await;
    let record = page["record"]["id"].as_str().expect("it runs on a thing");
    let change = json!({"fields": {"status": "go"}});
    let (status, answer) = dev.ask(Method::PATCH, &format!("/v1/objects/thing/records/{record}"), Some(&change)).await;
    assert_eq!(status, 200, "{answer}");
    dev.ended(execution).await
}

/// What an execution said, and the revision that it said it by.
fn said(page: &Value) -> (&Value, &Value) {
    let rows = page["history"]["items"].as_array().expect("an execution has a history");
    let row = rows.iter().find(|row| row["step"] == "say").unwrap_or_else(|| panic!("it says something: {page}"));
    (&row["note"], &row["revision"])
}

#[tokio::test]
async fn a_save_reaches_an_execution_in_flight() {
    let folders = Folders::with(&workflow("live", "before"));
    let mut dev = folders.dev().await;
    let execution = waiting(&dev, "a").await;
    folders.save("w.workflow.yaml", &workflow("live", "after"));
    dev.told("workflow w revision 2").await;
    assert_eq!(said(&let_go(&dev, &execution).await), (&json!("after"), &json!(2)));
}

#[tokio::test]
async fn a_pinned_workflow_keeps_the_revision_of_an_execution_in_flight() {
    let folders = Folders::with(&workflow("pinned", "before"));
    let mut dev = folders.dev().await;
    let execution = waiting(&dev, "a").await;
    folders.save("w.workflow.yaml", &workflow("pinned", "after"));
    dev.told("workflow w revision 2").await;
    assert_eq!(said(&let_go(&dev, &execution).await), (&json!("before"), &json!(1)));
    let next = waiting(&dev, "b").await;
    assert_eq!(said(&let_go(&dev, &next).await), (&json!("after"), &json!(2)), "the next one begins with the new one");
}

#[tokio::test]
async fn an_execution_whose_step_is_deleted_moves_on() {
    let folders = Folders::with(&workflow("live", "before"));
    let mut dev = folders.dev().await;
    let execution = waiting(&dev, "a").await;
    folders.save("w.workflow.yaml", &format!("{}\nsteps: [{{id: say, type: note, text: after}}]\n", head("live")));
    dev.told("workflow w revision 2").await;
    let page = dev.ended(&execution).await;
    assert_eq!((&page["status"], said(&page).0), (&json!("completed"), &json!("after")));
    let rows = page["history"]["items"].as_array().expect("an execution has a history");
    let moved = rows.iter().find(|row| row["kind"] == "moved").expect("history says so");
    assert!(moved["note"].as_str().is_some_and(|note| note.contains("say")), "{moved}");
}

#[tokio::test]
async fn a_file_with_a_mistake_is_told_of_and_the_revision_before_stays() {
    let folders = Folders::with(&workflow("live", "before"));
    let mut dev = folders.dev().await;
    folders.save("w.workflow.yaml", &workflow("live", "after").replace("type: note", "type: nota"));
    let told = dev.told("error[").await;
    assert!(told.contains("w.workflow.yaml:9:") && told.contains("did you mean \"note\"?"), "{told}");
    let execution = waiting(&dev, "a").await;
    assert_eq!(said(&let_go(&dev, &execution).await), (&json!("before"), &json!(1)));
    folders.save("w.workflow.yaml", &workflow("live", "after"));
    dev.told("workflow w revision 2").await;
    dev.told(&format!("webhook http://{}/hooks/w/in", dev.address().to_owned())).await;
}

#[tokio::test]
async fn a_file_that_is_no_text_holds_no_other_up() {
    let folders = Folders::with(&workflow("live", "before"));
    std::fs::write(folders.files.path().join("a.workflow.yaml"), b"\xff\xfe").expect("the folder is writable");
    let mut dev = folders.dev().await;
    folders.save("w.workflow.yaml", &workflow("live", "after"));
    std::fs::write(folders.files.path().join("a.workflow.yaml"), b"\xff\xfd").expect("the folder is writable");
    dev.told("a.workflow.yaml: error[syntax] expected a text in UTF-8").await;
    dev.until("/v1/workflows/w", |workflow| workflow["revision"] == 2).await;
}

#[tokio::test]
async fn saving_an_object_rights_a_workflow_that_waited_for_its_field() {
    let folders = Folders::with(&workflow("live", "before").replace("record.status", "record.state"));
    let mut dev = folders.dev().await;
    folders.save("thing.object.yaml", &THING.replace("status:", "state:"));
    dev.told("workflow w revision 1").await;
    dev.deliver("w/in", &json!({"name": "a"})).await;
}

/// Bug: a mistake in an object's file was told, and then again as an object that its workflow does not know.
#[tokio::test]
async fn bug_a_mistake_in_an_object_was_told_of_its_workflow_too() {
    let folders = Folders::with(&workflow("live", "before"));
    folders.save("thing.object.yaml", &THING.replace("unique: true", "uniqe: true"));
    let mut dev = folders.dev().await;
    assert_eq!(dev.lines_before_ready("error[").len(), 1, "one cause, one error");
    let of_workflow = dev.lines_before_ready("w.workflow.yaml");
    let waits = "w.workflow.yaml: not loaded: it needs an object whose file has errors: thing";
    assert!(matches!(of_workflow.as_slice(), [line] if line.ends_with(waits)), "{of_workflow:?}");

    // A mistake of its own is told all the same.
    folders.save("w.workflow.yaml", &workflow("live", "before").replace("type: note", "type: nota"));
    assert!(dev.told("w.workflow.yaml").await.contains("did you mean \"note\"?"));
    folders.save("w.workflow.yaml", &workflow("live", "before"));
    dev.told(waits).await;
    folders.save("thing.object.yaml", THING);
    dev.told("workflow w revision 1").await;

    // The object stands as it was; the workflow reads a field that its file would add.
    folders.save("thing.object.yaml", &THING.replace("unique: true", "uniqe: true").replace("status:", "state:"));
    assert!(dev.told("error[").await.contains("thing.object.yaml"));
    folders.save("w.workflow.yaml", &workflow("live", "after").replace("record.status", "record.state"));
    assert!(dev.told("w.workflow.yaml").await.ends_with(waits));
    folders.save("thing.object.yaml", &THING.replace("status:", "state:"));
    dev.told("workflow w revision 2").await;
}

#[tokio::test]
async fn a_workflow_that_stands_in_two_files_is_that_of_the_first() {
    let folders = Folders::with(&workflow("live", "before"));
    let mut dev = folders.dev().await;
    folders.save("x.workflow.yaml", &workflow("live", "after"));
    dev.told("x.workflow.yaml:1:11: error[duplicate_id]").await;
    folders.save("w.workflow.yaml", &workflow("live", "again"));
    dev.told("workflow w revision 2").await;
}

#[tokio::test]
async fn what_waits_goes_on_after_a_restart() {
    let folders = Folders::with(&workflow("live", "before"));
    let mut dev = folders.dev().await;
    let execution = waiting(&dev, "a").await;
    dev.signal("TERM").await;
    dev.told("stopped after fsyncs=").await;
    assert!(dev.end().await.success());
    let dev = folders.dev().await;
    assert_eq!(said(&let_go(&dev, &execution).await), (&json!("before"), &json!(1)));
}

#[tokio::test]
async fn a_second_interrupt_does_not_wait_for_a_client_that_never_ends() {
    let folders = Folders::with(&workflow("live", "before"));
    let mut dev = folders.dev().await;
    let mut client = tokio::net::TcpStream::connect(dev.address()).await.expect("it listens");
    let half =
        "POST /hooks/w/in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    client.write_all(half.as_bytes()).await.expect("it reads");
    dev.signal("INT").await;
    dev.told("another interrupt ends it at once").await;
    dev.signal("INT").await;
    assert!(dev.end().await.success());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let missing = folder.path().join("missing");
    let ended = run(&["dev", "--port", "0", &missing.display().to_string()], folder.path()).await;
    assert_eq!(ended, format!("error: expected a folder of workflows, found none at {}\n", missing.display()));
    assert!(!missing.exists());
}

/// What a run logs that ends by itself.
async fn run(arguments: &[&str], folder: &Path) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pawl"));
    let output = command.args(arguments).current_dir(folder).output().await.expect("the program can be run");
    String::from_utf8(output.stderr).expect("the program prints UTF-8")
}
