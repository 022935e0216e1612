//! Looking for one id where pages have ids as they are: bytes of one size one after the other, neither packed nor in a
//! dictionary. A page in whose bytes the id is not has no row with it, and nothing need be decoded to see that. Where no
//! row of a page is without one, the place of the id in the page says which row has it.

use std::ops::Range;

use memchr::memmem::Finder;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use parquet::basic::{Compression, Encoding, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::ChunkReader;
use store::{Condition, Field, FilterOp, Predicate, Scalar, Test};

use super::pages::{Ranges, of_leaf, rows_of_page};
use super::prune::{leaf, rows_of};
use crate::events::ids;
use crate::sums::CheckedFile;

/// About how many bytes of neighbouring pages are read at once, unless one page has more.
const READ_BYTES: u64 = 192 * 1024;

/// The rows that may have the id which a predicate asks for, in those pages that have selected rows of the only row group
/// of a footer: all rows of a page that has the id, unless it is known which they are. `None` where the predicate asks for
/// something else, and where ids are not there as they are.
pub(super) fn rows_that_may_have(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    predicate: &Predicate,
    selected: &RowSelection,
) -> Result<Option<RowSelection>, ParquetError> {
    let Some((leaf, id)) = asked(footer, predicate) else { return Ok(None) };
    let group = footer.metadata().row_group(0);
    let Some((index, pages)) = of_leaf(footer, leaf) else { return Ok(None) };
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
        for (page, place) in &run {
            let (start, end) = ((place.start - first.start) as usize, (place.end - first.start) as usize);
            let rows = rows(*page);
            match bytes.get(start..end) {
                Some(ids) if has_all(index, *page) => found.extend(rows_in(ids, &finder, rows)),
                Some(ids) if finder.find(ids).is_none() => {}
                _ => found.push(rows),
            }
        }
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

/// Whether it is known that each row of a page has a value.
fn has_all(index: &ColumnIndexMetaData, page: usize) -> bool {
    let nulls = index.null_counts().and_then(|nulls| nulls.get(page));
    nulls.is_some_and(|nulls| *nulls == 0)
}

/// Those of the rows of a page, each of which has an id, whose id is looked for. The ids are the last that the page has.
fn rows_in(page: &[u8], finder: &Finder<'_>, rows: Range<usize>) -> Vec<Range<usize>> {
    let size = finder.needle().len();
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(place) = page.get(start..).and_then(|rest| finder.find(rest)) {
        let from_end = page.len() - (start + place);
        // Bytes that end one id and begin the next are none, and neither are those before all of them.
        if from_end.is_multiple_of(size) && from_end / size <= rows.len() {
            let row = rows.end - from_end / size;
            found.push(row..row + 1);
        }
        start += place + 1;
    }
    found
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
