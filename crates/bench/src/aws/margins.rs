//! What an execution costs for itself, and one more step of each kind: differences of workflows that are alike but for the
//! steps in question. And what a change of a record costs that nobody listens to.

use serde_json::{Value, json};

use super::capacity::Tables;
use super::cost::{QUIET, measure, round};
use super::stack::FUNCTIONS;
use super::used::Used;
use super::w5::{Watched, millis};

/// More steps of one kind than in the workflow that another one is compared with.
const MORE: u8 = 4;
/// Executions of each workflow that are counted.
const COUNTED: u32 = 20;
/// Changes of records that are counted, and how many are written at once: what Lambda hands over together shares an invocation.
const CHANGES: u32 = 100;
const AT_ONCE: usize = 20;

/// One figure.
pub(super) struct Margin {
    /// Its key in the line.
    key: &'static str,
    /// What it is of, for people.
    what: &'static str,
    /// What it should be at most, in dollars for a million; none where there is no goal.
    goal: Option<f64>,
    used: Used,
}

/// Steps by which two workflows differ.
struct Kind {
    key: &'static str,
    what: &'static str,
    goal: f64,
    /// The step with a number, of a service at an address.
    step: fn(u8, &str) -> String,
    /// Steps that it stands for.
    steps: u32,
}

/// Items of the loop, each of two steps.
const ITEMS: u32 = 50;

const KINDS: [Kind; 4] = [
    Kind {
        key: "pure_step",
        what: "one more pure step",
        goal: 0.15,
        step: |number, _| format!("  - {{id: step-{number}, type: set_variables, values: {{total: {number}}}}}\n"),
        steps: 1,
    },
    Kind {
        key: "http_step",
        what: "one more HTTP step",
        goal: 1.5,
        step: |number, echo| {
            format!(
                "  - {{id: call-{number}, type: http_request, method: POST, url: 'http://{echo}/items', body: {{number: {number}}}}}\n"
            )
        },
        steps: 1,
    },
    Kind {
        key: "wait",
        what: "one more wait of a second",
        goal: 2.0,
        step: |number, _| format!("  - {{id: wait-{number}, type: delay, for: 1s}}\n"),
        steps: 1,
    },
    Kind {
        key: "item_step",
        what: "one more pure step of an item of a loop",
        goal: 2.0,
        step: |number, _| {
            let items: Vec<_> = (0..ITEMS).collect();
            format!(
                "  - id: loop-{number}\n    type: for_each\n    items: {items:?}\n    do:\n      - {{id: one-{number}, type: set_variables, values: {{total: '{{{{ item * 2 }}}}'}}}}\n      - {{id: two-{number}, type: set_variables, values: {{total: '{{{{ vars.total + 1 }}}}'}}}}\n"
            )
        },
        steps: 2 * ITEMS,
    },
];

/// Measures all of them.
pub(super) async fn all(watched: &Watched, tables: &mut Tables) -> anyhow::Result<Vec<Margin>> {
    let fixed = workflow(watched, "cost-fixed", "", tables).await?;
    let mut margins = Vec::new();
    for kind in &KINDS {
        let steps: String = (1..=MORE).map(|number| (kind.step)(number, &watched.echo)).collect();
        let name = format!("cost-{}", kind.key.replace('_', "-"));
        let used = workflow(watched, &name, &steps, tables)
            .await?
            .beyond(&fixed)
            .each(f64::from(MORE) * f64::from(kind.steps));
        margins.push(Margin { key: kind.key, what: kind.what, goal: Some(kind.goal), used });
    }
    margins.insert(
        0,
        Margin { key: "execution", what: "an execution without steps but its end", goal: None, used: fixed },
    );
    let used = changes(watched, tables).await?;
    margins.push(Margin { key: "unheard_change", what: "a change that nobody listens to", goal: Some(0.3), used });
    Ok(margins)
}

