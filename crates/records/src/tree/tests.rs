use proptest::prelude::*;

use super::*;

/// A span by its id, its parent, and when it began and ended.
fn piece(id: &str, parent: &str, start: i64, end: i64) -> Piece {
    let parent = (!parent.is_empty()).then(|| parent.to_owned());
    let duration = u64::try_from(end - start).expect("it ends after it began");
    Piece { id: id.to_owned(), parent, start, duration, clock: "a".to_owned(), kind: SpanKind::Internal }
}

/// The same of who takes a message, by a clock of its own.
fn taken(id: &str, parent: &str, start: i64, end: i64) -> Piece {
    Piece { clock: id.to_owned(), kind: SpanKind::Consumer, ..piece(id, parent, start, end) }
}

/// The path: how long each span was waited for, and how long before it began.
fn path(pieces: &[Piece]) -> Vec<(u64, u64)> {
    of(pieces, |node| (node.critical, node.waiting))
}

fn of<T>(pieces: &[Piece], what: impl Fn(&Node) -> T) -> Vec<T> {
    analyse(pieces).iter().map(what).collect()
}

#[test]
fn a_tree_has_depths_and_each_span_the_time_that_was_its_own() {
    let pieces = [
        piece("c", "b", 20, 40),
        piece("root", "", 0, 100),
        piece("b", "root", 10, 50),
        piece("d", "root", 45, 70),
        piece("late", "root", 90, 130),
    ];
    assert_eq!(of(&pieces, |node| node.parent), [Some(2), None, Some(1), Some(1), Some(1)]);
    assert_eq!(of(&pieces, |node| node.depth), [2, 0, 1, 1, 1]);
    // Two parts overlap, and one goes on after the whole has ended.
    assert_eq!(of(&pieces, |node| node.own), [20, 30, 20, 25, 40]);
}

#[test]
fn the_whole_waits_for_what_ended_last_and_then_for_what_had_ended_before_that_began() {
    let pieces = [
        piece("root", "", 0, 100),
        piece("first", "root", 5, 30),
        piece("beside", "root", 10, 60),
        piece("last", "root", 50, 90),
        piece("inner", "last", 55, 80),
    ];
    // `beside` still ran when `last` began, so that nobody waited for its end.
    assert_eq!(of(&pieces, |node| node.critical), [10 + 20 + 5, 25, 0, 10 + 5, 25]);
    let outlived = [piece("root", "", 0, 100), piece("child", "root", 80, 300)];
    assert_eq!(path(&outlived), [(80, 0), (220, 0)]);
}

#[test]
fn what_takes_a_message_is_waited_for_when_its_sender_has_ended_and_before_it_what_lies_in_the_queue() {
    let trace = [
        piece("post", "", 0, 100),
        Piece { kind: SpanKind::Producer, ..piece("send", "post", 65, 70) },
        taken("run", "send", 200, 1_030),
        Piece { clock: "run".to_owned(), ..piece("load", "run", 210, 300) },
        Piece { clock: "run".to_owned(), ..piece("recognise", "run", 300, 1_000) },
    ];
    assert_eq!(path(&trace), [(65, 0), (5, 0), (40, 130), (90, 0), (700, 0)]);
    // It began before its sender was done, and a further one follows from it.
    let chained = [
        piece("post", "", 0, 100),
        piece("send", "post", 10, 50),
        taken("first", "send", 20, 300),
        taken("second", "first", 350, 400),
    ];
    assert_eq!(path(&chained), [(10, 0), (10, 0), (280, 0), (50, 50)]);
}

