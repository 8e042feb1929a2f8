//! What a server does when its disk fails, when more comes in than it takes, and when a folder holds what is no file.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use crate::serving::{Dev, SOON};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const NOTE: &str =
    "workflow: w\nowner: team@example.com\nactive: true\ntriggers: [{id: in, type: webhook, verify: none}]
steps: [{id: say, type: note, text: hello}]\n";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("w.workflow.yaml"), NOTE).expect("the folder is writable");
    folder
}

/// The server in a process whose files may have so many bytes, as if the disk were full beyond.
fn limited(bytes: usize) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes}:unlimited \"$@\"");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_pawl")]);
    command
}

/// Lets the files of a process grow again.
async fn free(process: u32) {
    let arguments = ["--fsize=unlimited:unlimited".to_owned(), format!("--pid={process}")];
    assert!(Command::new("prlimit").args(arguments).status().await.expect("the limit can be lifted").success());
}

#[tokio::test]
async fn bug_a_disk_that_was_full_for_a_while_stopped_the_server_until_a_restart() {
    let folder = folder();
    let mut dev = Dev::start_as(limited(1_500_000), folder.path(), &folder.path().join(".data"), &[]).await;
    let mut accepted = Vec::new();
    let body = json!({"text": "x".repeat(20_000)});
    let health = loop {
        let (status, answer) = dev.ask(Method::POST, "/hooks/w/in", Some(&body)).await;
        match status {
            202 => accepted.push(answer["execution_id"].as_str().expect("it names its execution").to_owned()),
            503 => {}
            other => panic!("expected 202 or 503, found {other}: {answer}"),
        }
        let (status, health) = dev.ask(Method::GET, "/v1/health", None).await;
        if status == 503 {
            break health;
        }
        assert!(accepted.len() < 1_000, "the disk is full before");
    };
    assert!(health["status"] == "unavailable" && health["reason"].as_str().is_some_and(|why| why.contains("storage")));
    dev.told("storage failed: ").await;

    free(dev.process()).await;
    dev.until("/v1/health", |health| health["status"] == "ok").await;
    let next = dev.deliver("w/in", &body).await;
    for execution in accepted.iter().chain([&next]) {
        assert_eq!(dev.ended(execution).await["status"], "completed", "what was acknowledged is carried out");
    }
    dev.signal("TERM").await;
    assert!(dev.end().await.success());
}

#[tokio::test]
async fn beyond_the_backlog_deliveries_are_put_off_and_controls_are_not() {
    let folder = folder();
    let command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    let mut dev = Dev::start_as(command, folder.path(), &folder.path().join(".data"), &["--backlog", "0"]).await;
    for path in ["/hooks/w/in", "/v1/workflows/w/start"] {
        let answer = reqwest::Client::new().post(format!("http://{}{path}", dev.address())).json(&json!({})).send();
        let answer = answer.await.expect("the server answers");
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()), (429, b"5".as_slice()));
        let problem: serde_json::Value = answer.json().await.expect("the answer is JSON");
        assert_eq!(problem["code"], "backlog_full");
    }
    dev.told("the backlog is full").await;
    assert_eq!(dev.ask(Method::GET, "/v1/health", None).await.0, 200);
    assert_eq!(dev.ask(Method::POST, "/v1/installation/kill", Some(&json!({}))).await.0, 200);
    let (_, metrics) = dev.ask(Method::GET, "/v1/metrics", None).await;
    assert_eq!(metrics["deliveries_put_off"], 2);
}

#[tokio::test]
async fn bug_a_pipe_in_the_folder_stalled_the_server() {
    let folder = folder();
    let pipe = folder.path().join("pipe.workflow.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().await.expect("a pipe can be made").success());
    std::os::unix::fs::symlink("..", folder.path().join("up")).expect("the folder is writable");
    let mut dev = Dev::start(folder.path(), &folder.path().join(".data")).await;
    std::fs::write(folder.path().join("w.workflow.yaml"), NOTE.replace("hello", "again")).expect("it is writable");
    dev.told("workflow w revision 2").await;
    assert_eq!(dev.ask(Method::GET, "/v1/health", None).await.0, 200);
}

#[tokio::test]
async fn a_token_that_no_request_can_carry_is_refused_at_the_start() {
    let folder = folder();
    for (token, found) in [("", "an empty one"), ("geh\u{e9}im", "others"), ("a b", "blanks or control characters")] {
        let told = refused(&["dev", "--port", "0"], token, folder.path()).await;
        let expected = "error: --token or PAWL_TOKEN: expected a token of visible ASCII characters";
        assert_eq!(told, format!("{expected}, found {found}\n"));
    }
    assert!(!folder.path().join(".pawl").exists(), "nothing was begun");
}

/// What a command says that does not start.
async fn refused(arguments: &[&str], token: &str, folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    let output = command.env("PAWL_TOKEN", token).args(arguments).current_dir(folder).output().await;
    String::from_utf8(output.expect("the program can be run").stderr).expect("the program prints UTF-8")
}

/// No restart helps, so the exit code is that of a failure, and what is to be done is said.
#[tokio::test]
async fn a_data_file_that_is_damaged_ends_the_server_with_its_reason() {
    let (folder, data) = (folder(), tempfile::tempdir().expect("a temporary folder can be made"));
    let mut dev = Dev::start(folder.path(), data.path()).await;
    dev.signal("TERM").await;
    dev.told("stopped after fsyncs=").await;
    assert!(dev.end().await.success());
    let file = data.path().join("pawl.db");
    let sound = std::fs::read(&file).expect("the data is there");

    // Not a database at all.
    std::fs::write(&file, "no database, but some text".repeat(500)).expect("it is writable");
    let (code, told) = started_on(folder.path(), data.path()).await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.starts_with("error: ") && told.contains("database"), "{told}");

    // All but its first page is overwritten.
    let mut damaged = sound;
    damaged[4_096..].fill(0xa5);
    std::fs::write(&file, damaged).expect("it is writable");
    let (code, told) = started_on(folder.path(), data.path()).await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("error: "), "{told}");
}

