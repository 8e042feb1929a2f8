//! The kill switch of everything.

use serde_json::json;

use crate::installation::Installation;
use crate::side_by_side::kill_switch::{stoppable, stops};
use crate::tracker::Tracker;

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_everything() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    let execution = stoppable(&pawl, &tracker, "stoppable-everything").await;
    let bystander = stoppable(&pawl, &tracker, "stoppable-bystander").await;
    stops(&pawl, &tracker, &execution, "/v1/installation").await;
    bystander.ends_as("completed").await;
    let audit = pawl.look("/v1/audit").await;
    let entries = audit["items"].as_array().expect("a listing has items").iter();
    let deeds: Vec<_> = entries.map(|entry| (&entry["deed"], &entry["workflow"])).take(2).collect();
    let everything = json!(null);
    assert_eq!(deeds, [(&json!("lift"), &everything), (&json!("kill"), &everything)], "{audit}");
}
