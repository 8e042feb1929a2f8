//! One queue in memory, fair between groups of messages, which are workflows.
//!
//! - Groups take turns: a receiver gets one message of each group that has some, then the next of each.
//! - A group takes a place of the workers only while it holds fewer than are free. So one group alone holds half of
//!   them, a second one half of the rest, and those that come later still find places (the "dynamic threshold" of
//!   Choudhury and Hahne, 1998).
//! - A group fills only a part of the memory in the same way; what does not fit waits on disk, group by group.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use pawl_runtime::ports::QueueName;

use super::request::GivenBack;

/// Most messages of a queue that are ready in memory, as far as each group has one.
const CAPACITY: usize = 10_000;

/// So many groups that have nothing to do are remembered, so that one message at a time makes and drops none.
const REMEMBERED: usize = 256;

/// A message that is ready.
pub(super) struct Letter {
    pub(super) id: i64,
    pub(super) body: String,
    /// How often it was received so far.
    pub(super) attempt: u32,
    /// How often it was put off.
    pub(super) put_off: u32,
    pub(super) sent_at: i64,
}

/// A message that was received.
struct Lease {
    attempt: u32,
    until: i64,
    slot: usize,
    bytes: usize,
}

/// The messages of one workflow.
struct Group {
    name: Arc<str>,
    ready: VecDeque<Letter>,
    /// Messages that receivers hold.
    leased: usize,
    /// It has a turn in the ring: that is so while messages are ready.
    in_ring: bool,
    /// Others of its messages wait on disk for room.
    on_disk: bool,
    /// The writer was asked for those.
    asked: bool,
}

/// What a receiver wants.
pub(super) struct Wanted {
    pub(super) max: usize,
    /// Places of the workers in all; none if groups need not share them.
    pub(super) places: Option<usize>,
    pub(super) now: i64,
    pub(super) until: i64,
}

/// What a receiver got.
pub(super) struct Taken {
    /// Now leased; the attempt counts this time.
    pub(super) letters: Vec<Letter>,
    /// Whose lease ended; they go back through the writer.
    pub(super) given_back: Vec<GivenBack>,
    /// Bytes of those.
    pub(super) bytes_given_back: usize,
    /// Whether the writer should move messages from disk.
    pub(super) wants_more: bool,
    /// Whether another receiver would get something now.
    pub(super) has_more: bool,
    /// When the next lease ends.
    pub(super) next_end: Option<i64>,
}

/// One queue.
#[derive(Default)]
pub(super) struct Lane {
    index: HashMap<Arc<str>, usize>,
    slots: Vec<Group>,
    free: Vec<usize>,
    ring: VecDeque<usize>,
    ready: usize,
    leases: HashMap<i64, Lease>,
    ends: BTreeSet<(i64, i64)>,
    /// Groups whose messages on disk have room now.
    wanting: Vec<Arc<str>>,
    /// Messages are ready that have no place: the end of a lease may make one.
    is_blocked: bool,
}

impl Lane {
    /// Makes a message ready.
    pub(super) fn offer(&mut self, group: &str, letter: Letter) {
        let slot = self.slot(group);
        self.ready += 1;
        let group = &mut self.slots[slot];
        group.ready.push_back(letter);
        if !std::mem::replace(&mut group.in_ring, true) {
            self.ring.push_back(slot);
        }
    }

    /// How many more messages of a group may become ready; at least one if none is.
    pub(super) fn room(&self, group: &str) -> usize {
        let most = CAPACITY.saturating_sub(self.ready).max(1);
        self.index.get(group).map_or(most, |slot| most.saturating_sub(self.slots[*slot].ready.len()))
    }

    /// Whether messages of a group wait on disk.
    pub(super) fn is_on_disk(&self, group: &str) -> bool {
        self.index.get(group).is_some_and(|slot| self.slots[*slot].on_disk)
    }

    /// Notes whether messages of a group wait on disk, and that the writer has looked for them.
    pub(super) fn set_on_disk(&mut self, group: &str, on_disk: bool) {
        let slot = self.slot(group);
        self.slots[slot].on_disk = on_disk;
        self.slots[slot].asked = false;
        self.retire(slot);
    }

