//! Groups and calendars on the command line: loaded on save, applied, and started on.

use reqwest::Method;
use serde_json::json;

use crate::remote::{dev, folder, run};

const THING: &str = "object: thing\nfields: {size: {type: number}}\n";
const BIG: &str = "group: big\nobject: thing\nwhere: record.size > 10\n";
const VISIT: &str = "workflow: visit\nowner: a@b.c\nobject: thing\ncalendar: shop\n\
                     steps: [{id: ask, type: condition, if: 'in_group(record, \"big\")'}]\n";

#[tokio::test]
async fn groups_and_calendars_are_loaded_before_the_workflows_that_name_them() {
    let folder = folder("thing.object.yaml", THING);
    let save = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    save("visit.workflow.yaml", VISIT);
    save("big.group.yaml", BIG);
    save("shop.calendar.yaml", "calendar: shop\nweekend: [sun]\n");
    let dev = dev(&folder).await;
    let groups = dev.ask(Method::GET, "/v1/groups", None).await;
    assert_eq!(groups.1["items"][0]["revision"], 1, "{groups:?}");
    for (id, size) in [("a", 20), ("b", 5), ("c", 30)] {
        let record = json!({"id": id, "fields": {"size": size}});
        let made = dev.ask(Method::POST, "/v1/objects/thing/records", Some(&record)).await;
        assert_eq!(made.0, 201, "{made:?}");
    }
    let told = run(&dev, &["start", "visit", "--group", "big", "--yes"]).await;
    assert!(told.starts_with("2 records, such as a, c"), "{told}");
    assert!(told.contains("done: 2 of 2"), "{told}");
    let told = run(&dev, &["start", "visit", "--group", "small", "--yes"]).await;
    assert!(told.contains("no_definition"), "{told}");

    save("big.group.yaml", &BIG.replace("10", "25"));
    dev.until("/v1/groups/big", |group| group["revision"] == 2).await;
    let file = folder.path().join("big.group.yaml").display().to_string();
    let told = run(&dev, &["apply", &file]).await;
    assert!(told.contains("group big revision 2 saved"), "{told}");
    let told = run(&dev, &["apply", &file, "--if-match", "1"]).await;
    assert!(told.contains("stale_revision"), "{told}");
    let checked = run(&dev, &["check", &folder.path().display().to_string()]).await;
    assert!(checked.contains("shop.calendar.yaml: ok") && checked.contains("big.group.yaml: ok"), "{checked}");
}
