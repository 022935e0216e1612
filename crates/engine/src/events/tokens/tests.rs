use store::{FoldedText, Phrase, TextPattern};

use super::*;

fn filter_of(texts: &[String]) -> Vec<u8> {
    let mut words = Words::default();
    texts.iter().for_each(|text| words.add(text));
    words.filter().expect("not too many words")
}

fn may_have(filter: &[u8], word: u64) -> bool {
    let blocks = u32::try_from(filter.len() / BLOCK_BYTES).expect("small");
    let block = &filter[block_of(word, blocks) as usize * BLOCK_BYTES..][..BLOCK_BYTES];
    has_bits(block, word)
}

fn spelled(words: &[u64], text: &str) -> bool {
    let expected: Vec<u64> =
        text.split(' ').filter(|word| !word.is_empty()).map(|word| xxh3_64(word.as_bytes())).collect();
    words == expected
}

fn of_message(test: Test) -> Condition {
    Condition { field: Field::Column("message".into()), test }
}

fn compared(op: FilterOp, value: &str) -> Condition {
    of_message(Test::Compare(op, value.into()))
}

#[test]
fn every_word_of_a_text_is_in_its_filter() {
    let texts: Vec<String> =
        (0..2000).map(|i| format!("job-{i}: Zeit{i}überschreitung after {i}.5s (a_{i})")).collect();
    let filter = filter_of(&texts);
    for text in &texts {
        for word in certain(&compared(FilterOp::ContainsWords, text), Version::Folded) {
            assert!(may_have(&filter, word), "{text}");
        }
    }
}

/// What the documentation says: about one in 180.
#[test]
fn words_that_are_not_there_seem_to_be_as_seldom_as_documented() {
    for count in [1_000, 50_000] {
        let filter = filter_of(&(0..count).map(|i| format!("word{i}")).collect::<Vec<_>>());
        let asked = 200_000;
        let wrong = (0..asked).filter(|i| may_have(&filter, xxh3_64(format!("other{i}").as_bytes()))).count();
        let rate = wrong as f64 / f64::from(asked);
        assert!((0.003..0.008).contains(&rate), "{rate} of {count} words in {} bytes", filter.len());
    }
}

#[test]
fn only_words_that_every_match_has_are_asked_for() {
    let cases = [
        (FilterOp::ContainsWords, "no answer from db7", "no answer from db7"),
        (FilterOp::ContainsWords, "(db7)", "db7"),
        (FilterOp::Equal, "a, b", "a b"),
        // A part of a word at either end says nothing about whole words.
        (FilterOp::Contains, "no answer from db7", "answer from"),
        (FilterOp::Contains, " no answer ", "no answer"),
        (FilterOp::Contains, "db7", ""),
        (FilterOp::Contains, "db7:", ""),
        (FilterOp::Contains, ":db7:", "db7"),
        (FilterOp::Contains, "", ""),
        (FilterOp::Contains, "--", ""),
        (FilterOp::Contains, "é é é", "é"),
        (FilterOp::NotEqual, "a b", ""),
        (FilterOp::Less, "a b", ""),
    ];
    for (op, value, expected) in cases {
        for version in Version::ALL {
            assert!(spelled(&certain(&compared(op, value), version), expected), "{op:?} {value}");
        }
    }
}

#[test]
fn words_are_asked_for_folded_and_of_filters_of_old_only_where_their_case_is_known() {
    let pattern = TextPattern::new(regex::Regex::new("a").expect("a pattern"), ["db7".to_owned()]);
    let cases = [
        (Test::Compare(FilterOp::ContainsWords, "No ANSWER".into()), "No ANSWER", "no answer"),
        (Test::Words(Phrase::of("No ANSWER")), "", "no answer"),
        (Test::Contains(FoldedText::new("No Ä ANSWER")), "", "ä"),
        (Test::Matches(pattern), "", "db7"),
        (Test::Exists, "", ""),
    ];
    for (test, as_written, folded) in cases {
        let condition = of_message(test);
        assert!(spelled(&certain(&condition, Version::AsWritten), as_written), "{condition:?}");
        assert!(spelled(&certain(&condition, Version::Folded), folded), "{condition:?}");
    }
}

#[test]
fn attributes_are_in_a_filter_by_their_names_and_the_words_of_their_values() {
    let mut words = Words::default();
    words.add_attribute("http.Method", Some("GET it"));
    words.add_attribute("empty", None);
    let filter = words.filter().expect("not too many words");
    let has = |key: &str, test| {
        let condition =
            Condition { field: Field::Attribute { map: "attributes".into(), key: key.to_owned() }, test };
        certain(&condition, Version::Folded).into_iter().all(|word| may_have(&filter, word))
    };
    assert!(has("http.Method", Test::Exists) && has("empty", Test::Exists));
    assert!(has("http.Method", Test::equal("get")) && has("http.Method", Test::Words(Phrase::of("IT"))));
    assert!(!has("http.method", Test::Exists) && !has("get", Test::Exists) && !has("http", Test::Exists));
    assert!(!has("http.Method", Test::equal("POST")));
}

#[test]
fn what_no_text_has_is_in_no_filter() {
    let filter = filter_of(&[]);
    assert_eq!(filter, [0; BLOCK_BYTES]);
    assert!(!may_have(&filter, xxh3_64(b"anything")));
}

#[test]
fn places_survive_the_metadata_and_others_are_passed_over() {
    let pair = Places::new(vec![Some((64, 3)), None, Some((160, 1))]).to_metadata("message");
    assert_eq!(
        (pair.key.as_str(), pair.value.as_deref()),
        ("watchkeeper.words.message", Some("2 64:3 - 160:1"))
    );
    let groups = vec![Some((64, 3)), None, Some((160, 1))];
    for (text, version) in [("1 64:3 - 160:1", Version::AsWritten), ("2 64:3 - 160:1", Version::Folded)] {
        assert_eq!(Places::parse(text), Some(Places { version, groups: groups.clone() }));
    }
    for other in ["", "1", "3 64:3", "12 64:3", "1 64:0", "1 x", "2 64:-1"] {
        let places = Places::parse(other).map(|places| places.groups);
        assert!(places.is_none_or(|places| places == [None]), "{other}");
    }
}
