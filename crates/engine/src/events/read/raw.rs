//! Looking for one id where pages have ids as they are: bytes of one size one after the other, neither packed nor in a
//! dictionary. A page in whose bytes the id is not has no row with it, and nothing need be decoded to see that.

use std::ops::Range;

use memchr::memmem::Finder;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use parquet::basic::{Compression, Encoding, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::ChunkReader;
use store::{Condition, Field, FilterOp, Predicate, Scalar, Test};

use super::pages::{Ranges, rows_of_page};
use super::prune::{leaf, rows_of};
use crate::events::ids;
use crate::sums::CheckedFile;

/// About how many bytes of neighbouring pages are read at once, unless one page has more.
const READ_BYTES: u64 = 192 * 1024;

/// The rows of pages that may have the id which a predicate asks for, of those pages that have selected rows of the only
/// row group of a footer. `None` where it asks for something else, and where ids are not there as they are.
pub(super) fn pages_with(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    predicate: &Predicate,
    selected: &RowSelection,
) -> Result<Option<RowSelection>, ParquetError> {
    let Some((leaf, id)) = asked(footer, predicate) else { return Ok(None) };
    let metadata = footer.metadata();
    let group = metadata.row_group(0);
    let offsets = metadata.offset_index().and_then(|groups| groups.first()?.get(leaf));
    let Some(pages) = offsets.map(|offsets| offsets.page_locations().as_slice()) else { return Ok(None) };
    let are_in_order = pages.first().is_some_and(|page| page.first_row_index == 0)
        && pages.is_sorted_by_key(|page| page.first_row_index);
    if !are_in_order || !has_ids_as_they_are(group.column(leaf)) {
        return Ok(None);
    }
    let (all, selected) = (rows_of(group), Ranges::of(selected));
    let rows = |page| rows_of_page(pages, page, all);
    let wanted = (0..pages.len()).filter(|page| selected.overlap(&rows(*page)));
    let Some(places) = wanted.map(|page| Some((page, bytes_of(&pages[page])?))).collect::<Option<Vec<_>>>()
    else {
        return Ok(None);
    };
    let finder = Finder::new(&id);
    let mut found = Vec::new();
    for run in runs(places) {
        let (Some((_, first)), Some((_, last))) = (run.first(), run.last()) else { continue };
        let length = usize::try_from(last.end - first.start).unwrap_or(usize::MAX);
        let bytes = input.get_bytes(first.start, length)?;
        let is_there = |place: &Range<u64>| {
            let (start, end) = ((place.start - first.start) as usize, (place.end - first.start) as usize);
            bytes.get(start..end).is_none_or(|page| finder.find(page).is_some())
        };
        found.extend(run.iter().filter(|(_, place)| is_there(place)).map(|(page, _)| rows(*page)));
    }
    Ok(Some(RowSelection::from_consecutive_ranges(found.into_iter(), all)))
}

/// The place of a column of ids that are bytes, and the id that rows must have in it.
fn asked(footer: &ArrowReaderMetadata, predicate: &Predicate) -> Option<(usize, Vec<u8>)> {
    let Predicate::Is(Condition {
        field: Field::Column(name),
        test: Test::Compare(FilterOp::Equal, Scalar::Text(text)),
    }) = predicate
    else {
        return None;
    };
    let leaf = leaf(footer, name)?;
    let column = footer.parquet_schema().column(leaf);
    (column.physical_type() == Type::FIXED_LEN_BYTE_ARRAY).then_some(())?;
    Some((leaf, ids::parsed(text, column.type_length())?))
}

fn has_ids_as_they_are(column: &ColumnChunkMetaData) -> bool {
    column.compression() == Compression::UNCOMPRESSED
        && column.dictionary_page_offset().is_none()
        && column.page_encoding_stats_mask().is_some_and(|encodings| encodings.is_only(Encoding::PLAIN))
}

/// Where a page lies in the file; `None` where that cannot be.
fn bytes_of(page: &PageLocation) -> Option<Range<u64>> {
    let start = u64::try_from(page.offset).ok()?;
    let length = u64::try_from(page.compressed_page_size).ok()?;
    Some(start..start.checked_add(length)?)
}

/// Pages that are read at once: those that follow each other, up to about so many bytes.
fn runs(pages: Vec<(usize, Range<u64>)>) -> Vec<Vec<(usize, Range<u64>)>> {
    let mut runs: Vec<Vec<(usize, Range<u64>)>> = Vec::new();
    for page in pages {
        let follows = |run: &&mut Vec<(usize, Range<u64>)>| {
            let (Some((_, first)), Some((_, last))) = (run.first(), run.last()) else { return false };
            last.end == page.1.start && page.1.end - first.start <= READ_BYTES
        };
        match runs.last_mut().filter(follows) {
            Some(run) => run.push(page),
            None => runs.push(vec![page]),
        }
    }
    runs
}
