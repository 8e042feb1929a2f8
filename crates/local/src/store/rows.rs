//! Items as rows.

use pawl_runtime::ports::rules::unreadable_body;
use pawl_runtime::ports::{Index, IndexEntry, Item, Key, Table};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::micros;
use super::schema::{TABLES, table_index, table_name};

/// The columns that [`read`] expects, in its order.
pub(super) const COLUMNS: &str = "id, version, expires_at, i1p, i1s, i2p, i2s, i3p, i3s, i4p, i4s, pk, sk, body";

/// The first of the eight index columns in [`COLUMNS`].
const FIRST_INDEX_COLUMN: usize = 3;

const INDEXES: [Index; 4] = [Index::Gsi1, Index::Gsi2, Index::Gsi3, Index::Gsi4];

/// The statements on the items of one table.
pub(super) struct Statements {
    select: String,
    insert: String,
    /// One for each set of [`Changed`] columns.
    updates: Vec<String>,
    delete: String,
}

impl Statements {
    pub(super) fn new(table: Table) -> Self {
        let name = table_name(table);
        Self {
            select: format!("SELECT {COLUMNS} FROM {name} WHERE pk = ?1 AND sk = ?2"),
            insert: format!(
                "INSERT INTO {name} (version, expires_at, body, i1p, i1s, i2p, i2s, i3p, i3s, i4p, i4s, pk, sk)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
            ),
            updates: (0..=Changed::ALL).map(|set| update(name, Changed(set))).collect(),
            delete: format!("DELETE FROM {name} WHERE id = ?1"),
        }
    }

    /// Reads the row of a key, expired or not, through a function.
    pub(super) fn find<T>(
        &self,
        connection: &Connection,
        key: &Key,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = connection.prepare_cached(&self.select)?;
        statement.query_row(params![key.partition, key.sort], read).optional()
    }

    /// Reads an item, expired or not.
    pub(super) fn get(&self, connection: &Connection, key: &Key) -> Result<Option<Item>> {
        self.find(connection, key, read)
    }

    pub(super) fn insert(&self, connection: &Connection, item: &Item) -> Result<()> {
        let i = index_columns(item);
        let (version, expires_at) = (item.version.cast_signed(), expiry(item));
        let key = &item.key;
        connection.prepare_cached(&self.insert)?.execute(params![
            version,
            expires_at,
            item.body,
            i[0],
            i[1],
            i[2],
            i[3],
            i[4],
            i[5],
            i[6],
            i[7],
            key.partition,
            key.sort
        ])?;
        Ok(())
    }

    /// Writes version, body and the changed columns. The trees of other indexes are not touched.
    pub(super) fn update(&self, connection: &Connection, id: i64, item: &Item, changed: Changed) -> Result<()> {
        let i = index_columns(item);
        let (version, expires_at) = (item.version.cast_signed(), expiry(item));
        connection
            .prepare_cached(&self.updates[usize::from(changed.0)])?
            .execute(params![version, item.body, expires_at, i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7], id])?;
        Ok(())
    }

    pub(super) fn delete(&self, connection: &Connection, id: i64) -> Result<()> {
        connection.prepare_cached(&self.delete)?.execute([id])?;
        Ok(())
    }
}

/// Which columns besides version and body an item changes: one bit an index, one for the expiry.
#[derive(Clone, Copy)]
pub(super) struct Changed(u8);

impl Changed {
    const EXPIRY: u8 = 1 << 4;
    const ALL: u8 = (1 << 5) - 1;

    /// Version and body only.
    pub(super) const NOTHING: Self = Self(0);

    /// All that can change.
    pub(super) const EVERYTHING: Self = Self(Self::ALL);

    /// Compares an item with a row of [`COLUMNS`].
    pub(super) fn between(row: &Row<'_>, item: &Item) -> Result<Self> {
        let mut changed = if row.get::<_, Option<i64>>(2)? == expiry(item) { 0 } else { Self::EXPIRY };
        for (number, expected) in index_columns(item).into_iter().enumerate() {
            if row.get_ref(FIRST_INDEX_COLUMN + number)?.as_str_or_null()? != expected {
                changed |= 1 << (number / 2);
            }
        }
        Ok(Self(changed))
    }
}

/// The statement that writes a set of columns. All take the same parameters.
fn update(table: &str, changed: Changed) -> String {
    let expiry = if changed.0 & Changed::EXPIRY == 0 { "" } else { ", expires_at = ?3" };
    let index = |number: u8| match changed.0 & (1 << number) {
        0 => String::new(),
        _ => format!(", i{n}p = ?{}, i{n}s = ?{}", 4 + 2 * number, 5 + 2 * number, n = number + 1),
    };
    let columns = [0, 1, 2, 3].map(index).join("");
    format!("UPDATE {table} SET version = ?1, body = ?2{expiry}{columns} WHERE id = ?12")
}

/// The statements of all tables.
pub(super) struct ItemStatements([Statements; 4]);

impl ItemStatements {
    pub(super) fn new() -> Self {
        Self(TABLES.map(Statements::new))
    }

    pub(super) fn of(&self, table: Table) -> &Statements {
        &self.0[table_index(table)]
    }
}

/// Reads an item from [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> Result<Item> {
    let mut indexes = Vec::new();
    for (number, index) in INDEXES.into_iter().enumerate() {
        let column = FIRST_INDEX_COLUMN + 2 * number;
        if let Some(partition) = row.get(column)? {
            indexes.push(IndexEntry { index, partition, sort: row.get(column + 1)? });
        }
    }
    Ok(Item {
        key: Key { partition: row.get(11)?, sort: row.get(12)? },
        version: version(row)?,
        indexes,
        expires_at: row.get::<_, Option<i64>>(2)?.map(micros::read),
        // A body that is no text is a fault of one item, and of none beside it.
        body: row.get_ref(13)?.as_str().map_or_else(|_| unreadable_body(), str::to_owned),
    })
}

/// The number of a row of [`COLUMNS`].
pub(super) fn id(row: &Row<'_>) -> Result<i64> {
    row.get(0)
}

/// The version in a row of [`COLUMNS`].
pub(super) fn version(row: &Row<'_>) -> Result<u64> {
    Ok(row.get::<_, i64>(1)?.cast_unsigned())
}

/// Whether the item in a row of [`COLUMNS`] has not expired.
pub(super) fn is_live(row: &Row<'_>, now: i64) -> Result<bool> {
    Ok(row.get::<_, Option<i64>>(2)?.is_none_or(|at| now < at))
}

fn expiry(item: &Item) -> Option<i64> {
    item.expires_at.map(micros::ceil)
}

fn index_columns(item: &Item) -> [Option<&str>; 8] {
    let mut columns = [None; 8];
    for entry in &item.indexes {
        let number = match entry.index {
            Index::Gsi1 => 0,
            Index::Gsi2 => 1,
            Index::Gsi3 => 2,
            Index::Gsi4 => 3,
        };
        columns[2 * number] = Some(entry.partition.as_str());
        columns[2 * number + 1] = Some(entry.sort.as_str());
    }
    columns
}
