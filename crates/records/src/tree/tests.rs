use proptest::prelude::*;

use super::*;

/// A span by its id, its parent, and when it began and ended.
fn piece(id: &str, parent: &str, start: i64, end: i64) -> Piece {
    let parent = (!parent.is_empty()).then(|| parent.to_owned());
    let duration = u64::try_from(end - start).expect("it ends after it began");
    Piece { id: id.to_owned(), parent, start, duration, clock: "a".to_owned() }
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
    assert_eq!(of(&outlived, |node| node.critical), [80, 20]);
}

#[test]
fn spans_without_their_parents_are_roots_and_the_longest_root_is_what_is_waited_for() {
    let pieces = [piece("a", "gone", 0, 10), piece("b", "a", 2, 4), piece("c", "gone", 0, 50)];
    assert_eq!(
        of(&pieces, |node| (node.parent, node.is_orphan)),
        [(None, true), (Some(0), false), (None, true)]
    );
    assert_eq!(of(&pieces, |node| node.critical), [0, 0, 50]);
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
    let piece =
        (0u8..12, 0u8..14, 0i64..100, 0u64..60, 0u8..2).prop_map(|(id, parent, start, duration, clock)| {
            Piece {
                id: id.to_string(),
                parent: (parent > 1).then(|| parent.to_string()),
                start,
                duration,
                clock: clock.to_string(),
            }
        });
    proptest::collection::vec(piece, 1..20)
}

proptest! {
    #[test]
    fn every_span_hangs_on_a_root_and_the_path_is_as_long_as_the_longest_root(pieces in any_trace()) {
        let nodes = analyse(&pieces);
        for (node, piece) in nodes.iter().zip(&pieces) {
            prop_assert!(node.own <= piece.duration && node.critical <= piece.duration);
            let depth = node.parent.map_or(0, |parent| nodes[parent].depth + 1);
            prop_assert_eq!(node.depth, depth);
        }
        let roots = nodes.iter().zip(&pieces).filter(|(node, _)| node.parent.is_none());
        let longest = roots.map(|(_, piece)| piece.duration).max();
        prop_assert_eq!(Some(nodes.iter().map(|node| node.critical).sum::<u64>()), longest);
    }
}
