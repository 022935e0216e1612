//! Filters of words: what a search for words needs to know of a row group before it reads it.
//!
//! Texts that people search in (messages, errors, attributes) get one filter for each row group: a split
//! block Bloom filter, as Parquet has them for whole values, of the words of the texts. A row group that
//! cannot have a word that is looked for is passed over after reading 32 bytes.
//!
//! Words are kept folded, so that those who look for them whatever their case ask the same filter as those
//! who do not. Filters of version 1 have them as they were written, and say nothing to the former.
//!
//! `docs/format/event-file.md` has the format to the byte.

use model::words::{folded, is_of_word, words};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::reader::ChunkReader;
use store::{Condition, Field, FilterOp, Scalar, Test};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::sums::CheckedFile;

/// A version of the format. A reader passes over filters of any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Words as they are written.
    AsWritten,
    /// Words folded.
    Folded,
}

impl Version {
    const ALL: [Self; 2] = [Self::AsWritten, Self::Folded];

    const fn as_str(self) -> &'static str {
        match self {
            Self::AsWritten => "1",
            Self::Folded => "2",
        }
    }

    fn hash(self, word: &str) -> u64 {
        match self {
            Self::AsWritten => xxh3_64(word.as_bytes()),
            Self::Folded => xxh3_64(folded(word).as_bytes()),
        }
    }
}

/// The seed of hashes of names of attributes, which tells them from words.
const OF_NAMES: u64 = 1;
/// The key of a column's filters in the file's metadata, before the column's name.
const KEY: &str = "watchkeeper.words.";
/// What stands for a row group without a filter.
const NONE: &str = "-";
/// Bits of a filter for each word in it: about one word in 180 that is not there seems to be.
const BITS_PER_WORD: usize = 12;
/// Bytes of a block, the part of a filter that one word is in.
pub(crate) const BLOCK_BYTES: usize = 32;
/// The most different words of a row group; one with more gets no filter.
const MAX_WORDS: usize = 2 << 20;
/// Words with repetitions that are sorted at once, at least.
const UNSORTED_WORDS: usize = 1 << 16;
/// How many texts, and words, are remembered as the last ones: what fits into the nearest cache.
const RECENT: usize = 1 << 11;
/// As the Parquet format has them.
const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// Hashes of what every value has that satisfies the condition, as a filter of the version has them.
pub(crate) fn certain(condition: &Condition, version: Version) -> Vec<u64> {
    let mut certain = words_of(&condition.test, version);
    if let Field::Attribute { key, .. } = &condition.field {
        certain.push(name(key));
    }
    certain
}

/// The name of an attribute. Upper and lower case are told apart in it.
fn name(key: &str) -> u64 {
    xxh3_64_with_seed(key.as_bytes(), OF_NAMES)
}

fn words_of(test: &Test, version: Version) -> Vec<u64> {
    let hash = |word: &str| version.hash(word);
    match test {
        Test::Compare(FilterOp::Equal | FilterOp::ContainsWords, Scalar::Text(value)) => {
            words(value).map(hash).collect()
        }
        Test::Compare(FilterOp::Contains, Scalar::Text(value)) => {
            words(inner_words(value)).map(hash).collect()
        }
        // Nobody knows in which case these are written.
        Test::Contains(_) | Test::Words(_) | Test::Matches(_) if version == Version::AsWritten => Vec::new(),
        Test::Contains(part) => words(inner_words(part.as_str())).map(hash).collect(),
        Test::Words(phrase) => phrase.certain().map(hash).collect(),
        Test::Matches(pattern) => pattern.certain().map(hash).collect(),
        Test::Exists | Test::Compare(..) => Vec::new(),
    }
}

/// A text without what it begins and ends with, where that may be a part of a longer word.
fn inner_words(value: &str) -> &str {
    let ends = |byte: u8| !is_of_word(byte);
    let first = value.bytes().position(ends).unwrap_or(value.len());
    let last = value.bytes().rposition(ends).map_or(first, |last| last.max(first));
    // Both are at bytes of ASCII, or at the end of the text.
    &value[first..last]
}

/// The words of the texts of one row group, as their hashes.
#[derive(Default)]
pub(crate) struct Words {
    /// With repetitions; in order and without them up to `distinct`.
    words: Vec<u64>,
    distinct: usize,
    /// Most texts come again and again, and so do most words.
    recent_texts: Recent,
    recent_words: Recent,
}

/// Some of the hashes that came last: each has one place, where it stays until another comes there.
struct Recent(Box<[u64]>);

impl Default for Recent {
    fn default() -> Self {
        Self(vec![0; RECENT].into_boxed_slice())
    }
}

impl Recent {
    /// Notes a hash; `false` when it is here already.
    fn is_new(&mut self, hash: u64) -> bool {
        let place = &mut self.0[hash as usize % RECENT];
        // No word is forgotten for being 0: that is taken for new each time.
        let is_new = *place != hash || hash == 0;
        *place = hash;
        is_new
    }
}

