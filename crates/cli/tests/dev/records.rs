//! Records, objects, operations, notices and the audit on the command line.

use serde_json::{Value, json};

use crate::remote::{dev, folder, run};

const PERSON: &str = "
object: person
fields: {name: {type: text}, size: {type: number, unique: true}}
";

/// Fails on a small person, and tells its owner.
const VISIT: &str = "
workflow: visit
owner: team@example.com
object: person
active: true
triggers: [{id: new, type: record_created}]
steps:
  - {id: half, type: set_variables, values: {n: '{{ 1 / record.size }}'}}
variables: [{name: n, type: number}]
";

fn of(told: &str) -> Value {
    serde_json::from_str(told.trim_end_matches("\nexit code 0")).expect("it is JSON")
}

#[tokio::test]
async fn records_are_created_listed_shown_and_changed() {
    let folder = folder("person.object.yaml", PERSON);
    let dev = dev(&folder).await;
    assert!(run(&dev, &["objects"]).await.contains("\nperson        name size\n"));
    for (id, size) in [("p1", "size=1"), ("a&b", "size=2"), ("p3", "size=3")] {
        let record = format!("person/{id}");
        let made = run(&dev, &["record", &record, "--create", "--set", size]).await;
        assert!(made.starts_with(&format!("person/{id}  version 1\n")) && made.ends_with("exit code 0"), "{made}");
    }
    let taken = run(&dev, &["record", "person/p1", "--create"]).await;
    assert!(taken.contains("[duplicate_record]") && taken.ends_with("exit code 1"), "{taken}");

    assert_eq!(run(&dev, &["records", "person", "-q"]).await, "p3\na&b\np1\nexit code 0");
    let ordered = ["records", "person", "--where", r#"{"size": {"gte": 2}}"#, "--order", "-size", "-q", "--limit", "1"];
    assert_eq!(run(&dev, &ordered).await, "p3\nexit code 0");
    let table = run(&dev, &["records", "person"]).await;
    assert!(table.lines().any(|line| line.starts_with("a&b ") && line.ends_with("  size=2")), "{table}");
    let wrong = run(&dev, &["records", "person", "--where", "size > 2"]).await;
    assert!(wrong.contains("[bad_query]") && wrong.ends_with("exit code 1"), "{wrong}");

    let changed = run(&dev, &["--json", "record", "person/a&b", "--set", "name=Vera", "--if-match", "1"]).await;
    assert_eq!((&of(&changed)["version"], &of(&changed)["fields"]["name"]), (&json!(2), &json!("Vera")));
    let stale = run(&dev, &["record", "person/a&b", "--set", "name=Anna", "--if-match", "1"]).await;
    assert!(stale.contains("[stale_record]") && stale.ends_with("exit code 1"), "{stale}");
    let shown = run(&dev, &["record", "person/a&b"]).await;
    assert!(shown.contains("\nname   Vera\nsize   2\n"), "{shown}");

    let found = run(&dev, &["record", "person", "--by", "size=2"]).await;
    assert!(found.starts_with("person/a&b  version 2\n"), "by the value of a unique field: {found}");
    let changed = run(&dev, &["record", "person", "--by", "size=2", "--set", "name=Anna"]).await;
    assert!(changed.starts_with("person/a&b  version 3\n"), "{changed}");
    let history = run(&dev, &["--json", "record", "person", "--by", "size=2", "--history", "--limit", "1"]).await;
    assert_eq!(of(&history)["changes"], json!({"name": {"from": "Vera", "to": "Anna"}}));
    let history = run(&dev, &["record", "person/a&b", "--history"]).await;
    assert!(history.starts_with("VERSION  AT "), "{history}");
    assert!(history.lines().any(|line| line.starts_with("3 ") && line.contains(" Vera  Anna")), "{history}");
    let other = run(&dev, &["record", "person", "--by", "name=Anna"]).await;
    assert!(other.contains("expected a unique field of \"person\" (size), found \"name\""), "{other}");
    let none = run(&dev, &["record", "person", "--by", "size=9", "--set", "name=Anna"]).await;
    assert!(none.contains("[no_record]") && none.ends_with("exit code 1"), "{none}");
}

#[tokio::test]
async fn notices_operations_and_the_audit_are_listed() {
    let folder = folder("person.object.yaml", PERSON);
    std::fs::write(folder.path().join("visit.workflow.yaml"), VISIT).expect("the folder is writable");
    let dev = dev(&folder).await;
    run(&dev, &["record", "person/p1", "--create", "--set", "size=0"]).await;
    let paused = |page: &Value| page["items"][0]["status"] == "paused";
    dev.until("/v1/executions?workflow=visit", paused).await;

    let shown = run(&dev, &["workflows", "show", "visit"]).await;
    assert!(
        shown.starts_with("visit  active  revision 1\n") && shown.contains("\ncounted of all 1 execution, since "),
        "{shown}"
    );
    assert!(
        shown.contains("\nnew      1        0\n") && shown.contains("\nhalf  set_variables  0          1 "),
        "{shown}"
    );
    let notices = run(&dev, &["notices"]).await;
    assert!(notices.contains("  team@example.com  ") && notices.contains(" visit"), "{notices}");
    let done = run(&dev, &["cancel", "--workflow", "visit", "--yes", "--reason", "no sense"]).await;
    assert!(done.contains(" completed; done: 1 of 1; "), "{done}");
    let operations = run(&dev, &["operations"]).await;
    assert!(operations.contains("  cancel  completed  visit ") && operations.contains("  1 of 1 "), "{operations}");
    let ids = run(&dev, &["operations", "-q"]).await;
    let id = ids.lines().next().expect("there is one");
    assert!(run(&dev, &["operation", id]).await.starts_with(&format!("{id} completed; done: 1 of 1")), "{ids}");
    run(&dev, &["kill", "--workflow", "visit", "--reason", "drill"]).await;
    let audit = run(&dev, &["audit"]).await;
    let lines: Vec<_> = audit.lines().skip(2).collect();
    assert!(lines[0].contains("  kill ") && lines[0].ends_with("  drill"), "{audit}");
    assert!(lines[1].contains("  cancel completed  ") && lines[2].contains("  cancel begun "), "{audit}");
    let entry: Value = of(&run(&dev, &["--json", "audit", "--limit", "1"]).await);
    assert_eq!(entry["deed"], "kill");
}

const ORDER: &str = "
object: order
fields: {number: {type: text, unique: true}, amount: {type: number}, price: {type: money}, notes: {type: text, many: true}}
stages: [new, paid]
";

#[tokio::test]
async fn rows_of_a_file_become_records_and_records_rows() {
    let folder = folder("order.object.yaml", ORDER);
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name));
    let dev = dev(&folder).await;
    let csv = "number,amount,price,notes,tags,stage\n1,12.5,9 EUR,\"a, b;c\",vip,paid\n2,much,,,,\n3,,,,,\n1,7,,,,\n";
    write("orders.csv", csv);
    let import = ["records", "import", &path("orders.csv"), "--object", "order", "--match", "number"];
    let told = run(&dev, &import).await;
    assert!(told.contains("4 rows: 2 created, 1 were there and are as the file says, 1 refused"), "{told}");
    assert!(told.ends_with("exit code 1"), "{told}");
    let refused = read("orders.refused.csv").expect("a row was refused");
    assert!(
        refused.starts_with(
            "number,amount,price,notes,tags,stage,refused_code,refused_because\n2,much,,,,,invalid_record,"
        ),
        "{refused}"
    );
    let again = run(&dev, &import).await;
    assert!(again.contains("4 rows: 0 created, 3 were there"), "{again}");
    assert!(!folder.path().join("orders.progress.json").exists());

    let exported = run(&dev, &["records", "export", &path("out.csv"), "--object", "order"]).await;
    assert_eq!(exported, "2 records\nexit code 0");
    let out = read("out.csv").expect("it was written");
    let row = "7,\"a, b;c\",1,,\"{\"\"amount\"\":9,\"\"currency\"\":\"\"EUR\"\"}\",paid,vip";
    assert!(out.starts_with("id,amount,notes,number,owner,price,stage,tags\n") && out.contains(row), "{out}");
    let back = run(&dev, &["records", "import", &path("out.csv"), "--object", "order"]).await;
    assert_eq!(back, "2 rows: 0 created, 2 were there and are as the file says, 0 refused\nexit code 0");

    let lines = run(&dev, &["records", "export", "--object", "order", "--where", r#"{"stage": "paid"}"#]).await;
    write("paid.jsonl", lines.trim_end_matches("exit code 0"));
    let back = run(&dev, &["--json", "records", "import", &path("paid.jsonl"), "--object", "order"]).await;
    assert_eq!(of(&back), json!({"rows": 1, "created": 0, "written": 1, "refused": 0}));
    write("more.jsonl", "{\"number\": \"9\", \"notes\": [\"x\"]}\n\n{\"number\": \"10\"}\n");
    for expected in ["2 rows: 2 created, 0 were there", "2 rows: 0 created, 2 were there"] {
        let told = run(&dev, &["records", "import", &path("more.jsonl"), "--object", "order"]).await;
        assert!(told.contains(expected), "{told}");
    }
    write("wrong.csv", "number,colour\n1,red\n");
    let wrong = run(&dev, &["records", "import", &path("wrong.csv"), "--object", "order"]).await;
    assert!(wrong.contains("found \"colour\"") && wrong.ends_with("exit code 2"), "{wrong}");
    let without =
        ["records", "import", &path("wrong.csv"), "--object", "order", "--match", "number", "--ignore", "colour"];
    assert!(run(&dev, &without).await.contains("1 rows: 0 created, 1 were there"));
}

#[tokio::test]
async fn an_import_goes_on_where_it_stopped() {
    let folder = folder("order.object.yaml", ORDER);
    let file = folder.path().join("orders.csv");
    let text = "number\n1\n2\n3\n";
    std::fs::write(&file, text).expect("the folder is writable");
    let digest = pawl_engine::ids::content_hash(text.as_bytes());
    let progress = json!({"digest": digest, "object": "order", "done": 2, "created": 2, "written": 0, "refused": 0});
    std::fs::write(folder.path().join("orders.progress.json"), progress.to_string()).expect("the folder is writable");
    let dev = dev(&folder).await;
    let import = ["records", "import", &file.to_string_lossy(), "--object", "order"];
    let told = run(&dev, &import).await;
    assert!(told.contains("goes on behind row 2 of 3") && told.contains("3 rows: 3 created"), "{told}");
    assert_eq!(run(&dev, &["records", "order", "-q"]).await.lines().count(), 2, "one record and the exit code");
    // An edited file is another one.
    std::fs::write(folder.path().join("orders.progress.json"), progress.to_string()).expect("the folder is writable");
    std::fs::write(&file, "number\n1\n2\n3\n4\n").expect("the folder is writable");
    let told = run(&dev, &import).await;
    assert!(told.contains("4 rows: 3 created"), "{told}");
}
