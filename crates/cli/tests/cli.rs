//! The command line as its users see it: what the built program prints, and how it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pawl_definition::{StepKind, TriggerKind};
use tempfile::TempDir;

/// The program, in a folder, untouched by this machine's settings.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    command.current_dir(folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PAWL_")) {
        command.env_remove(name);
    }
    command
}

/// What a run prints on both channels, and its exit code.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = program(folder).args(arguments).output().expect("the program can be run");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
    let code = output.status.code().expect("the program ends by itself");
    format!("{}{}exit code {code}", text(&output.stdout), text(&output.stderr))
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file can be written into it");
    }
    folder
}

/// A workflow that greets, for the tests of `check` and `test`.
const GREETING: &str = r#"
workflow: greeting
owner: team@example.com
variables:
  - {name: who, type: text, default: nobody}
steps:
  - id: known
    type: condition
    if: vars.who != "nobody"
    yes:
      - {id: greet, type: note, text: "Hello {{ vars.who }}"}
    no:
      - {id: look-up, type: note, text: "Who is this?"}
"#;

#[test]
fn help_lists_the_commands() {
    let help = run(&root(), &["--help"]);
    let (commands, _) = help.split_once("\n\nOptions:").expect("it has both");
    insta::assert_snapshot!(commands);
}

