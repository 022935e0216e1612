//! What is kept, what is not, and what waits.

use std::sync::Arc;

use model::event::Origin;
use model::{ByteSize, DurationText, Timestamp};

use super::*;

fn span(trace: &str, service: &str) -> SpanEvent {
    let origin = Origin { service: Some(service.to_owned()), ..Origin::default() };
    SpanEvent::new(Timestamp::from_millis(1), trace.to_owned(), "1".repeat(16), Arc::new(origin))
}

fn events<const N: usize>(spans: [SpanEvent; N]) -> Vec<Event> {
    spans.map(|span| Event::Span(Box::new(span))).into()
}

/// Keeps nothing but what is marked.
fn none_kept(wait: Duration) -> SamplingSettings {
    SamplingSettings { probability: 0.0, wait: DurationText(wait), ..SamplingSettings::default() }
}

async fn left_out(sampling: &Sampling, events: &[Event]) -> Vec<usize> {
    let mut places: Vec<usize> = sampling.left_out(events).await.places.into_iter().collect();
    places.sort_unstable();
    places
}

#[tokio::test]
async fn of_traces_a_share_is_kept_by_service_and_always_the_same_ones() {
    let other = SamplingService { service: "rare".to_owned(), probability: 1.0 };
    let settings = SamplingSettings {
        probability: 0.25,
        services: vec![other],
        wait: DurationText(Duration::ZERO),
        ..SamplingSettings::default()
    };
    let all: Vec<Event> = (0..10_000)
        .flat_map(|number| {
            let trace = format!("{number:032x}");
            events([span(&trace, "usual"), span(&trace, "rare")])
        })
        .collect();
    let first = left_out(&Sampling::new(settings.clone()), &all).await;
    assert!((7_200..7_800).contains(&first.len()), "{}", first.len());
    assert!(first.iter().all(|place| place % 2 == 0), "the other service keeps all");
    assert_eq!(left_out(&Sampling::new(settings), &all).await, first);
}

#[tokio::test]
async fn traces_with_an_error_a_slow_span_or_a_mark_are_kept_whole() {
    let sampling = Sampling::new(none_kept(Duration::ZERO));
    let mut marked = span("m", "a");
    marked.attributes.insert("sampling.keep".to_owned(), "true".to_owned());
    let mut unmarked = span("u", "a");
    unmarked.attributes.insert("sampling.keep".to_owned(), "false".to_owned());
    let all = events([
        span("e", "a"),
        SpanEvent { status: SpanStatus::Error, ..span("e", "b") },
        SpanEvent { duration_ns: 11_000_000_000, ..span("s", "a") },
        SpanEvent { duration_ns: 10_000_000_000, ..span("quick", "a") },
        marked,
        unmarked,
    ]);
    assert_eq!(left_out(&sampling, &all).await, [3, 5]);
    assert!(left_out(&sampling, &events([span("e", "c")])).await.is_empty(), "what comes later is kept too");
}

#[tokio::test]
async fn spans_wait_for_an_error_in_another_request() {
    let sampling = Sampling::new(none_kept(Duration::from_secs(3_600)));
    let (early, late) =
        (events([span("t", "a")]), events([SpanEvent { status: SpanStatus::Error, ..span("t", "b") }]));
    // The first waits an hour, unless the second is heard.
    let (early, late) = tokio::join!(left_out(&sampling, &early), left_out(&sampling, &late));
    assert_eq!((early, late), (vec![], vec![]));
    let state = sampling.state.lock();
    assert_eq!((state.waiting_bytes, state.waited_for.len()), (0, 0));
}

#[tokio::test]
async fn what_there_is_no_room_for_is_decided_on_at_once() {
    let settings =
        SamplingSettings { max_waiting_memory: ByteSize(100), ..none_kept(Duration::from_secs(3_600)) };
    let left_out = Sampling::new(settings).left_out(&events([span("t", "a")])).await;
    assert_eq!((left_out.places.len(), left_out.had_no_room), (1, true));
}

#[test]
fn settings_that_nothing_could_work_with_are_refused() {
    assert_eq!(SamplingSettings::default().fault(), None);
    let nameless = SamplingService { service: String::new(), probability: 1.0 };
    let faults = [
        SamplingSettings { probability: 1.5, ..SamplingSettings::default() },
        SamplingSettings { probability: f64::NAN, ..SamplingSettings::default() },
        SamplingSettings { services: vec![nameless], ..SamplingSettings::default() },
        none_kept(Duration::from_secs(9)),
    ];
    assert!(faults.iter().all(|settings| settings.fault().is_some()));
}