#[test]
fn of_what_is_sent_side_by_side_only_what_ended_last_and_what_had_ended_before_it_began_is_waited_for() {
    let beside = [
        piece("post", "", 0, 100),
        taken("a", "post", 120, 300),
        taken("b", "post", 250, 500),
        taken("c", "post", 120, 200),
    ];
    assert_eq!(path(&beside), [(100, 0), (0, 0), (250, 50), (80, 20)]);
    // Whoever waits for an answer by message waits for what became of it.
    let answered = [piece("post", "", 0, 100), piece("send", "post", 10, 15), taken("run", "send", 20, 90)];
    assert_eq!(path(&answered), [(10 + 10, 0), (5, 0), (70, 5)]);
    // What goes on behind another end that was waited for is not waited for with what began it.
    let left = [
        piece("post", "", 0, 100),
        piece("send", "post", 10, 15),
        taken("run", "send", 60, 400),
        piece("last", "post", 50, 500),
    ];
    assert_eq!(path(&left), [(45, 0), (5, 0), (0, 0), (450, 0)]);
}

#[test]
fn what_lost_its_parents_counts_from_where_the_trace_without_it_ends() {
    let longer = [piece("root", "", 0, 100), piece("orphan", "gone", 0, 500)];
    assert_eq!(path(&longer), [(100, 0), (400, 0)]);
    let within = [piece("root", "", 0, 100), piece("orphan", "gone", 20, 50)];
    assert_eq!(path(&within), [(100, 0), (0, 0)]);
    let later =
        [piece("root", "", 0, 100), piece("orphan", "gone", 150, 500), piece("part", "orphan", 200, 300)];
    assert_eq!(path(&later), [(100, 0), (250, 50), (100, 0)]);
    let two_roots = [piece("b", "", 50, 80), piece("a", "", 0, 10)];
    assert_eq!(path(&two_roots), [(30, 40), (10, 0)]);
}

#[test]
fn a_message_is_never_taken_before_it_is_sent_and_may_be_taken_later() {
    let trace = |start, end| {
        let pieces = [piece("send", "", 1_000, 1_100), taken("run", "send", start, end)];
        of(&pieces, |node| (node.skew, node.critical, node.waiting))
    };
    // It would fit into its sender, and is not taken for part of it.
    assert_eq!(trace(1_500, 1_510), [(0, 100, 0), (0, 10, 400)]);
    assert_eq!(trace(400, 700), [(0, 0, 0), (600, 300, 0)]);
    // By the same clock it is moved no more than others, and counts from where its parent begins.
    let before = [piece("root", "", 100, 200), piece("part", "root", 50, 150)];
    assert_eq!(path(&before), [(50, 0), (50, 0)]);
}

#[test]
fn without_a_root_all_that_lost_their_parents_share_the_time() {
    let pieces = [piece("a", "gone", 0, 10), piece("b", "a", 2, 4), piece("c", "gone", 0, 50)];
    assert_eq!(
        of(&pieces, |node| (node.parent, node.is_orphan)),
        [(None, true), (Some(0), false), (None, true)]
    );
    assert_eq!(of(&pieces, |node| node.critical), [0, 0, 50]);
    let overlapping = [piece("a", "gone", 0, 10), piece("b", "gone", 5, 20), piece("c", "gone", 25, 30)];
    assert_eq!(path(&overlapping), [(5, 0), (15, 0), (5, 5)]);
    assert!(analyse(&[]).is_empty());
}

#[test]
fn circles_are_cut_where_the_earliest_of_them_begins() {
    let pieces = [
        piece("a", "c", 5, 6),
        piece("b", "a", 1, 9),
        piece("c", "b", 3, 4),
        piece("self", "self", 0, 2),
        piece("tail", "a", 7, 8),
    ];
    let nodes = analyse(&pieces);
    let cut: Vec<bool> = nodes.iter().map(|node| node.is_cut).collect();
    assert_eq!(cut, [false, true, false, true, false]);
    assert_eq!(nodes.iter().map(|node| node.depth).collect::<Vec<_>>(), [2, 0, 1, 0, 3]);
}

