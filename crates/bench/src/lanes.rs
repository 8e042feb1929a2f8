//! `lanes`: eight lanes of three steps each, and the same steps in a row.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use crate::http::Connection;
use crate::process::{Server, ended, percentile};
use crate::w5::round;

/// Lanes.
const LANES: u32 = 8;
/// Executions one at a time that are measured, and some before them.
const SINGLE: usize = 200;
const WARM: usize = 50;

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let echo = crate::echo::start().await?;
    write_files(folder.path(), &echo)?;
    let server = Server::start(folder.path(), data.path()).await?;
    let mut connection = server.connect().await?;
    let (mut lanes, mut row) = (Vec::new(), Vec::new());
    // In turns, so that what else the machine does meets both.
    for number in 0..WARM + SINGLE {
        let times = (execute(&mut connection, "lanes").await?, execute(&mut connection, "row").await?);
        if number >= WARM {
            lanes.push(times.0);
            row.push(times.1);
        }
    }
    lanes.sort();
    row.sort();
    drop(connection);
    server.stop().await?;
    let line = json!({
        "bench": "lanes",
        "p50_ms": round(percentile(&lanes, 0.50)),
        "p99_ms": round(percentile(&lanes, 0.99)),
        "in_a_row_p50_ms": round(percentile(&row, 0.50)),
        "in_a_row_p99_ms": round(percentile(&row, 0.99)),
    });
    println!("{line}");
    Ok(())
}

/// The steps of a lane: two pure ones and a call.
fn steps(lane: u32, indent: &str, echo: &str) -> String {
    format!(
        "{indent}- {{id: first-{lane}, type: note, text: begins}}\n\
         {indent}- {{id: call-{lane}, type: http_request, method: POST, url: 'http://{echo}/items', body: {{lane: {lane}}}}}\n\
         {indent}- {{id: keep-{lane}, type: set_variables, values: {{ok-{lane}: '{{{{ steps[\"call-{lane}\"].output.body.ok }}}}'}}}}\n"
    )
}

fn write_files(folder: &Path, echo: &str) -> anyhow::Result<()> {
    let begin = |name: &str| {
        format!(
            "workflow: {name}\nowner: bench@example.com\nactive: true\n\
             triggers:\n  - {{id: in, type: webhook, verify: none}}\nsteps:\n"
        )
    };
    let mut row = begin("row");
    let mut lanes = begin("lanes") + "  - id: fork\n    type: branch\n    lanes:\n";
    for lane in 0..LANES {
        row += &steps(lane, "  ", echo);
        write!(lanes, "      lane-{lane}:\n{}", steps(lane, "        ", echo))?;
    }
    std::fs::write(folder.join("row.workflow.yaml"), row.replace("ok-", "ok_"))?;
    std::fs::write(folder.join("lanes.workflow.yaml"), lanes.replace("ok-", "ok_"))?;
    Ok(())
}

/// One execution, from POST to completed.
async fn execute(connection: &mut Connection, workflow: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let (status, answer) = connection.send("POST", &format!("/hooks/{workflow}/in"), "{}").await?;
    let Some(execution) = answer.get("execution_id").and_then(Value::as_str) else {
        bail!("expected 202, found {status}: {answer}");
    };
    let end = ended(connection, execution).await?;
    if end["status"] != "completed" {
        bail!("expected a completed execution, found {end}");
    }
    Ok(began.elapsed())
}
