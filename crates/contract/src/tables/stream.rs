//! Stream messages of changed records.

use pawl_runtime::ports::{Expect, Item, Key, QueueName, RecordChange, StreamMessage, Table, Write};

use super::super::Backend;
use super::super::shorthand::{committed, drain, item, put, refused};

fn put_record(item: &Item) -> Write {
    Write::Put { table: Table::Records, item: item.clone(), expect: Expect::Any }
}

fn delete_record(key: &Key, expect: Expect) -> Write {
    Write::Delete { table: Table::Records, key: key.clone(), expect }
}

async fn changes(backend: &dyn Backend) -> Vec<RecordChange> {
    let bodies = drain(backend, QueueName::Events).await;
    let read = |body: &String| serde_json::from_str::<StreamMessage>(body).map(|message| message.stream);
    bodies.iter().map(|body| read(body).expect("a stream message parses")).collect()
}

/// A created and a changed record are told of with what stood there before and what stands there now.
pub async fn a_changed_record_yields_a_stream_message(backend: &dyn Backend) {
    let first = item("ticket#1", "record");
    let second = Item { version: 2, body: "{\"stage\":\"open\"}".to_owned(), ..first.clone() };
    committed(backend, vec![put_record(&first), put(&item("p", "history"))]).await;
    assert_eq!(changes(backend).await, [RecordChange { old: None, new: Some(first.clone()) }]);

    committed(backend, vec![put_record(&second)]).await;
    assert_eq!(changes(backend).await, [RecordChange { old: Some(first), new: Some(second.clone()) }]);

    // A backend may store large bodies in another way.
    let large = Item { version: 3, body: format!("{{\"note\":\"{}\"}}", "long ".repeat(600)), ..second.clone() };
    committed(backend, vec![put_record(&large)]).await;
    assert_eq!(changes(backend).await, [RecordChange { old: Some(second), new: Some(large) }]);
}

/// A deleted record is told of; deleting what is not there is not.
pub async fn a_deleted_record_yields_a_stream_message(backend: &dyn Backend) {
    let record = item("ticket#1", "record");
    committed(backend, vec![put_record(&record)]).await;
    changes(backend).await;

    committed(backend, vec![delete_record(&record.key, Expect::Present)]).await;
    assert_eq!(changes(backend).await, [RecordChange { old: Some(record.clone()), new: None }]);
    committed(backend, vec![delete_record(&record.key, Expect::Any)]).await;
    assert_eq!(changes(backend).await, []);
}

/// A write with the same body emits nothing, even under a new version.
pub async fn an_unchanged_record_yields_no_stream_message(backend: &dyn Backend) {
    let record = item("ticket#1", "record");
    committed(backend, vec![put_record(&record)]).await;
    changes(backend).await;

    committed(backend, vec![put_record(&record)]).await;
    committed(backend, vec![put_record(&Item { version: 2, ..record.clone() })]).await;
    let check = Write::Check { table: Table::Records, key: record.key.clone(), expect: Expect::Present };
    committed(backend, vec![check]).await;
    assert_eq!(changes(backend).await, []);
}

/// Message and change commit together or not at all.
pub async fn a_failed_commit_yields_no_stream_message(backend: &dyn Backend) {
    let doomed = delete_record(&Key::new("ticket#2", "record"), Expect::Present);
    refused(backend, vec![put_record(&item("ticket#1", "record")), doomed]).await;
    assert_eq!(changes(backend).await, []);
}

/// Only records are streamed.
pub async fn other_tables_yield_no_stream_message(backend: &dyn Backend) {
    for table in [Table::Workflows, Table::Executions, Table::Keys] {
        committed(backend, vec![Write::Put { table, item: item("p", "s"), expect: Expect::Any }]).await;
    }
    assert_eq!(changes(backend).await, []);
}
