//! Lanes whose messages are lost.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::{Control, Status};
use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{completed, manual, scenario};

use super::{NAP, forks, lane, sets, whole};

#[test]
fn a_cancel_that_nobody_was_told_of_is_seen_before_the_next_step() {
    let after_nap = format!("{NAP}, {}", sets("a", "1"));
    let story = scenario().workflow(&forks("", &[("a", &after_nap)])).event(manual("w")).settle();
    let world = story.world();
    world.control(&whole(world).id, &Control::Cancel).expect("it is open");
    world.store.lose_messages(QueueName::Jobs);
    let story = story.run_until_idle();
    let world = story.world();
    world.clock.advance(SignedDuration::from_hours(3));
    world.system.sweeper.sweep(None).now_or_never().expect("memory answers at once").expect("it sweeps");
    let story = story.run_until_idle();
    let canceled = lane(story.world(), "a");
    assert_eq!((canceled.status, canceled.steps_done), (Status::Canceled, 0));
}

#[test]
fn news_of_an_end_that_come_twice_join_once() {
    let story = scenario().workflow(&forks("", &[("a", NAP)])).event(manual("w")).settle();
    let world = story.world();
    let napping = lane(world, "a");
    world.clock.advance_to(napping.due_at().expect("it naps"));
    let handle = |body: &str| {
        let handled = world.system.handle(QueueName::Jobs, body, None);
        handled.now_or_never().expect("memory answers at once").expect("it is handled");
    };
    handle(&serde_json::to_string(&pawl_runtime::Job::of(&napping)).expect("a job is JSON"));
    assert_eq!(lane(world, "a").status, Status::Completed);
    let news = world.store.messages(QueueName::Jobs).into_iter().find(|message| message.body.contains("child_ended"));
    let news = news.expect("the whole is told").body;
    for _ in 0..2 {
        handle(&news);
    }
    let rows = world.trace(&whole(world).id).rows;
    let of_fork = rows.iter().filter(|row| row.step.as_deref() == Some("fork")).count();
    assert_eq!(of_fork, 2, "it waits, and it joins: looks are no history");
    story.run_until_idle().expect(completed().path(["fork", "after"]));
}
