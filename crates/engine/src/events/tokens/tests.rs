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

#[test]
fn every_word_of_a_text_is_in_its_filter() {
    let texts: Vec<String> =
        (0..2000).map(|i| format!("job-{i}: Zeit{i}überschreitung after {i}.5s (a_{i})")).collect();
    let filter = filter_of(&texts);
    for text in &texts {
        for word in certain_words(FilterOp::ContainsWords, text) {
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
        assert!(spelled(&certain_words(op, value), expected), "{op:?} {value}");
    }
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
        ("watchkeeper.words.message", Some("1 64:3 - 160:1"))
    );
    assert_eq!(
        Places::parse("1 64:3 - 160:1").map(|places| places.0),
        Some(vec![Some((64, 3)), None, Some((160, 1))])
    );
    for other in ["", "1", "2 64:3", "12 64:3", "1 64:0", "1 x", "1 64:-1"] {
        let places = Places::parse(other).map(|places| places.0);
        assert!(places.is_none_or(|places| places == [None]), "{other}");
    }
}