#[test]
fn spans_of_a_clock_that_goes_wrong_are_moved_into_their_parents_with_their_own_parts() {
    let other = |piece: Piece| Piece { clock: "b".to_owned(), ..piece };
    let pieces = [
        piece("client", "", 1_000, 1_100),
        other(piece("server", "client", 5_000, 5_060)),
        other(piece("inner", "server", 5_010, 5_050)),
        // It is of the same clock, and nobody moves it.
        piece("async", "client", 2_000, 2_010),
        // It would not fit in.
        other(piece("long", "client", 5_000, 6_000)),
    ];
    let nodes = analyse(&pieces);
    let skews: Vec<i64> = nodes.iter().map(|node| node.skew).collect();
    assert_eq!(skews, [0, -3_980, -3_980, 0, 0]);
    assert_eq!((nodes[0].own, nodes[1].own), (40, 20));
    let within = [piece("client", "", 0, 100), other(piece("server", "client", 1, 2))];
    assert_eq!(of(&within, |node| node.skew), [0, 0]);
}

#[test]
fn two_sides_of_a_call_may_have_one_id() {
    let pieces = [piece("x", "", 0, 10), piece("x", "root", 1, 9), piece("child", "x", 2, 3)];
    assert_eq!(of(&pieces, |node| node.parent), [None, None, Some(0)]);
}

#[test]
fn a_trace_may_be_as_deep_as_it_likes_and_have_any_times() {
    let deep: Vec<Piece> = (0..50_000)
        .map(|number: i64| {
            let parent = if number == 0 { String::new() } else { (number - 1).to_string() };
            piece(&number.to_string(), &parent, number, 200_000 - number)
        })
        .collect();
    let nodes = analyse(&deep);
    assert_eq!(
        (nodes[49_999].depth, nodes[0].own, nodes[49_999].critical),
        (49_999, 2, 200_000 - 2 * 49_999)
    );
    let wild = [
        Piece { start: i64::MIN, duration: u64::MAX, ..piece("a", "", 0, 0) },
        Piece { start: i64::MAX, duration: u64::MAX, clock: "b".into(), ..piece("b", "a", 0, 0) },
        Piece { start: i64::MIN, duration: 5, clock: "c".into(), ..piece("c", "b", 0, 0) },
    ];
    assert_eq!(analyse(&wild).len(), 3);
}

fn any_trace() -> impl Strategy<Value = Vec<Piece>> {
    let piece = (0u8..12, 0u8..14, 0i64..100, 0u64..60, 0u8..2, 0u8..3).prop_map(
        |(id, parent, start, duration, clock, kind)| Piece {
            id: id.to_string(),
            parent: (parent > 1).then(|| parent.to_string()),
            start,
            duration,
            clock: clock.to_string(),
            kind: [SpanKind::Internal, SpanKind::Producer, SpanKind::Consumer][usize::from(kind)],
        },
    );
    proptest::collection::vec(piece, 1..20)
}

proptest! {
    #[test]
    fn every_span_hangs_on_a_root_and_the_path_is_as_long_as_the_trace_from_its_root_on(pieces in any_trace()) {
        let nodes = analyse(&pieces);
        for (node, piece) in nodes.iter().zip(&pieces) {
            prop_assert!(node.own <= piece.duration && node.critical <= piece.duration);
            let depth = node.parent.map_or(0, |parent| nodes[parent].depth + 1);
            prop_assert_eq!(node.depth, depth);
        }
        let start = |(node, piece): (&Node, &Piece)| piece.start + node.skew;
        let end = |(node, piece): (&Node, &Piece)| {
            piece.start + node.skew + i64::try_from(piece.duration).expect("a short one")
        };
        let all = || nodes.iter().zip(&pieces);
        let complete = all().filter(|(_, piece)| piece.parent.is_none()).map(start).min();
        let first = complete.or_else(|| all().filter(|(node, _)| node.parent.is_none()).map(start).min());
        let first = first.expect("there is a span, and what it hangs on");
        let last = all().map(end).fold(first, Ord::max);
        let path: u64 = nodes.iter().map(|node| node.critical + node.waiting).sum();
        prop_assert_eq!(i64::try_from(path), Ok(last - first));
    }
}