#[test]
fn help_lists_the_options() {
    let help = run(&root(), &["--help"]);
    let (_, options) = help.split_once("\n\nOptions:").expect("it has both");
    insta::assert_snapshot!(options, @"
          --endpoint <ENDPOINT>  Address of the installation, for the commands that call one [env: PAWL_ENDPOINT=] [default: http://127.0.0.1:7420]
          --token <TOKEN>        Bearer token for the installation [env: PAWL_TOKEN]
          --auth <AUTH>          How to authorize requests: `sigv4`, `token` or `none`. Default: the token if there is one, else `sigv4` on API Gateway [env: PAWL_AUTH=]
          --json                 Prints JSON, one object a line
          --log <LOG>            Log filter, such as `info` or `pawl_runtime=debug` [env: PAWL_LOG=]
          --log-json             Logs one JSON object a line, with the same field names in all components
      -h, --help                 Print help
      -V, --version              Print version
    exit code 0
    ");
}

#[test]
fn an_unknown_command_is_refused_with_a_suggestion() {
    insta::assert_snapshot!(run(&root(), &["chekc"]), @"
    error: unrecognized subcommand 'chekc'

      tip: some similar subcommands exist: 'schema', 'check'

    Usage: pawl [OPTIONS] <COMMAND>

    For more information, try '--help'.
    exit code 2
    ");
}

/// Types as a message lists them: `a, b or c`, at most twenty of them.
fn listed(types: &[&str]) -> String {
    let mut types = types.to_vec();
    types.sort_unstable();
    if types.len() > 20 {
        return format!("{}…", types[..20].join(", "));
    }
    let last = types.pop().expect("there are types");
    format!("{} or {last}", types.join(", "))
}

#[test]
fn check_tells_every_problem_at_once_with_its_place() {
    let folder = folder(&[(
        "order.workflow.yaml",
        r#"
workflow: order
ownr: team@example.com
triggers:
  - {id: placed, type: webhok, verify: none}
variables:
  - {name: total, type: numbr}
steps:
  - id: large
    type: condition
    if: vars.totl > 100
    yes:
      - {id: charge, type: http_request, url: "https://pay.example.com", method: POST, retries: 3}
  - {id: large, type: delay, for: 3 fortnights}
  - {id: back, type: go_to, step: begin}
  - {id: later, type: agent, goal: find it, tools: {}}
"#,
    )]);
    let told = run(folder.path(), &["check", "order.workflow.yaml"]);
    // There will be more of them.
    let told = told.replace(&listed(StepKind::AVAILABLE), "STEPS").replace(&listed(TriggerKind::AVAILABLE), "TRIGGERS");
    insta::assert_snapshot!(told, @r#"
    order.workflow.yaml:2:1: error[missing_key] missing key "owner": the address that answers for it and gets failure notices
    order.workflow.yaml:3:1: error[unknown_key] ownr: unknown key "ownr"; expected one of active, calendar, description, edits, labels, limits, name, object, on_failure, outcome, output, owner, priority, retention, steps, timezone, triggers, variables or workflow; did you mean "owner"?
    order.workflow.yaml:5:24: error[unknown_type] triggers[0].type: unknown trigger type "webhok"; expected one of TRIGGERS; did you mean "webhook"?
    order.workflow.yaml:7:25: error[unknown_word] variables[0].type: expected text, number, boolean, date, datetime, uuid, phone, record, member or object, found "numbr"; did you mean "number"?
    order.workflow.yaml:11:9: error[unknown_variable] steps[0].if: nothing sets a variable "totl"; there are total; did you mean "total"?
    order.workflow.yaml:13:88: error[unknown_key] steps[0].yes[0].retries: unknown key "retries"; expected one of body, delivery, follow, form, headers, id, method, name, on_failure, query, save_as, sign, skip, timeout, type or url
    order.workflow.yaml:14:10: error[duplicate_id] steps[1].id: expected each step id once, found "large" again; the first is in line 9
    order.workflow.yaml:14:35: error[invalid_time] steps[1].for: expected a duration such as `2d 3h`, found "3 fortnights"
    order.workflow.yaml:15:35: error[unknown_step] steps[2].step: expected the id of a step of this workflow, found "begin"
    order.workflow.yaml:16:5: warning[suspicious] steps[3]: this step is never reached: "back" before it always goes elsewhere
    order.workflow.yaml:16:23: error[not_available] steps[3].type: step type "agent" is not available in this version; expected one of STEPS
    exit code 1
    "#);
}

#[test]
fn check_holds_a_right_workflow_against_the_launch_checklist() {
    insta::assert_snapshot!(run(&root(), &["check", "examples/support-triage"]), @r#"
    examples/support-triage/support-triage.cases.yaml: ok
    examples/support-triage/support-triage.workflow.yaml: ok
      ✓ It has an owner: support-lead@example.com
      ✓ It has a named outcome: "resolved" names it
      ✓ Every model step has a declared output: 1 step
      ✓ Every outside action after a model step has a check before it: a condition on the answer precedes each
      ✓ Every external call has a failure path: 2 steps
      ✓ Every wait has a time-out: 1 step
      – Tools and their arguments are bounded: no step uses tools
      ✓ An escalation path exists: failures are told to the owner
      – Loops are bounded: there are none
      ✓ It has test cases: run them by `pawl test`
    examples/support-triage/ticket.object.yaml: ok
    exit code 0
    "#);
}

#[test]
fn check_prints_json_for_tools() {
    let folder = folder(&[("half.workflow.yaml", "workflow: half\nowner: team@example.com\nsteps: [\n")]);
    let both = ["--json", "--format=json"].map(|flag| run(folder.path(), &["check", flag, "half.workflow.yaml"]));
    assert_eq!(both[0], both[1]);
    insta::assert_snapshot!(run(folder.path(), &["check", "--format", "json", "half.workflow.yaml"]), @r#"
    {"checklist":[],"file":"half.workflow.yaml","problems":[{"code":"syntax","column":1,"file":"half.workflow.yaml","line":4,"message":"expected YAML or JSON, found a mistake: while parsing a node, did not find expected node content","path":"","severity":"error","suggestion":null}]}
    exit code 1
    "#);
}

#[test]
fn check_finds_the_problems_of_every_file_whatever_another_is() {
    let folder = folder(&[("thing.object.yaml", "object: thing\nrelationships: {buyer: {object: persn}}\n")]);
    std::fs::write(folder.path().join("a.workflow.yaml"), b"\xff\xfe").expect("a file can be written into it");
    std::fs::write(folder.path().join("person.object.yaml"), "object: person\n")
        .expect("a file can be written into it");
    insta::assert_snapshot!(run(folder.path(), &["check", ".", "gone.workflow.yaml"]), @r#"
    ./a.workflow.yaml: error[syntax] expected a text in UTF-8, found other bytes
    ./person.object.yaml: ok
    ./thing.object.yaml:2:33: error[unknown_object] relationships.buyer.object: expected an object that exists, found "persn"; there are person and thing; did you mean "person"?
    gone.workflow.yaml: error[syntax] expected a file, found none: No such file or directory (os error 2)
    exit code 1
    "#);
}

#[test]
fn bug_a_mistake_in_an_object_made_others_say_that_it_does_not_exist() {
    let cases = "cases: [{name: c, event: {manual: {record: order/o}}, records: [{object: order, id: o, fields: {}}], expect: {status: completed}}]";
    let folder = folder(&[
        ("customer.object.yaml", "object: customer\nrelationships: {last: {object: order}, cut: {object: cut}}\n"),
        ("order.object.yaml", "object: order\nfields:\n  total: {type: mony}\n"),
        ("cut.object.yaml", "object: [\n"),
        (
            "w.workflow.yaml",
            "workflow: w\nowner: a@example.com\nobject: order\nsteps: [{id: n, type: http_request, url: https://example.com/}]\n",
        ),
        ("w.cases.yaml", cases),
    ]);
    let told = run(folder.path(), &["check", "."]);
    let places: Vec<_> =
        told.lines().filter(|line| line.contains("error[")).map(|line| line.split(": ").next()).collect();
    assert_eq!(places, [Some("./cut.object.yaml:2:1"), Some("./order.object.yaml:3:17")], "each once:\n{told}");
    assert!(told.contains("./w.cases.yaml: what it is about has errors"), "{told}");
    assert!(
        told.contains("✗ Every external call has a failure path (n): say what happens"),
        "a finding names its step:\n{told}"
    );
}

#[test]
fn check_finds_a_workflow_that_stands_in_two_files() {
    let folder = folder(&[("a.workflow.yaml", GREETING), ("b.workflow.yaml", GREETING)]);
    let told = run(folder.path(), &["check", "."]);
    let twin = "./b.workflow.yaml:2:11: error[duplicate_id] workflow: expected each workflow in one file, found \"greeting\" again; the other is in ./a.workflow.yaml";
    assert!(told.contains(twin) && told.ends_with("exit code 1"), "{told}");
}

#[test]
fn check_takes_only_files_of_the_language() {
    let folder = folder(&[("greeting.yaml", GREETING)]);
    insta::assert_snapshot!(run(folder.path(), &["check", "greeting.yaml"]), @r#"
    error: expected a folder or a file named *.object.yaml, *.object.yml, *.object.json, *.workflow.yaml, *.workflow.yml, *.workflow.json, *.group.yaml, *.group.yml, *.group.json, *.calendar.yaml, *.calendar.yml, *.calendar.json, *.people.yaml, *.people.yml, *.people.json, *.activity.yaml, *.activity.yml, *.activity.json, *.cases.yaml, *.cases.yml, *.cases.json, found greeting.yaml
    exit code 2
    "#);
}

#[test]
fn check_asks_for_cases_of_this_workflow() {
    let other = "workflow: other.workflow.yaml\ncases: []\n";
    let folder = folder(&[("greeting.workflow.yaml", GREETING), ("other.cases.yaml", other)]);
    let told = run(folder.path(), &["check", "greeting.workflow.yaml"]);
    assert!(told.contains("✗ It has test cases"), "{told}");
}

#[test]
fn graph_draws_a_workflow() {
    let folder = folder(&[("greeting.workflow.yaml", GREETING)]);
    insta::assert_snapshot!(run(folder.path(), &["graph", "greeting.workflow.yaml"]), @r#"
    flowchart TD
        t0[/"manual"/]
        s0{"condition<br/>known"}
        t0 --> s0
        s1["note<br/>greet"]
        s0 -->|"yes"| s1
        s2["note<br/>look-up"]
        s0 -->|"no"| s2
        completed(["completed"])
        s1 --> completed
        s2 --> completed
    exit code 0
    "#);
}

#[test]
fn describe_tells_what_a_workflow_does() {
    let folder = folder(&[("greeting.workflow.yaml", GREETING)]);
    insta::assert_snapshot!(run(folder.path(), &["describe", "greeting.workflow.yaml"]), @r#"
    # greeting

    Its executions are about no record. team@example.com is responsible for it. It is not active: only people and other workflows start it.

    ## It starts when
    - somebody starts it by hand

    ## What it does
    1. **known** checks whether the variable who is not "nobody".
       - if so:
          1. **greet** writes into history: "Hello {{ vars.who }}".
       - if not:
          1. **look-up** writes into history: "Who is this?".

    ## If a step fails
    The execution pauses until somebody mends it and the owner of the workflow is told.
    exit code 0
    "#);
    assert!(run(folder.path(), &["describe", "none.workflow.yaml"]).contains("expected a file, found none"));
}

#[test]
fn the_schema_may_be_read_in_part() {
    let mut command = program(&root());
    let mut schema = command.arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut first = String::new();
    let mut out = BufReader::with_capacity(1, schema.stdout.take().expect("the output is piped"));
    out.read_line(&mut first).expect("the program prints UTF-8");
    drop(out);
    let end = schema.wait_with_output().expect("the program ends");
    assert_eq!(first, "{\n");
    assert_eq!((end.status.code(), String::from_utf8_lossy(&end.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_case_that_passes_says_how_much_virtual_time_it_took() {
    let cases = "
cases:
  - name: a visitor with a name is greeted
    event: {manual: {values: {who: Ada}}}
    expect: {status: completed, path: [known:yes, greet]}
";
    let folder = folder(&[("greeting.workflow.yaml", GREETING), ("greeting.cases.yaml", cases)]);
    insta::assert_snapshot!(run(folder.path(), &["test", "."]), @"
    ./greeting.cases.yaml
      ok    a visitor with a name is greeted (0s of virtual time)
      all 1 cases passed
    1 passed, 0 failed
    exit code 0
    ");
}

#[test]
fn a_case_that_fails_shows_the_difference_of_the_path() {
    let cases = "
cases:
  - name: a visitor without a name is greeted
    event: {manual: {}}
    expect: {status: completed, path: [known:yes, greet], variables: {who: somebody}}
";
    let folder = folder(&[("greeting.workflow.yaml", GREETING), ("greeting.cases.yaml", cases)]);
    insta::assert_snapshot!(run(folder.path(), &["test", "greeting.cases.yaml"]), @r#"
    greeting.cases.yaml
      FAIL  a visitor without a name is greeted (0s of virtual time)
            the path differs (- expected, + taken):
              - known:yes
              - greet
              + known:no   +0s
              + look-up    +0s  Who is this?
            expected the variable who to be "somebody", found "nobody"
      1 of 1 cases failed
    0 passed, 1 failed
    exit code 1
    "#);
}

#[test]
fn cases_are_reported_as_json_for_tools() {
    let cases = "
cases:
  - name: a visitor without a name is greeted
    event: {manual: {}}
    expect: {status: completed, path: [known:yes, greet]}
";
    let folder = folder(&[("greeting.workflow.yaml", GREETING), ("greeting.cases.yaml", cases)]);
    insta::assert_snapshot!(run(folder.path(), &["test", "--json", "."]), @r#"
    {"case":"a visitor without a name is greeted","difference":"the path differs (- expected, + taken):\n  - known:yes\n  - greet\n  + known:no   +0s\n  + look-up    +0s  Who is this?","file":"./greeting.cases.yaml","passed":false,"path":["known:no","look-up"],"virtual_s":0}
    exit code 1
    "#);
}

#[test]
fn a_folder_without_cases_is_no_success() {
    let folder = folder(&[]);
    insta::assert_snapshot!(run(folder.path(), &["test", "."]), @"
    error: expected files named *.cases.yaml, *.cases.yml, *.cases.json in ., found none
    exit code 2
    ");
}

#[test]
fn the_cases_of_every_example_pass() {
    let told = run(&root(), &["test", "examples"]);
    assert!(told.ends_with(" passed, 0 failed\nexit code 0"), "{told}");
}

#[test]
fn without_an_installation_a_command_says_how_to_start_one() {
    // The port of the discard service, on which nothing listens.
    let told = run(&root(), &["--endpoint", "http://127.0.0.1:9", "executions"]);
    let expected =
        "error: cannot reach an installation at http://127.0.0.1:9: start one with `pawl dev DIR`, or say --endpoint";
    assert!(told.starts_with(expected) && told.ends_with("exit code 2"), "{told}");
}

#[test]
fn the_demo_of_a_folder_that_is_not_there_says_so() {
    let folder = folder(&[]);
    insta::assert_snapshot!(run(folder.path(), &["demo", "--dir", "missing"]), @"
    error: expected a folder of workflows, found none at missing
    exit code 2
    ");
}

#[test]
fn the_demo_prints_one_object_a_line_and_ends_completed() {
    let output = program(&root()).args(["demo", "--json"]).output().expect("the program can be run");
    let text = String::from_utf8(output.stdout).expect("the program prints UTF-8");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect();
    let last = lines.last().expect("the demo prints something");
    assert_eq!(last["status"], "completed", "{text}");
    assert!(last["execution_id"].as_str().is_some_and(|id| id.starts_with("exe_")), "{last}");
    assert_eq!(output.status.code(), Some(0));
}
