//! What the properties of stored items draw from: all that may be stored, and nothing else. Tests alone use it.

mod execution;
mod fork;

use jiff::Timestamp;
use pawl_engine::{Act, Cause, Creation, Event, EventType, ForkStart, Link, Record, RegionStart, Subject};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Number, Value};

use super::Item;
use crate::ports::{Durability, Expect, Table, TableError, Transaction, Write};

pub(crate) use execution::{execution, row, topic};

/// Values of a type, by chance.
pub(crate) type Arbitrary<T> = BoxedStrategy<T>;

/// How many cases a property tries: it runs with every build.
pub(crate) fn few() -> ProptestConfig {
    ProptestConfig::with_cases(48)
}

/// Applies the rules by which every store refuses an item.
pub(crate) fn storable(item: &Item) -> Result<(), TableError> {
    let put = Write::Put { table: Table::Keys, item: item.clone(), expect: Expect::Any };
    Transaction { writes: vec![put], durability: Durability::Durable }.validate()
}

/// The item that a write puts.
pub(crate) fn put(write: Write) -> Item {
    match write {
        Write::Put { item, .. } => item,
        other => panic!("expected an item that is put, found {other:?}"),
    }
}

/// Texts in which separators, escapes and signs of more than one byte lie in wait; the empty one too.
pub(crate) fn text() -> Arbitrary<String> {
    let odd =
        ["", " ", "\t\n", "null", "1", "a\"b\\c", "~", "|", "#", "/", "\0", "\u{1}", "\u{2}1", "é", "e\u{301}", "𝄞"];
    prop_oneof![select(odd.to_vec()).prop_map(str::to_owned), "[a-z|#/~!\u{1}\u{2}]{1,8}", ".{0,6}"].boxed()
}

/// A text that is not empty.
pub(crate) fn filled() -> Arbitrary<String> {
    (text(), "[a-z|#/~\u{1}]").prop_map(|(text, last)| text + &last).boxed()
}

/// The id of a record: of the signs that one may be given (`fields::check_id`), and any that a key is made of
/// (`fields::is_key`).
pub(crate) fn record_id() -> Arbitrary<String> {
    let given = "[A-Za-z0-9._~!$&'()*+,;=:@-]{1,8}";
    prop_oneof![given, filled(), Just("~".repeat(256)), Just("|".repeat(256)), Just("𝄞".repeat(64))].boxed()
}

/// The id of a workflow.
pub(crate) fn workflow_id() -> Arbitrary<String> {
    prop_oneof!["[a-z0-9-]{1,8}", "[a-z0-9-]{64}"].boxed()
}

/// The id of an object.
pub(crate) fn object_id() -> Arbitrary<String> {
    prop_oneof!["[a-z0-9_]{1,8}", "[a-z0-9_]{64}"].boxed()
}

/// The name of a field.
pub(crate) fn field_name() -> Arbitrary<String> {
    "[a-z_][a-z0-9_]{0,8}".boxed()
}

/// The id of a trigger or a step.
pub(crate) fn part_id() -> Arbitrary<String> {
    prop_oneof!["[A-Za-z_][A-Za-z0-9_-]{0,8}", "[A-Za-z_][A-Za-z0-9_-]{63}"].boxed()
}

/// The id of an execution, an event or a rejection: a prefix and a digest.
pub(crate) fn derived_id(prefix: &'static str) -> Arbitrary<String> {
    "[0-9a-f]{32}".prop_map(move |digest| format!("{prefix}_{digest}")).boxed()
}

/// Times of the years 0 to 9999 with fractions of a second. No clock shows others.
pub(crate) fn time() -> Arbitrary<Timestamp> {
    let first = "0000-01-01T00:00:00Z".parse::<Timestamp>().expect("it is a time").as_second();
    let at = |(second, nanosecond)| Timestamp::new(second, nanosecond).expect("it is in the range");
    let fraction = || prop_oneof![Just(0), Just(1), Just(999), Just(999_999_999), 0..1_000_000_000];
    let edges = select(vec![first, -1, 0, Timestamp::MAX.as_second() - 1]);
    let now = 1_700_000_000_i64..1_800_000_000;
    prop_oneof![(edges, fraction()), (now, fraction()), (first..Timestamp::MAX.as_second(), fraction())]
        .prop_map(at)
        .boxed()
}

