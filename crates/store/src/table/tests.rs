//! Rows into batches and back.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::DataType;
use model::Timestamp;
use model::event::{
    Attributes, Conventions, Flaw, Level, Origin, SpanKind, SpanLink, SpanOccurrence, SpanStatus,
};

use super::*;

fn feedback(comment: Option<&str>) -> FeedbackEvent {
    FeedbackEvent {
        time: Timestamp::from_millis(1_754_083_800_123),
        event_id: "e1".into(),
        job_id: Some("j1".into()),
        document_id: None,
        trace_id: None,
        user_id: None,
        score: Some(0.5),
        comment: comment.map(str::to_owned),
        attributes: [("a".to_owned(), "1".to_owned())].into(),
    }
}

#[test]
fn events_survive_the_way_into_batches_and_back() {
    let deploy = DeployEvent {
        time: Timestamp::from_millis(5),
        event_id: "d".into(),
        service: "api".into(),
        version: "1".into(),
        environment: None,
        description: None,
        url: None,
        attributes: Attributes::new(),
    };
    let events = vec![
        Event::Feedback(Box::new(feedback(Some("good")))),
        Event::Feedback(Box::new(feedback(None))),
        Event::Deploy(Box::new(deploy)),
    ];
    let batches = batches_from_events(&events).expect("batches");
    let back: Vec<Event> =
        batches.iter().flat_map(|batch| events_from_batch(batch.table, &batch.rows).expect("rows")).collect();
    assert_eq!(back, events);
}

#[test]
fn a_batch_from_before_a_column_existed_reads_as_null_there() {
    let batch = FeedbackEvent::to_batch(&[feedback(Some("good"))]).expect("batch");
    let kept: Vec<usize> =
        (0..batch.num_columns()).filter(|&i| batch.schema().field(i).name() != "comment").collect();
    let older = batch.project(&kept).expect("projection");
    assert_eq!(FeedbackEvent::from_batch(&older).expect("rows"), [feedback(None)]);
    let without_id: Vec<usize> =
        (0..batch.num_columns()).filter(|&i| batch.schema().field(i).name() != "event_id").collect();
    let broken = batch.project(&without_id).expect("projection");
    assert!(matches!(
        FeedbackEvent::from_batch(&broken),
        Err(ColumnError::Unexpected { column: "event_id" })
    ));
}

#[test]
fn every_table_has_a_time_and_its_columns_of_ids_and_texts() {
    for table in Table::ALL {
        let schema = schema(*table);
        assert_eq!(schema.field(0).name(), "time", "{table:?}");
        for column in table.id_columns().iter().chain(table.text_columns()) {
            assert!(schema.field_with_name(column).is_ok(), "{table:?} {column}");
        }
        for (column, digits) in table.hex_columns() {
            let field = schema.field_with_name(column).expect("a column of the table");
            assert_eq!(*field.data_type(), DataType::Utf8, "{table:?} {column}");
            assert!(*digits > 0 && digits % 2 == 0, "{table:?} {column}");
        }
        assert_eq!(Table::from_name(table.name()), Some(*table));
    }
}

fn attributes(name: &str, value: &str) -> Attributes {
    [(name.to_owned(), value.to_owned())].into()
}

#[test]
fn records_of_logs_and_spans_survive_the_way_into_batches_and_back() {
    let origin = Arc::new(Origin {
        service: Some("ocr".into()),
        pid: Some(7),
        resource_attributes: attributes("os.type", "linux"),
        ..Origin::default()
    });
    let time = Timestamp::from_nanos(1_754_083_800_123_456_789);
    let log = LogEvent {
        event_id: Some("u".into()),
        level: Some(Level::Warn),
        message: Some("slow".into()),
        conventions: Conventions {
            http_status_code: Some(200),
            exception_stacktrace: Some("at".into()),
            ..Conventions::default()
        },
        attributes: attributes("k", "v"),
        dropped_attributes: Some(3),
        flaws: [Flaw::TraceId, Flaw::Text].into_iter().collect(),
        ..LogEvent::new(time, Arc::clone(&origin))
    };
    let happened = SpanOccurrence {
        time: Some(time),
        name: "x".into(),
        attributes: attributes("\"", "\n"),
        dropped_attributes: None,
    };
    let link = SpanLink { trace_id: Some("ab".into()), trace_flags: Some(1), ..SpanLink::default() };
    let span = SpanEvent {
        kind: SpanKind::Consumer,
        status: SpanStatus::Error,
        duration_ns: 9_007_199_254_740_993,
        events: vec![happened],
        links: vec![link, SpanLink::default()],
        ..SpanEvent::new(time, "t".into(), "s".into(), Arc::clone(&origin))
    };
    let bare = SpanEvent::new(time, "t".into(), "r".into(), Arc::default());
    let events = vec![
        Event::Log(Box::new(log)),
        Event::Log(Box::new(LogEvent::new(time, origin))),
        Event::Span(Box::new(span)),
        Event::Span(Box::new(bare)),
    ];
    let batches = batches_from_events(&events).expect("batches");
    assert_eq!(batches.iter().map(|batch| batch.table).collect::<Vec<_>>(), [Table::Logs, Table::Spans]);
    let back: Vec<Event> =
        batches.iter().flat_map(|batch| events_from_batch(batch.table, &batch.rows).expect("rows")).collect();
    assert_eq!(back, events);
    let spans = &batches[1].rows;
    let nothing = spans.column_by_name("events").expect("a column");
    assert_eq!((nothing.is_null(0), nothing.is_null(1)), (false, true), "a list without anything is null");
}

#[test]
fn the_size_of_an_event_is_about_that_of_its_row_and_counts_what_it_comes_from() {
    let long = "x".repeat(10_000);
    let (time, origin) = (
        Timestamp::from_millis(5),
        Arc::new(Origin { resource_attributes: attributes("a", &long), ..Origin::default() }),
    );
    let happened = SpanOccurrence {
        time: None,
        name: long.clone(),
        attributes: attributes("b", &long),
        dropped_attributes: None,
    };
    let link = SpanLink { attributes: attributes("c", &long), ..SpanLink::default() };
    let span = SpanEvent {
        events: vec![happened],
        links: vec![link],
        conventions: Conventions { db_query: Some(long.clone()), ..Conventions::default() },
        flaws: [Flaw::Text].into_iter().collect(),
        ..SpanEvent::new(time, "t".into(), "s".into(), Arc::clone(&origin))
    };
    let log = LogEvent { message: Some(long), ..LogEvent::new(time, origin) };
    for (event, texts) in [(Event::Span(Box::new(span)), 50_000), (Event::Log(Box::new(log)), 20_000)] {
        let size = size_of_event(&event);
        assert!((texts..texts + 1_000).contains(&size), "{size}");
        let events = vec![event; 20];
        let batches = batches_from_events(&events).expect("batches");
        let held: usize = batches.iter().map(|batch| batch.rows.get_array_memory_size()).sum();
        assert!((texts * 20..size * 80).contains(&held), "{held} bytes are held of {}", size * 20);
    }
    assert!((50..200).contains(&size_of_event(&Event::Feedback(Box::new(feedback(Some("good")))))));
}
