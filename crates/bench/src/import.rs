//! `import`: `pawl records import` of a file with many rows.

use std::fmt::Write;
use std::time::Instant;

use anyhow::bail;
use serde_json::json;
use tokio::process::Command;

use crate::process::Server;
use crate::w5::round;

/// Rows of the file.
const ROWS: usize = 50_000;

/// Runs it. One file is imported into an empty installation, and once more, as after an interruption: then each row is a record
/// that is there.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    std::fs::write(folder.path().join("item.object.yaml"), include_str!("item.object.yaml"))?;
    let file = data.path().join("items.csv");
    let mut rows = "id,name,total,ok\n".to_owned();
    for number in 0..ROWS {
        writeln!(rows, "item-{number},\"Item, {number}\",{number},true")?;
    }
    std::fs::write(&file, rows)?;
    let server = Server::start(folder.path(), data.path()).await?;
    let mut per_s = Vec::new();
    let before = server.cpu()?;
    let mut cpu = None;
    for _ in 0..2 {
        let began = Instant::now();
        let mut command = Command::new(std::env::current_exe()?.with_file_name("pawl"));
        command.args(["--log", "off", "--endpoint", &format!("http://{}", server.host), "records", "import"]);
        let output = command.arg(&file).args(["--object", "item", "--json"]).output().await?;
        if !output.status.success() {
            bail!("the import failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        per_s.push(round(f64::from(u32::try_from(ROWS)?) / began.elapsed().as_secs_f64()));
        cpu.get_or_insert(server.cpu()?.saturating_sub(before));
    }
    let cpu = cpu.unwrap_or_default();
    server.stop().await?;
    let line = json!({
        "bench": "import",
        "rows_per_s": per_s[0],
        "again_rows_per_s": per_s[1],
        "cpu_ms_per_row": round(cpu.as_secs_f64() * 1_000.0 / f64::from(u32::try_from(ROWS)?)),
    });
    println!("{line}");
    Ok(())
}