impl Words {
    /// Adds a text.
    pub(crate) fn add(&mut self, text: &str) {
        if self.distinct > MAX_WORDS || !self.recent_texts.is_new(xxh3_64(text.as_bytes())) {
            return;
        }
        let recent = &mut self.recent_words;
        let hashes = words(text).map(|word| Version::Folded.hash(word));
        self.words.extend(hashes.filter(|word| recent.is_new(*word)));
        self.sort_when_many();
    }

    /// Adds an attribute: its name, and the words of its value.
    pub(crate) fn add_attribute(&mut self, key: &str, value: Option<&str>) {
        if self.distinct > MAX_WORDS {
            return;
        }
        let name = name(key);
        if self.recent_words.is_new(name) {
            self.words.push(name);
        }
        self.sort_when_many();
        if let Some(value) = value {
            self.add(value);
        }
    }

    fn sort_when_many(&mut self) {
        if self.words.len() >= (2 * self.distinct).max(UNSORTED_WORDS) {
            self.sort();
        }
    }

    /// A set would look up each word somewhere else in memory.
    fn sort(&mut self) {
        self.words.sort_unstable();
        self.words.dedup();
        self.distinct = self.words.len();
    }

    /// The filter; `None` when there are more words than one may have.
    pub(crate) fn filter(mut self) -> Option<Vec<u8>> {
        self.sort();
        if self.distinct > MAX_WORDS {
            return None;
        }
        let blocks = (self.distinct * BITS_PER_WORD).div_ceil(BLOCK_BYTES * 8).max(1);
        let blocks = u32::try_from(blocks).expect("a filter of the most words is a few MiB");
        let mut filter = vec![[0u32; 8]; blocks as usize];
        for word in &self.words {
            let block = &mut filter[block_of(*word, blocks) as usize];
            for (bits, bit) in block.iter_mut().zip(bits_of(*word)) {
                *bits |= bit;
            }
        }
        Some(filter.iter().flatten().flat_map(|bits| bits.to_le_bytes()).collect())
    }
}

pub(crate) fn block_of(word: u64, blocks: u32) -> u64 {
    ((word >> 32) * u64::from(blocks)) >> 32
}

fn bits_of(word: u64) -> impl Iterator<Item = u32> {
    SALTS.iter().map(move |salt| 1 << ((word as u32).wrapping_mul(*salt) >> 27))
}

pub(crate) fn has_bits(block: &[u8], word: u64) -> bool {
    let bits = block.as_chunks::<4>().0.iter().map(|bits| u32::from_le_bytes(*bits));
    bits.zip(bits_of(word)).all(|(bits, bit)| bits & bit != 0)
}

/// Where the filters of a column are: for each row group the offset, and how many blocks it has.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    version: Version,
    groups: Vec<Option<(u64, u32)>>,
}

impl Places {
    /// Of filters as they are written today.
    pub(crate) fn new(groups: Vec<Option<(u64, u32)>>) -> Self {
        Self { version: Version::Folded, groups }
    }

    /// As it stands in the metadata of the file.
    pub(crate) fn to_metadata(&self, column: &str) -> KeyValue {
        let places = self.groups.iter().map(|place| match place {
            Some((offset, blocks)) => format!("{offset}:{blocks}"),
            None => NONE.to_owned(),
        });
        let value: Vec<String> = std::iter::once(self.version.as_str().to_owned()).chain(places).collect();
        KeyValue::new(format!("{KEY}{column}"), value.join(" "))
    }

    /// From the metadata of a file; `None` when there are no filters of a version that is known.
    pub(crate) fn of(footer: &ArrowReaderMetadata, column: &str) -> Option<Self> {
        let metadata = footer.metadata();
        let pairs = metadata.file_metadata().key_value_metadata()?;
        let is_of_column = |pair: &&KeyValue| pair.key.strip_prefix(KEY) == Some(column);
        let value = pairs.iter().find(is_of_column)?.value.as_deref()?;
        Self::parse(value).filter(|places| places.groups.len() == metadata.num_row_groups())
    }

    fn parse(value: &str) -> Option<Self> {
        let (version, places) = value.split_once(' ')?;
        let version = Version::ALL.into_iter().find(|known| known.as_str() == version)?;
        let groups = places.split(' ').map(|place| {
            let (offset, blocks) = place.split_once(':')?;
            Some((offset.parse().ok()?, blocks.parse().ok().filter(|blocks| *blocks > 0)?))
        });
        Some(Self { version, groups: groups.collect() })
    }

    /// Whether some row of a row group can satisfy the condition.
    pub(crate) fn may_hold(
        &self,
        input: &CheckedFile,
        group: usize,
        condition: &Condition,
    ) -> Result<bool, ParquetError> {
        let Some((offset, blocks)) = self.groups[group] else { return Ok(true) };
        for word in certain(condition, self.version) {
            let at = offset.saturating_add(block_of(word, blocks) * BLOCK_BYTES as u64);
            if !has_bits(&input.get_bytes(at, BLOCK_BYTES)?, word) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
