//! The tables of the file, and how connections to it are set up.

use std::path::Path;
use std::time::Duration;

use pawl_runtime::ports::{QueueName, Table};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

/// The version of this layout, kept in `user_version`.
pub(super) const LAYOUT: i64 = 1;

/// The name of a table in the file. Stored, do not rename.
pub(super) fn table_name(table: Table) -> &'static str {
    match table {
        Table::Workflows => "workflows",
        Table::Executions => "executions",
        Table::Records => "records",
        Table::Keys => "idempotency",
    }
}

/// The place of a table among [`TABLES`].
pub(super) fn table_index(table: Table) -> usize {
    match table {
        Table::Workflows => 0,
        Table::Executions => 1,
        Table::Records => 2,
        Table::Keys => 3,
    }
}

pub(super) const TABLES: [Table; 4] = [Table::Workflows, Table::Executions, Table::Records, Table::Keys];

/// The number of a queue in the file. Stored, do not change.
pub(super) fn queue_column(queue: QueueName) -> i64 {
    match queue {
        QueueName::Events => 0,
        QueueName::Jobs => 1,
        QueueName::JobsHigh => 2,
        QueueName::JobsSlow => 3,
    }
}

/// The place of a queue among [`QUEUES`].
pub(super) fn queue_index(queue: QueueName) -> usize {
    match queue {
        QueueName::Events => 0,
        QueueName::Jobs => 1,
        QueueName::JobsHigh => 2,
        QueueName::JobsSlow => 3,
    }
}

pub(super) const QUEUES: [QueueName; 4] =
    [QueueName::Events, QueueName::Jobs, QueueName::JobsHigh, QueueName::JobsSlow];

/// Opens the connection that writes, and creates what is missing. Checkpoints are ours to run.
pub(super) fn open_writer(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL: no sync at a commit (the flusher does that), but in the right places around a checkpoint.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    keep_statements(&connection)?;
    // A lock of another program is no reason for the writer to stand still: it answers reads meanwhile.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// Whether the file takes writes: as much as a batch has, written and taken away again.
pub(super) fn try_writing(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS trials (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
         INSERT OR REPLACE INTO trials (id, body) VALUES (1, zeroblob(262144));
         DELETE FROM trials;",
    )
}

/// Opens a connection that reads what has committed.
pub(super) fn open_reader(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "cache_size", -4_000)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Statements are prepared once. Without the planner's guarantee `SQLite` would prepare one again whenever values are
/// bound by which a better plan might be found; there is only one good plan for each of ours.
fn keep_statements(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The version of the layout in the file; 0 if it is new.
pub(super) fn read_layout(connection: &Connection) -> Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Creates the tables of a new file.
pub(super) fn create(connection: &Connection) -> Result<()> {
    let items: String = TABLES.iter().map(|table| item_table(table_name(*table))).collect();
    connection.execute_batch(&format!("BEGIN; {items} {QUEUE_TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"))
}

/// Creates what files of earlier versions with this layout lack.
pub(super) fn complete(connection: &Connection) -> Result<()> {
    let of_message = "SELECT count(*) FROM pragma_table_info('messages') WHERE name = 'put_off'";
    if connection.query_row(of_message, [], |row| row.get::<_, i64>(0))? == 0 {
        connection.execute_batch("ALTER TABLE messages ADD COLUMN put_off INTEGER NOT NULL DEFAULT 0;")?;
    }
    connection
        .execute_batch("CREATE INDEX IF NOT EXISTS messages_no_room ON messages (queue, fairness, id) WHERE due = -1;")
}

/// Rows have a number of their own, so that recent items lie side by side whatever their keys are: one commit of
/// many executions then touches few pages. Index columns come before the body, so that reading them never walks
/// through a long body.
fn item_table(name: &str) -> String {
    let index = |n: u8| format!("CREATE INDEX {name}_i{n} ON {name} (i{n}p, i{n}s, pk, sk) WHERE i{n}p IS NOT NULL;");
    let indexes = [1, 2, 3, 4].map(index).join("\n");
    format!(
        "CREATE TABLE {name} (
            id INTEGER PRIMARY KEY, version INTEGER NOT NULL, expires_at INTEGER,
            i1p TEXT, i1s TEXT, i2p TEXT, i2s TEXT, i3p TEXT, i3s TEXT, i4p TEXT, i4s TEXT,
            pk TEXT NOT NULL, sk TEXT NOT NULL, body TEXT NOT NULL
        );
        CREATE UNIQUE INDEX {name}_key ON {name} (pk, sk);
        CREATE INDEX {name}_expiry ON {name} (expires_at) WHERE expires_at IS NOT NULL;
        {indexes}"
    )
}

/// A message with `due = 0` is in memory, ready or received; one with a time is on disk only until then; one with
/// `due = -1` is due and waits on disk for room in memory. Most messages are born ready and die soon, and never enter
/// an index.
const QUEUE_TABLES: &str = "
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, due INTEGER NOT NULL, attempt INTEGER NOT NULL,
        sent_at INTEGER NOT NULL, fairness TEXT NOT NULL, body TEXT NOT NULL, put_off INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX messages_due ON messages (queue, due, id) WHERE due > 0;
    CREATE TABLE timers (
        name TEXT PRIMARY KEY, due INTEGER NOT NULL, queue INTEGER NOT NULL, fairness TEXT NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX timers_due ON timers (due);
";
