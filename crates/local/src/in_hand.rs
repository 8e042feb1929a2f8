//! The messages that workers have in hand, as far as a later process must know: a message in which process after process
//! dies is put aside.
//!
//! A process cannot write down that it dies. So a worker writes down each message before it handles it, in a slot of a
//! file, and clears the slot after: two writes of 16 bytes without a sync, about a microsecond together. The death of a
//! process loses nothing of them. A loss of power may count as a death of those in hand, or as none.
//!
//! Messages that were in hand together died together, and only one of them is to blame. They are handled in groups that
//! become smaller with each death, at the end one by one: then those that are not to blame come to their end.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pawl_runtime::ports::QueueName;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::store::private;

/// Counted deaths in a row at which a message is put aside.
const DEATHS_MOST: u32 = 5;

/// How many messages are handled at once that were in hand at one death; at two, an eighth of them, and then one.
const APART: u32 = 64;

/// Bytes of a slot: the key of the message, the deaths before, and whether it is in hand.
const SLOT: usize = 16;

/// The messages in hand.
pub(super) struct InHand {
    path: PathBuf,
    /// `None` if the file cannot be written.
    record: Option<Record>,
}

/// Where they are written down.
struct Record {
    file: File,
    slots: Mutex<Slots>,
    apart: Semaphore,
}

#[derive(Default)]
struct Slots {
    /// Messages that were in hand at a death: at how many in a row, and the slot that says so.
    suspects: HashMap<u64, (u32, u64)>,
    free: Vec<u64>,
    count: u64,
}

/// What becomes of a message.
pub(super) enum Taken<'a> {
    /// It is in hand until the handle is dropped; there is none if nothing can be written down.
    InHand(Option<Handle<'a>>),
    /// It was in hand at so many deaths in a row, and is put aside.
    Dead(u32),
}

/// A message in hand. The process outlived it once this is dropped, also by a panic.
pub(super) struct Handle<'a> {
    record: &'a Record,
    key: u64,
    slot: u64,
    /// Keeps others of its kind waiting.
    _apart: Option<SemaphorePermit<'a>>,
}

impl InHand {
    /// Reads what a process left that died, and begins anew. If the file cannot be written nothing is written down, and
    /// the log says so.
    pub(super) fn open(directory: &Path) -> Self {
        let path = directory.join("in-hand");
        let left = match std::fs::read(&path) {
            // The process before ended well, or there was none.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            left => left,
        };
        let opened = left.and_then(|left| Record::after(&path, &left));
        let record = opened.inspect_err(|error| {
            tracing::warn!("messages in hand cannot be written to {}: {error}", path.display());
        });
        Self { path, record: record.ok() }
    }

    /// Takes a message in hand. One that was in hand at a death waits until few others of its kind are.
    pub(super) async fn take(&self, queue: QueueName, body: &str) -> Taken<'_> {
        match &self.record {
            Some(record) => record.take(key(queue, body)).await,
            None => Taken::InHand(None),
        }
    }

    /// A message was put aside: if it is sent again, it begins anew.
    pub(super) fn forget(&self, queue: QueueName, body: &str) {
        if let Some(record) = &self.record {
            record.clear_suspect(&mut record.slots(), key(queue, body));
        }
    }

    /// The process ends well: the next one counts no death.
    pub(super) fn close(&self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!("{} is not removed: {error}", self.path.display());
        }
    }
}

impl Record {
    /// Writes the suspects anew, none of them in hand. The file is whole at any time.
    fn after(path: &Path, left: &[u8]) -> std::io::Result<Self> {
        let slots = Slots::read(left);
        let fresh = path.with_extension("new");
        let mut content = vec![0; slots.suspects.len() * SLOT];
        for (slot, (key, deaths)) in content.chunks_exact_mut(SLOT).zip(slots.in_order()) {
            slot.copy_from_slice(&written(key, deaths, false));
        }
        let file = private().truncate(true).open(&fresh)?;
        file.write_all_at(&content, 0)?;
        std::fs::rename(&fresh, path)?;
        Ok(Self { file, slots: Mutex::new(slots), apart: Semaphore::new(APART as usize) })
    }