/// Saves a workflow with these steps, and counts an execution of it.
async fn workflow(watched: &Watched, name: &str, steps: &str, tables: &mut Tables) -> anyhow::Result<Used> {
    let source = format!(
        "workflow: {name}\nowner: bench@example.com\nactive: true\n\
         triggers:\n  - {{id: in, type: webhook, verify: none}}\n\
         variables:\n  - {{name: total, type: number}}\n\
         steps:\n{steps}  - {{id: end, type: stop, as: completed}}\n"
    );
    watched.stack.call("POST", "/v1/workflows", &source).await?;
    let hook = format!("/hooks/{name}/in");
    let (used, _) = measure(watched, (&hook, &|_| "{}".to_owned()), COUNTED, tables).await?;
    Ok(used)
}

/// Changes records that nobody listens to, and counts what the evaluator makes of one. The write itself is its sender's.
async fn changes(watched: &Watched, tables: &mut Tables) -> anyhow::Result<Used> {
    watched.stack.call("POST", "/v1/objects", "object: unheard\nfields:\n  number: {type: number}\n").await?;
    let numbers: Vec<u32> = (0..CHANGES).collect();
    let path = |number: u32| format!("/v1/objects/unheard/records/record-{number}");
    let body = |number: u32| json!({"fields": {"number": number}}).to_string();
    write(watched, &numbers, |number| ("PUT", path(number), body(number))).await?;
    for call in watched.settle(QUIET).await.iter().filter(|call| call.status == 200) {
        tables.count(&call.operation, &call.request, &call.answer);
    }
    let since = millis()?;
    write(watched, &numbers, |number| ("PATCH", path(number), body(number + CHANGES))).await?;
    let mut used = Used::default();
    for call in watched.settle(QUIET).await.iter().filter(|call| call.status == 200) {
        let units = tables.count(&call.operation, &call.request, &call.answer);
        if call.function == "trigger-evaluator" {
            used.asked(call, units);
        }
    }
    let memory = watched.stack.memory().await?;
    for function in FUNCTIONS.iter().filter(|name| **name == "trigger-evaluator") {
        used.logged(&watched.stack.log(function, since).await?, memory[function]);
    }
    Ok(used.each(CHANGES.into()))
}

/// Writes records, some at once.
async fn write(
    watched: &Watched,
    numbers: &[u32],
    request: impl Fn(u32) -> (&'static str, String, String),
) -> anyhow::Result<()> {
    for some in numbers.chunks(AT_ONCE) {
        let requests = some.iter().map(|number| {
            let (method, path, body) = request(*number);
            async move { watched.stack.call(method, &path, &body).await.map(drop) }
        });
        futures::future::try_join_all(requests).await?;
    }
    Ok(())
}

/// What programs read of them.
pub(super) fn line(margins: &[Margin]) -> Value {
    let amounts = ["write_units", "read_units", "invocations", "queue_requests", "log_bytes"];
    let of = |margin: &Margin| {
        let mut told = json!({"usd": round(margin.used.usd())});
        for what in amounts {
            told[what] = round(margin.used.amount(what)).into();
        }
        told["goal"] = margin.goal.into();
        (margin.key.to_owned(), told)
    };
    margins.iter().map(of).collect()
}

/// The table of `docs/benchmarks.md`.
pub(super) fn table(margins: &[Margin]) -> String {
    let mut lines = vec![
        "| what | USD per million | goal | write units | read units | invocations | requests to queues | bytes of log |".to_owned(),
        "| --- | --- | --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for Margin { what, goal, used, .. } in margins {
        let goal = goal.map_or_else(|| "–".to_owned(), |goal| format!("{goal}"));
        let amount = |what| used.amount(what);
        lines.push(format!(
            "| {what} | {:.2} | {goal} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} |",
            used.usd(),
            amount("write_units"),
            amount("read_units"),
            amount("invocations"),
            amount("queue_requests"),
            amount("log_bytes"),
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_are_told_the_same() {
        let mut used = Used::default();
        used.add("write_units", 2.0);
        used.add("log_bytes", 300.0);
        let margins = [Margin { key: "pure_step", what: "one more pure step", goal: Some(0.15), used }];
        let told = table(&margins);
        let row = told.lines().last().expect("a row");
        assert_eq!(row, "| one more pure step | 1.40 | 0.15 | 2.00 | 0.00 | 0.00 | 0.00 | 300 |");
        let line = line(&margins);
        assert_eq!((&line["pure_step"]["usd"], &line["pure_step"]["goal"]), (&json!(1.4), &json!(0.15)));
    }
}
