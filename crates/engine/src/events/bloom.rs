//! Parquet's Bloom filters of whole values, one block at a time: that of a row group has up to a quarter of a MiB, and what
//! it says of one value is in 32 bytes.

use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use xxhash_rust::xxh64::xxh64;

use crate::events::tokens::{BLOCK_BYTES, block_of, has_bits};
use crate::sums::CheckedFile;

/// The field with a filter's length, in Thrift's compact protocol.
const LENGTH_FIELD: u8 = 0x15;
/// What follows it: that blocks are split, that values are hashed by XXH64, that nothing is packed.
const AS_WRITTEN: [u8; 13] = [0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0];
/// The most bytes of a length.
const LENGTH_BYTES: usize = 5;
const HEADER_BYTES: usize = 1 + LENGTH_BYTES + AS_WRITTEN.len();

/// Whether a column of a row group can have a value, as far as its filter tells. It tells nothing where there is none, or
/// where it is not as we write them.
pub(crate) fn lets(
    input: &CheckedFile,
    column: &ColumnChunkMetaData,
    value: &[u8],
) -> Result<bool, ParquetError> {
    let Some(offset) = column.bloom_filter_offset().and_then(|offset| u64::try_from(offset).ok()) else {
        return Ok(true);
    };
    let told = match by_length(column) {
        Some(told) => Some(told),
        None => {
            let left = usize::try_from(input.len().saturating_sub(offset)).unwrap_or(usize::MAX);
            header(&input.get_bytes(offset, HEADER_BYTES.min(left))?)
        }
    };
    let Some((blocks, header)) = told else { return Ok(true) };
    let hash = xxh64(value, 0);
    let at = offset + header as u64 + block_of(hash, blocks) * BLOCK_BYTES as u64;
    Ok(has_bits(&input.get_bytes(at, BLOCK_BYTES)?, hash))
}

/// How many blocks a filter has and the length of what stands in front of them, by its length alone, which the footer has:
/// so nothing is read but the block. What stands there is shorter than a block; where it is not as long as we write it,
/// the filter is asked itself.
fn by_length(column: &ColumnChunkMetaData) -> Option<(u32, usize)> {
    let length = usize::try_from(column.bloom_filter_length()?).ok()?;
    let (bytes, header) = (length - length % BLOCK_BYTES, length % BLOCK_BYTES);
    let blocks = u32::try_from(bytes / BLOCK_BYTES).ok().filter(|blocks| *blocks > 0)?;
    (header == header_bytes(bytes)).then_some((blocks, header))
}

/// The length of what stands in front of blocks of so many bytes, at least one of them.
fn header_bytes(bytes: usize) -> usize {
    let zigzag = bytes as u64 * 2;
    let bits = (u64::BITS - zigzag.leading_zeros()) as usize;
    1 + bits.div_ceil(7) + AS_WRITTEN.len()
}

/// How many blocks a filter has, and the length of what says so.
fn header(bytes: &[u8]) -> Option<(u32, usize)> {
    let length = bytes.strip_prefix(&[LENGTH_FIELD])?;
    let end = length.iter().take(LENGTH_BYTES).position(|byte| byte & 0x80 == 0)?;
    let (length, rest) = length.split_at(end + 1);
    if !rest.starts_with(&AS_WRITTEN) {
        return None;
    }
    let zigzag = length.iter().rev().fold(0u64, |all, byte| all << 7 | u64::from(byte & 0x7f));
    let bytes = usize::try_from(zigzag / 2).ok().filter(|bytes| zigzag % 2 == 0 && *bytes >= BLOCK_BYTES)?;
    let blocks = u32::try_from(bytes / BLOCK_BYTES).ok().filter(|_| bytes % BLOCK_BYTES == 0)?;
    Some((blocks, 1 + length.len() + AS_WRITTEN.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::write::tests::written;
    use crate::testing::deploys;

    #[test]
    fn a_filter_lets_what_was_written_and_hardly_anything_else() {
        let times: Vec<i64> = (0..20_000).collect();
        let (input, footer) = written(|file| file.push(&deploys(&times)).expect("taken"));
        let group = footer.metadata().row_group(0);
        let column = |name: &str| {
            group.columns().iter().find(|column| column.column_path().string() == name).expect("a column")
        };
        let lets = |value: &str| super::lets(&input, column("event_id"), value.as_bytes()).expect("read");
        assert!(column("event_id").bloom_filter_offset().is_some());
        assert!(times.iter().all(|time| lets(&format!("e{time}"))));
        let wrong = (20_000..40_000).filter(|time| lets(&format!("e{time}"))).count();
        assert!(wrong < 800, "{wrong} of 20,000");
        assert!(super::lets(&input, column("version"), b"anything").expect("read"), "it has no filter");
    }

    #[test]
    fn the_length_of_a_filter_says_what_stands_in_front_of_it() {
        for count in [1, 300, 20_000, 120_000] {
            let (input, footer) =
                written(|file| file.push(&deploys(&(0..count).collect::<Vec<_>>())).expect("taken"));
            let columns = footer.metadata().row_group(0).columns().iter();
            let mut filters = 0;
            for column in columns {
                let Some(offset) = column.bloom_filter_offset() else { continue };
                let read = input.get_bytes(offset as u64, HEADER_BYTES).expect("read");
                assert!(header(&read).is_some());
                assert_eq!(by_length(column), header(&read), "{count} rows");
                filters += 1;
            }
            assert_eq!(filters, 2, "of the id and of the service");
        }
        for blocks in [1_u32, 2, 4096, 1 << 20] {
            let bytes = blocks as usize * BLOCK_BYTES;
            let mut written = vec![LENGTH_FIELD];
            let mut zigzag = bytes * 2;
            while zigzag >= 0x80 {
                written.push((zigzag & 0x7f) as u8 | 0x80);
                zigzag >>= 7;
            }
            written.push(zigzag as u8);
            written.extend_from_slice(&AS_WRITTEN);
            assert_eq!(header(&written), Some((blocks, header_bytes(bytes))));
        }
    }

    #[test]
    fn a_filter_of_another_kind_tells_nothing() {
        let mut written = vec![LENGTH_FIELD, 64];
        written.extend_from_slice(&AS_WRITTEN);
        assert_eq!(header(&written), Some((1, 15)));
        assert_eq!(header(&[&[LENGTH_FIELD, 0x80, 0x80, 0x20], &AS_WRITTEN[..]].concat()), Some((8192, 17)));
        for wrong in [&written[..14], &[], &[LENGTH_FIELD; 30], &[0; 30]] {
            assert_eq!(header(wrong), None, "{wrong:?}");
        }
        for place in 2..written.len() {
            let mut other = written.clone();
            other[place] ^= 1;
            assert_eq!(header(&other), None, "{place}");
        }
    }
}