    /// Notes that messages of a group wait on disk and have room.
    pub(super) fn ask(&mut self, group: &str) {
        let slot = self.slot(group);
        let group = &mut self.slots[slot];
        (group.on_disk, group.asked) = (true, true);
        self.wanting.push(group.name.clone());
    }

    /// The groups whose messages on disk have room now; the writer answers by [`Self::set_on_disk`].
    pub(super) fn wanting(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.wanting)
    }

    /// Takes messages, one of each group in turn.
    pub(super) fn take(&mut self, queue: QueueName, wanted: &Wanted) -> Taken {
        let (given_back, bytes_given_back) = self.end_leases(queue, wanted.now);
        let mut letters = Vec::new();
        let mut passed_over = 0;
        while letters.len() < wanted.max && passed_over < self.ring.len() {
            let slot = self.ring.pop_front().expect("the ring is longer than what was passed over");
            if self.is_over_its_share(slot, wanted.places) {
                self.ring.push_back(slot);
                passed_over += 1;
                continue;
            }
            passed_over = 0;
            letters.push(self.lease_next(slot, wanted.until));
        }
        self.is_blocked = passed_over > 0;
        Taken {
            has_more: passed_over < self.ring.len(),
            letters,
            given_back,
            bytes_given_back,
            wants_more: !self.wanting.is_empty(),
            next_end: self.ends.first().map(|(end, _)| *end),
        }
    }

    /// Ends a lease; `None` if it had ended, or the message was received again since. Says how long the message was.
    pub(super) fn release(&mut self, id: i64, attempt: u32) -> Option<usize> {
        let lease = self.leases.get(&id).filter(|lease| lease.attempt == attempt)?;
        self.ends.remove(&(lease.until, id));
        self.leases.remove(&id).map(|lease| {
            self.slots[lease.slot].leased -= 1;
            self.retire(lease.slot);
            lease.bytes
        })
    }

    /// Whether a receiver waits for a place; asked once.
    pub(super) fn unblock(&mut self) -> bool {
        std::mem::take(&mut self.is_blocked)
    }

    fn is_over_its_share(&self, slot: usize, places: Option<usize>) -> bool {
        let Some(places) = places else { return false };
        let free = places.saturating_sub(self.leases.len());
        self.slots[slot].leased >= free
    }

    /// Leases the next message of a group that has the turn, and gives it the turn after all others.
    fn lease_next(&mut self, slot: usize, until: i64) -> Letter {
        self.ready -= 1;
        let most = CAPACITY.saturating_sub(self.ready);
        let group = &mut self.slots[slot];
        let mut letter = group.ready.pop_front().expect("a group in the ring has messages");
        letter.attempt += 1;
        group.leased += 1;
        group.in_ring = !group.ready.is_empty();
        if group.in_ring {
            self.ring.push_back(slot);
        }
        if group.on_disk && !group.asked && group.ready.len() * 2 <= most {
            group.asked = true;
            self.wanting.push(group.name.clone());
        }
        self.leases.insert(letter.id, Lease { attempt: letter.attempt, until, slot, bytes: letter.body.len() });
        self.ends.insert((until, letter.id));
        letter
    }

    fn end_leases(&mut self, queue: QueueName, now: i64) -> (Vec<GivenBack>, usize) {
        let (mut ended, mut bytes) = (Vec::new(), 0);
        while let Some((end, id)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.ends.remove(&(end, id));
            let lease = self.leases.remove(&id).expect("every end belongs to a lease");
            self.slots[lease.slot].leased -= 1;
            self.retire(lease.slot);
            bytes += lease.bytes;
            ended.push(GivenBack { queue, id, attempt: lease.attempt, put_off: false, due: now });
        }
        (ended, bytes)
    }

    fn slot(&mut self, group: &str) -> usize {
        if let Some(slot) = self.index.get(group) {
            return *slot;
        }
        let name: Arc<str> = group.into();
        let ready = VecDeque::new();
        let new = Group { name: name.clone(), ready, leased: 0, in_ring: false, on_disk: false, asked: false };
        let slot = self.free.pop().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(new);
        } else {
            self.slots[slot] = new;
        }
        self.index.insert(name, slot);
        slot
    }

    /// Forgets a group that has nothing to do, once many are known.
    fn retire(&mut self, slot: usize) {
        let group = &self.slots[slot];
        let is_idle = group.leased == 0 && !group.in_ring && !group.on_disk;
        if is_idle && self.index.len() > REMEMBERED && self.index.remove(&group.name).is_some() {
            self.free.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lane: &mut Lane, group: &str, ids: std::ops::Range<i64>) {
        for id in ids {
            lane.offer(group, Letter { id, body: group.to_owned(), attempt: 0, put_off: 0, sent_at: 0 });
        }
    }

    fn take(lane: &mut Lane, max: usize, places: Option<usize>) -> Vec<String> {
        let taken = lane.take(QueueName::Jobs, &Wanted { max, places, now: 0, until: 10 });
        taken.letters.into_iter().map(|letter| letter.body).collect()
    }

    #[test]
    fn groups_take_turns_however_much_one_of_them_sent() {
        let mut lane = Lane::default();
        offer(&mut lane, "flood", 0..1_000);
        offer(&mut lane, "other", 1_000..1_002);
        assert_eq!(take(&mut lane, 6, None), ["flood", "other", "flood", "other", "flood", "flood"]);
    }

    #[test]
    fn one_group_leaves_places_to_those_that_come_later() {
        let mut lane = Lane::default();
        offer(&mut lane, "hanging", 0..1_000);
        assert_eq!(take(&mut lane, 256, Some(256)).len(), 128);
        assert!(take(&mut lane, 128, Some(256)).is_empty(), "it has its share");
        for number in 0..100 {
            let name = format!("later-{number}");
            offer(&mut lane, &name, 1_000 + number..1_001 + number);
            assert_eq!(take(&mut lane, 64, Some(256)), [name], "it finds a place");
        }
    }

    #[test]
    fn a_place_that_is_given_back_is_taken_again() {
        let mut lane = Lane::default();
        offer(&mut lane, "a", 0..10);
        assert_eq!(take(&mut lane, 4, Some(4)).len(), 2);
        assert!(take(&mut lane, 1, Some(4)).is_empty());
        assert!(lane.release(0, 1).is_some() && lane.unblock(), "who waits for a place is told");
        assert_eq!(take(&mut lane, 1, Some(4)).len(), 1);
        assert_eq!(lane.release(0, 1), None, "a lease ends once");
    }

    #[test]
    fn a_group_alone_fills_half_of_the_memory_and_a_late_one_has_room() {
        let mut lane = Lane::default();
        let mut id = 0;
        while lane.room("flood") > 0 {
            offer(&mut lane, "flood", id..id + 1);
            id += 1;
        }
        assert_eq!(lane.ready, CAPACITY / 2);
        assert!(lane.room("late") > 1_000);
    }

    #[test]
    fn what_waits_on_disk_is_asked_for_once_there_is_room() {
        let mut lane = Lane::default();
        offer(&mut lane, "a", 0..2);
        lane.set_on_disk("a", true);
        assert!(lane.is_on_disk("a"));
        assert!(lane.take(QueueName::Jobs, &Wanted { max: 1, places: None, now: 0, until: 10 }).wants_more);
        assert_eq!(lane.wanting().iter().map(|name| &**name).collect::<Vec<_>>(), ["a"]);
        assert!(!lane.take(QueueName::Jobs, &Wanted { max: 1, places: None, now: 0, until: 10 }).wants_more);
        lane.set_on_disk("a", false);
        assert!(!lane.is_on_disk("a"));
    }

    #[test]
    fn groups_that_have_nothing_to_do_are_forgotten() {
        let mut lane = Lane::default();
        for number in 0..10_000 {
            offer(&mut lane, &format!("group-{number}"), number..number + 1);
            take(&mut lane, 1, None);
            lane.release(number, 1);
        }
        assert!(lane.slots.len() <= REMEMBERED + 2 && lane.index.len() <= REMEMBERED + 1);
    }
}