/// The exit code of a server that does not start on its data, or does not stay, and what it says.
async fn started_on(folder: &Path, data: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    command.args(["--log", "off", "dev", "--port", "0", "--data"]).arg(data).arg(folder).kill_on_drop(true);
    let output = tokio::time::timeout(SOON, command.output()).await;
    let output = output.expect("it ends by itself").expect("the program can be run");
    (output.status.code(), String::from_utf8(output.stderr).expect("the program prints UTF-8"))
}

#[tokio::test]
async fn the_demo_needs_no_clone() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    let output = command.args(["--json", "demo"]).current_dir(folder.path()).output().await.expect("it can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An outside service that takes calls and answers those that it is told to.
struct Service(TcpListener);

impl Service {
    async fn called(&self) -> TcpStream {
        let (mut call, _) = self.0.accept().await.expect("it is called");
        let mut head = [0; 4];
        call.read_exact(&mut head).await.expect("a call has a head");
        assert_eq!(&head, b"GET ");
        call
    }
}

#[tokio::test]
async fn a_call_that_outlasts_the_grace_is_cut_off_and_made_again_at_the_next_start() {
    let service = Service(TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port"));
    let address = service.0.local_addr().expect("a listener has an address").to_string();
    let folder = folder();
    let call = format!("{{id: call, type: http_request, method: GET, url: 'http://{address}/'}}");
    let workflow = NOTE.replace("{id: say, type: note, text: hello}", &call);
    std::fs::write(folder.path().join("w.workflow.yaml"), workflow).expect("the folder is writable");
    let options = ["--grace", "0", "--allow", &address];
    let start = async || {
        let command = Command::new(env!("CARGO_BIN_EXE_pawl"));
        Dev::start_as(command, folder.path(), &folder.path().join(".data"), &options).await
    };

    let mut dev = start().await;
    let execution = dev.deliver("w/in", &json!({})).await;
    let _hanging = service.called().await;
    dev.signal("TERM").await;
    dev.told("1 messages were still in progress").await;
    assert!(dev.end().await.success());

    let dev = start().await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    service.called().await.write_all(answer).await.expect("it is read");
    assert_eq!(dev.ended(&execution).await["status"], "completed");
}

/// The output of the server is a pipe that nobody reads: the thread that ends the process in order hangs in its last line.
/// A second signal was for nothing where the same thread had to hear it.
#[tokio::test]
async fn a_second_signal_ends_a_server_that_hangs() {
    let (folder, data) = (folder(), tempfile::tempdir().expect("a temporary folder can be made"));
    let (output, mut filler) = std::io::pipe().expect("a pipe can be made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    command.args(["--log", "off", "dev", "--port", "0", "--data"]).arg(data.path()).arg(folder.path());
    command.stdout(filler.try_clone().expect("a pipe has several ends")).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("the program starts");
    // The command has an end of the pipe as well.
    drop(command);

    let mut lines = BufReader::new(output).lines();
    while !lines.next().expect("it gets ready").expect("it prints text").starts_with("ready on ") {}
    // As much as a pipe holds: whatever is printed from now on waits for a reader.
    filler.write_all(&vec![b'x'; 64 * 1024]).expect("there is room");
    let signal = async || {
        let id = child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("it can be sent").success());
    };
    signal().await;
    // Storage is closed, and nothing is left to do but to say so.
    let log = data.path().join("pawl.db-wal");
    let closed = async {
        while log.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, closed).await.expect("it stops");
    signal().await;
    let ended = tokio::time::timeout(SOON, child.wait()).await.expect("it ends").expect("its end can be seen");
    assert_eq!(ended.code(), Some(0));

    drop(filler);
    let said: Vec<_> = lines.map(|line| line.expect("it prints text")).collect();
    assert!(said.iter().all(|line| !line.contains("stopped after")), "it ended in order: {said:?}");
}