    async fn take(&self, key: u64) -> Taken<'_> {
        let deaths = self.slots().suspects.get(&key).map_or(0, |(deaths, _)| *deaths);
        let share = match deaths {
            0 => 0,
            1 => 1,
            2 => APART / 8,
            DEATHS_MOST.. => return Taken::Dead(deaths),
            _ => APART,
        };
        let apart = match share {
            0 => None,
            share => Some(self.apart.acquire_many(share).await.expect("the semaphore is never closed")),
        };
        let slot = self.slots().fresh();
        self.write(slot, written(key, deaths, true));
        Taken::InHand(Some(Handle { record: self, key, slot, _apart: apart }))
    }

    /// The process outlived the message: nothing is left of it.
    fn release(&self, key: u64, slot: u64) {
        let mut slots = self.slots();
        self.clear(&mut slots, slot);
        self.clear_suspect(&mut slots, key);
    }

    fn clear_suspect(&self, slots: &mut Slots, key: u64) {
        if let Some((_, slot)) = slots.suspects.remove(&key) {
            self.clear(slots, slot);
        }
    }

    fn clear(&self, slots: &mut Slots, slot: u64) {
        self.write(slot, [0; SLOT]);
        slots.free.push(slot);
    }

    fn write(&self, slot: u64, content: [u8; SLOT]) {
        if let Err(error) = self.file.write_all_at(&content, slot * SLOT as u64) {
            tracing::warn!("messages in hand cannot be written down: {error}");
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Reads a file; numbers the suspects anew.
    fn read(left: &[u8]) -> Self {
        let mut slots = Self::default();
        for slot in left.chunks_exact(SLOT) {
            let key = u64::from_le_bytes(slot[..8].try_into().expect("a slot has 16 bytes"));
            let before = u32::from_le_bytes(slot[8..12].try_into().expect("a slot has 16 bytes"));
            let deaths = before.saturating_add(u32::from(slot[12] != 0));
            if key != 0 && deaths > 0 {
                let number = slots.suspects.len() as u64;
                let known = slots.suspects.entry(key).or_insert((0, number));
                known.0 = known.0.max(deaths);
            }
        }
        slots.count = slots.suspects.len() as u64;
        slots
    }

    /// Keys and deaths in the order of their slots.
    fn in_order(&self) -> impl Iterator<Item = (u64, u32)> {
        let mut suspects: Vec<_> = self.suspects.iter().map(|(key, (deaths, slot))| (*slot, *key, *deaths)).collect();
        suspects.sort_unstable();
        suspects.into_iter().map(|(_, key, deaths)| (key, deaths))
    }

    fn fresh(&mut self) -> u64 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        self.record.release(self.key, self.slot);
    }
}

/// A slot as it stands in the file.
fn written(key: u64, deaths: u32, in_hand: bool) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(&key.to_le_bytes());
    slot[8..12].copy_from_slice(&deaths.to_le_bytes());
    slot[12] = u8::from(in_hand);
    slot
}

