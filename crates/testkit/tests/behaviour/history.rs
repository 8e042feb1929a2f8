//! History: the newest rows stand in the head, older ones beside it, and nobody who reads them notices.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::{Row, StepStatus};
use pawl_runtime::items;
use pawl_testkit::scenario::{Scenario, answer, completed, manual, scenario};

use crate::support::workflow;

/// More rows than fit a head several times over.
const STEPS: usize = 60;

fn long() -> Scenario {
    let step = |n: usize| format!("  - {{id: s{n}, type: set_variables, values: {{n: {n}}}}}\n");
    let steps: Vec<String> = (0..STEPS).map(step).collect();
    scenario().workflow(&workflow(&steps.concat())).event(manual("w")).run_until_idle().expect(completed())
}

fn page(story: &Scenario, limit: usize, after: Option<String>) -> (Vec<Row>, Option<String>) {
    let id = story.last().execution.id;
    let listed = story.world().system.history.rows(&id, limit, after).now_or_never().expect("memory answers at once");
    let listed = listed.expect("stored rows are readable");
    (listed.items, listed.next)
}

fn seqs(story: &Scenario, limit: usize) -> Vec<u64> {
    let (mut seqs, mut after) = (Vec::new(), None);
    loop {
        let (rows, next) = page(story, limit, after);
        assert!(rows.len() <= limit, "at most {limit} rows were asked for, {} came", rows.len());
        seqs.extend(rows.iter().map(|row| row.seq));
        after = next;
        if after.is_none() {
            return seqs;
        }
    }
}

#[test]
fn pages_of_any_size_have_each_row_once_and_in_order() {
    let story = long();
    let last = story.last().execution.seq;
    for limit in [1, 2, 7, 61, 62, 1_000] {
        assert_eq!(seqs(&story, limit), (0..=last).collect::<Vec<_>>(), "pages of {limit}");
    }
}

#[test]
fn heads_stay_small_however_long_the_history_is() {
    let story = long();
    let partition = items::history::partition(&story.last().execution.id);
    let stored = story.world().store.items(items::history::TABLE);
    let own: Vec<_> = stored.iter().filter(|item| item.key.partition == partition).collect();
    let moved = own.iter().filter(|item| item.key.sort.starts_with(items::history::PREFIX)).count();
    assert!((2..STEPS / 2).contains(&moved), "{moved} items hold the rows that left the head");
    let head = own.iter().find(|item| item.key.sort == "head").expect("the execution was made");
    let (execution, rows) = items::execution::parse_whole(head).expect("readable").expect("an execution");
    let rest = items::execution::item(&execution, &[]).body.len();
    assert!(head.body.len() - rest <= 4 * 1024 + 16, "{} rows stand in the head", rows.len());
}

#[test]
fn after_the_last_row_comes_nothing() {
    let story = long();
    let last = story.last().execution.seq;
    assert_eq!(page(&story, 10, Some(last.to_string())), (Vec::new(), None));
}

#[test]
fn an_execution_that_is_not_there_has_no_rows() {
    let rows = long().world().system.history.rows("exe_none", 10, None).now_or_never();
    let listed = rows.expect("memory answers at once").expect("nothing is to be read");
    assert_eq!((listed.items, listed.next), (Vec::new(), None));
}

/// A retried row had the start of the visit: how long one attempt took was recorded nowhere.
#[test]
fn each_attempt_has_its_own_start_and_duration() {
    let step = "  - {id: call, type: http_request, method: POST, url: 'https://x.example'}";
    let mut replies = vec![answer(503).after_s(2), answer(503).after_s(3), answer(200).after_s(4)].into_iter();
    let story = scenario().workflow(&workflow(step)).http(move |_| replies.next().unwrap_or_else(|| answer(200)));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let rows = page(&story, 100, None).0;
    let attempts: Vec<&Row> = rows.iter().filter(|row| row.step.as_deref() == Some("call")).collect();
    let took: Vec<_> = attempts.iter().map(|row| (row.attempt, row.duration_ms())).collect();
    assert_eq!(took, [(Some(1), Some(2_000)), (Some(2), Some(3_000)), (Some(3), Some(4_000))]);
    let began = |row: &Row| row.attempt_began().expect("an attempt began");
    assert_eq!(attempts[0].started_at, attempts[2].started_at, "they are of one visit");
    assert!(began(attempts[1]) >= attempts[0].due.expect("a retry is due"));
    assert!(attempts.iter().all(|row| row.at
        == began(row) + SignedDuration::from_millis(i64::try_from(row.duration_ms().unwrap_or(0)).unwrap_or(0))));
}

#[test]
fn a_wait_that_is_over_is_in_the_duration_of_its_row() {
    let story = scenario().workflow(&workflow("  - {id: nap, type: delay, for: 90s}")).event(manual("w"));
    let rows = page(&story.run_until_idle().expect(completed()), 100, None).0;
    let nap: Vec<_> = rows.iter().filter(|row| row.step.as_deref() == Some("nap")).collect();
    let told: Vec<_> = nap.iter().map(|row| (row.status, row.duration_ms())).collect();
    assert_eq!(told, [(Some(StepStatus::Waiting), Some(0)), (Some(StepStatus::Completed), Some(90_000))]);
}