fn number() -> Arbitrary<Number> {
    let doubles = select(vec![-0.0, 0.1, 1.0, 5e-324, 9_007_199_254_740_993.0, 18_446_744_073_709_551_616.0, f64::MAX]);
    let doubles = prop_oneof![doubles, any::<f64>()].prop_filter_map("not finite", Number::from_f64);
    let whole = select(vec![i64::MIN, -1, 0, (1 << 53) + 1, i64::MAX]);
    let whole = prop_oneof![whole, any::<i64>()].prop_map(Number::from);
    prop_oneof![doubles, whole, any::<u64>().prop_map(Number::from)].boxed()
}

/// Any JSON.
pub(crate) fn value() -> Arbitrary<Value> {
    let simple = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::Number),
        text().prop_map(Value::from),
    ];
    let nested = simple.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::from), map_of(inner).prop_map(Value::Object)]
    });
    nested.boxed()
}

fn map_of(values: impl Strategy<Value = Value> + 'static) -> Arbitrary<Map<String, Value>> {
    btree_map(text(), values, 0..3).prop_map(|entries| entries.into_iter().collect()).boxed()
}

/// Any values by name.
pub(crate) fn map() -> Arbitrary<Map<String, Value>> {
    map_of(value())
}

/// Who did something, and why.
pub(crate) fn act() -> Arbitrary<Act> {
    let actor = prop_oneof![filled(), Just("|".repeat(255))];
    let id = of(derived_id("ctl"));
    (actor, of(text()), time(), id).prop_map(|(actor, reason, at, id)| Act { actor, reason, at, id }).boxed()
}

/// A record's name.
pub(crate) fn subject() -> Arbitrary<Subject> {
    (object_id(), record_id()).prop_map(|(object, id)| Subject { object, id }).boxed()
}

/// What led to something.
pub(crate) fn cause() -> Arbitrary<Cause> {
    let link = (workflow_id(), derived_id("exe"), of(subject())).prop_map(|(workflow, execution, record)| Link {
        workflow,
        execution,
        record,
    });
    vec(link, 0..3).prop_map(|chain| Cause { chain }).boxed()
}

/// A record, with any values in its fields.
pub(crate) fn record() -> Arbitrary<Record> {
    let fields = btree_map(field_name(), value(), 0..4).prop_map(|fields| fields.into_iter().collect());
    (subject(), 1_u64.., fields, (time(), time(), of(time())), of(time()), of(cause()))
        .prop_map(|(subject, version, fields, (created_at, updated_at, forgotten), archived_at, cause)| {
            let Subject { object, id } = subject;
            Record { object, id, version, fields, created_at, updated_at, archived_at, forgotten, cause }
        })
        .boxed()
}

fn begins_by() -> Arbitrary<(Option<RegionStart>, Option<ForkStart>)> {
    (of(execution::region_start()), of(fork::fork_start())).boxed()
}

/// Something that happened.
pub(crate) fn event() -> Arbitrary<Event> {
    let kinds = select(vec![
        EventType::Manual,
        EventType::Webhook,
        EventType::RecordCreated,
        EventType::FieldUpdated,
        EventType::StateMachineEnded,
        EventType::CalledBack,
        EventType::SignalSent,
    ]);
    let creation = of(map().prop_map(|fields| Creation { fields }));
    let about = (of(workflow_id()), of(part_id()), of(subject()), creation);
    (derived_id("evt"), kinds, about, time(), map(), (cause(), of(execution::parent()), begins_by(), any::<bool>()))
        .prop_map(
            |(
                id,
                kind,
                (workflow, trigger, subject, creation),
                occurred_at,
                data,
                (cause, parent, (region, fork), debug),
            )| {
                Event {
                    id,
                    kind,
                    workflow,
                    trigger,
                    subject,
                    occurred_at,
                    data,
                    creation,
                    cause,
                    parent,
                    region: region.map(Box::new),
                    fork: fork.map(Box::new),
                    debug,
                }
            },
        )
        .boxed()
}