/// What a message is known by: the same job or event sent anew is the same. Never 0.
fn key(queue: QueueName, body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (queue, body).hash(&mut hasher);
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const QUEUE: QueueName = QueueName::Jobs;

    fn take<'a>(in_hand: &'a InHand, body: &str) -> Option<Taken<'a>> {
        in_hand.take(QUEUE, body).now_or_never()
    }

    /// The process dies here: nothing that is in hand is released.
    fn die(in_hand: Vec<Taken<'_>>) {
        std::mem::forget(in_hand);
    }

    /// A process that takes messages in hand as many at once as find room, one of which kills it. Returns those that it
    /// put aside; the others are left.
    fn live(directory: &Path, mut bodies: Vec<String>, killer: &str) -> (Vec<String>, Vec<String>) {
        let in_hand = InHand::open(directory);
        let mut aside = Vec::new();
        while !bodies.is_empty() {
            let (mut group, mut handles, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
            for body in bodies.drain(..) {
                match take(&in_hand, &body) {
                    Some(Taken::Dead(_)) => {
                        in_hand.forget(QUEUE, &body);
                        aside.push(body);
                    }
                    Some(taken) => {
                        handles.push(taken);
                        group.push(body);
                    }
                    None => waiting.push(body),
                }
            }
            if group.iter().any(|body| body == killer) {
                die(handles);
                group.extend(waiting);
                return (aside, group);
            }
            bodies = waiting;
        }
        in_hand.close();
        (aside, bodies)
    }

    #[test]
    fn a_message_in_which_process_after_process_dies_is_put_aside() {
        let directory = tempfile::tempdir().expect("a folder");
        let bad = vec!["bad".to_owned()];
        for _ in 0..DEATHS_MOST {
            assert_eq!(live(directory.path(), bad.clone(), "bad"), (vec![], bad.clone()));
        }
        assert_eq!(live(directory.path(), bad.clone(), "bad"), (bad, vec![]));
    }

    /// Others that were in hand with it are not put aside for its sake.
    #[test]
    fn those_that_die_with_another_come_to_their_end() {
        for at in [0, 100, 255] {
            let directory = tempfile::tempdir().expect("a folder");
            let mut bodies: Vec<_> = (0..256).map(|n| format!("good {n}")).collect();
            bodies[at] = "bad".to_owned();
            for _ in 0..DEATHS_MOST {
                let (aside, left) = live(directory.path(), bodies, "bad");
                assert_eq!(aside, Vec::<String>::new());
                bodies = left;
            }
            assert_eq!(live(directory.path(), bodies, "bad"), (vec!["bad".to_owned()], vec![]));
        }
    }

    /// Processes are killed from outside while messages come and go: only one that was in hand each time is put aside.
    #[test]
    fn a_message_that_a_process_outlived_counts_no_death() {
        let directory = tempfile::tempdir().expect("a folder");
        for n in 0..20 {
            let in_hand = InHand::open(directory.path());
            for body in ["slow", "other"] {
                let taken = take(&in_hand, body).expect("there is room");
                assert!(matches!(taken, Taken::InHand(_)), "{body} is put aside");
                // One of them comes to its end in every third process.
                if n % 3 == 0 { drop(taken) } else { die(vec![taken]) }
            }
        }
    }

    #[test]
    fn two_deliveries_of_one_message_have_slots_of_their_own() {
        let directory = tempfile::tempdir().expect("a folder");
        die(take(&InHand::open(directory.path()), "twice").into_iter().collect());
        let in_hand = InHand::open(directory.path());
        let (one, two) = (take(&in_hand, "twice"), take(&in_hand, "twice"));
        drop(one);
        let other = take(&in_hand, "other");
        die([two, other].into_iter().flatten().collect());
        let slots = Slots::read(&std::fs::read(directory.path().join("in-hand")).expect("it is there"));
        let deaths: Vec<_> =
            ["twice", "other"].map(|body| slots.suspects.get(&key(QUEUE, body)).map(|(n, _)| *n)).into();
        assert_eq!(deaths, [Some(2), Some(1)]);
    }

    /// The first death after a process that ended well counted for nothing, so that five took six.
    #[test]
    fn bug_the_first_death_in_a_row_was_not_counted() {
        let directory = tempfile::tempdir().expect("a folder");
        for _ in 0..2 {
            let in_hand = InHand::open(directory.path());
            drop(take(&in_hand, "job"));
            in_hand.close();
            assert!(!directory.path().join("in-hand").exists(), "a process that ends well leaves nothing");
        }
        die(take(&InHand::open(directory.path()), "job").into_iter().collect());
        let record = InHand::open(directory.path()).record.expect("the file can be written");
        assert_eq!(record.slots().suspects.get(&key(QUEUE, "job")).map(|(deaths, _)| *deaths), Some(1));
    }

    /// What is handled leaves its slot to the next: the file is as long as the most that were in hand at once.
    #[test]
    fn the_file_does_not_grow_with_what_is_handled() {
        let directory = tempfile::tempdir().expect("a folder");
        let in_hand = InHand::open(directory.path());
        for number in 0..1_000 {
            let (one, two) = (take(&in_hand, &format!("{number}")), take(&in_hand, "other"));
            drop((one, two));
        }
        let left = std::fs::read(directory.path().join("in-hand")).expect("it is there");
        assert_eq!(left, [0; 2 * SLOT]);
    }

    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a folder");
        for _ in ["after one that ended well", "after one that died"] {
            let _ = InHand::open(directory.path());
            let file = std::fs::metadata(directory.path().join("in-hand")).expect("it is there");
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_was_cut_off_is_read_as_far_as_it_goes() {
        let directory = tempfile::tempdir().expect("a folder");
        let mut content = written(7, 4, true).to_vec();
        content.extend([1; 5]);
        std::fs::write(directory.path().join("in-hand"), content).expect("it can be written");
        let in_hand = InHand::open(directory.path());
        let record = in_hand.record.as_ref().expect("a process died");
        assert!(matches!(record.take(7).now_or_never(), Some(Taken::Dead(5))));
    }
}
