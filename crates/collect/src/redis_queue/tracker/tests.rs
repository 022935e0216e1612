use super::*;

fn member(id: &str) -> Member {
    Member {
        identity: id.to_owned(),
        facts: None,
        score: None,
        since: None,
        created_at: None,
        held: None,
        payload: None,
    }
}

/// Readings written as `pending a b; processing c`; a `+9` after the ids is a rest that was not read.
fn readings(text: &str) -> Readings {
    let state = |name: &str| *QueueState::ALL.iter().find(|state| state.as_str() == name).unwrap();
    text.split("; ")
        .map(|part| {
            let mut words = part.split(' ');
            let state = state(words.next().unwrap());
            let (rest, ids): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with('+'));
            let unread: u64 = rest.iter().map(|rest| rest[1..].parse::<u64>().unwrap()).sum();
            let members: Vec<Member> = ids.into_iter().map(member).collect();
            let depth = members.len() as u64 + unread;
            (state, Reading { depth, members, whole: unread == 0 })
        })
        .collect()
}

/// Plays passes, each with the results that are found in it, and gives the totals.
fn play(has_results: bool, passes: &[(&str, &[(&str, End)])]) -> [u64; 3] {
    let mut tracker = Tracker::new(has_results);
    for (seconds, (text, results)) in passes.iter().enumerate() {
        let readings = readings(text);
        let now = Timestamp::from_millis(seconds as i64 * 15_000);
        let gone = tracker.observe(&readings, now);
        assert!(gone.iter().all(|(identity, id)| identity == id));
        let ids = results.iter().map(|(id, _)| (*id).to_owned()).collect();
        assert_eq!(tracker.not_present(ids).len(), results.len(), "what is there has not ended");
        for (id, end) in *results {
            tracker.ended(id, *end, &readings);
        }
        tracker.finish(&readings);
    }
    let totals = tracker.totals;
    [totals.enqueued, totals.completed, totals.failed]
}

const DONE: End = End::Completed;
const BAD: End = End::Failed;

#[test]
fn with_results_ends_are_counted_when_the_result_is_there() {
    type Case = (&'static str, &'static [(&'static str, &'static [(&'static str, End)])], [u64; 3]);
    let cases: &[Case] = &[
        ("what is there at the start has not arrived", &[("pending a b", &[])], [0, 0, 0]),
        ("an arrival", &[("pending", &[]), ("pending a", &[])], [1, 0, 0]),
        ("an end", &[("pending a", &[]), ("pending", &[("a", DONE)])], [0, 1, 0]),
        ("a failure", &[("pending a", &[]), ("pending", &[("a", BAD)])], [0, 0, 1]),
        (
            "a result that comes late",
            &[("processing a", &[]), ("processing", &[]), ("processing", &[("a", DONE)])],
            [0, 1, 0],
        ),
        (
            "gone without a result",
            &[("processing a", &[]), ("processing", &[]), ("processing", &[])],
            [0, 0, 0],
        ),
        ("gone and back again", &[("pending a", &[]), ("pending", &[]), ("pending a", &[])], [0, 0, 0]),
        ("never seen", &[("pending", &[]), ("pending", &[("a", DONE)])], [1, 1, 0]),
        (
            "the same id once more",
            &[("pending a", &[]), ("pending", &[("a", DONE)]), ("pending a", &[])],
            [1, 1, 0],
        ),
    ];
    for (what, passes, totals) in cases {
        assert_eq!(play(true, passes), *totals, "{what}");
    }
}

#[test]
fn of_a_queue_read_in_part_arrivals_follow_from_the_depth() {
    // Ten are there; two end and five arrive, none of which is among those read.
    let passes: &[(&str, &[(&str, End)])] =
        &[("pending a b +8", &[]), ("pending a b +11", &[("x", DONE), ("y", BAD)])];
    assert_eq!(play(true, passes), [5, 1, 1]);
    // Without results and processing the depth is all there is.
    let passes: &[(&str, &[(&str, End)])] =
        &[("pending a +9", &[]), ("pending a +4", &[]), ("pending a +6", &[])];
    assert_eq!(play(false, passes), [2, 5, 0]);
    // What was counted by the depth is not counted again when the queue can be read whole.
    let passes: &[(&str, &[(&str, End)])] =
        &[("pending a b +9", &[]), ("pending b +6", &[]), ("pending x y", &[]), ("pending x y", &[])];
    assert_eq!(play(false, passes), [0, 9, 0]);
}

#[test]
fn a_task_met_in_two_keys_is_in_the_later_state() {
    let mut tracker = Tracker::new(true);
    let readings = readings("pending a; processing a");
    tracker.observe(&readings, Timestamp::from_millis(0));
    tracker.finish(&readings);
    let snapshot = tracker.snapshot("q", &readings, Timestamp::from_millis(0));
    let states: Vec<QueueState> = snapshot.tasks.iter().map(|task| task.state).collect();
    assert_eq!(states, [QueueState::Processing]);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut tracker = Tracker::new(true);
    for pass in 0..30 {
        let ids: Vec<String> = (0..1_000).map(|id| format!("{pass}-{id}")).collect();
        let readings = readings(&format!("pending {} +9", ids.join(" ")));
        tracker.observe(&readings, Timestamp::from_millis(pass));
        tracker.finish(&readings);
        assert!(tracker.tasks.len() <= MAX_TASKS);
    }
    assert!(tracker.take_forgotten() > 0);
    assert!(tracker.tasks.contains_key("29-0") && !tracker.tasks.contains_key("0-0"));
}

#[test]
fn at_most_so_many_tasks_are_listed_for_each_state() {
    let mut tracker = Tracker::new(true);
    let ids: Vec<String> = (0..500).map(|id| id.to_string()).collect();
    let readings = readings(&format!("pending {}; processing x", ids.join(" ")));
    tracker.observe(&readings, Timestamp::from_millis(0));
    tracker.finish(&readings);
    let snapshot = tracker.snapshot("q", &readings, Timestamp::from_millis(0));
    assert_eq!(snapshot.tasks.len(), MAX_LISTED + 1);
    assert_eq!(snapshot.depth[&QueueState::Pending], 500);
}
