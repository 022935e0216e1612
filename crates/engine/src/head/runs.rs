//! Runs of bytes that grow side by side, thousands of them, in blocks of one size.
//!
//! A run that grows takes a block more: nothing is moved, no room is kept for what may come but the rest of
//! the last block, and no pieces are left behind that fit nobody.

/// A line of a processor's cache: an append touches one.
const BLOCK_BYTES: usize = 64;
/// What of a block is the run's; the rest says which block is next.
const CONTENT_BYTES: usize = BLOCK_BYTES - size_of::<u32>();
/// Blocks that are taken from the allocator at once: more than what a request takes for a moment, so that a slab does
/// not lie down in the place of that, and the next request needs a new one.
const SLAB_BLOCKS: usize = 1024;
/// The most that is appended at once.
pub(crate) const MAX_APPEND_BYTES: usize = 24;

/// Where the runs lie.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// All but the last are full; none ever moves.
    slabs: Vec<Vec<Block>>,
    blocks: u32,
}

#[derive(Debug)]
#[repr(align(64))]
struct Block {
    content: [u8; CONTENT_BYTES],
    /// The number of the next block; zero for none, because no block follows upon itself.
    next: u32,
}

/// One run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    first: u32,
    last: u32,
    length: u32,
}

impl Run {
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The run before anything was appended; it keeps its blocks.
    pub(crate) fn emptied(self) -> Self {
        Self { last: self.first, length: 0, ..self }
    }
}

impl Runs {
    /// Memory of all runs.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks as usize * BLOCK_BYTES
    }

    /// Appends the first `length` of `bytes`.
    #[inline]
    pub(crate) fn append(&mut self, run: &mut Run, bytes: &[u8; MAX_APPEND_BYTES], length: usize) {
        let at = run.length as usize % CONTENT_BYTES;
        if at > 0
            && let Some(room) = self.block_mut(run.last).content[at..].first_chunk_mut::<MAX_APPEND_BYTES>()
        {
            // More than there is, because copying a fixed number of bytes is quick: the next append goes over it.
            *room = *bytes;
            run.length += length as u32;
        } else {
            self.append_over_blocks(run, &bytes[..length]);
        }
    }

    fn append_over_blocks(&mut self, run: &mut Run, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = run.length as usize % CONTENT_BYTES;
            if at == 0 {
                self.go_on(run);
            }
            let room = &mut self.block_mut(run.last).content[at..];
            let (now, rest) = bytes.split_at(bytes.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            run.length += now.len() as u32;
            bytes = rest;
        }
    }

    /// Puts the run's end into a block where there is room.
    fn go_on(&mut self, run: &mut Run) {
        if run.length == 0 && run.first == 0 {
            run.first = self.new_block();
            run.last = run.first;
        } else if run.length > 0 {
            let next = match self.block(run.last).next {
                0 => self.new_block(),
                kept => kept,
            };
            self.block_mut(run.last).next = next;
            run.last = next;
        }
    }

    /// Numbers begin at one.
    fn new_block(&mut self) -> u32 {
        let place = self.blocks as usize % SLAB_BLOCKS;
        if place == 0 {
            self.slabs.push(Vec::with_capacity(SLAB_BLOCKS));
        }
        let slab = self.slabs.last_mut().expect("there is a slab for the block");
        slab.push(Block { content: [0; CONTENT_BYTES], next: 0 });
        self.blocks = self.blocks.checked_add(1).expect("memory ends before a shard has 256 GiB");
        self.blocks
    }

    fn block(&self, number: u32) -> &Block {
        let place = number as usize - 1;
        &self.slabs[place / SLAB_BLOCKS][place % SLAB_BLOCKS]
    }

    fn block_mut(&mut self, number: u32) -> &mut Block {
        let place = number as usize - 1;
        &mut self.slabs[place / SLAB_BLOCKS][place % SLAB_BLOCKS]
    }

    /// Writes a run behind what `into` has.
    pub(crate) fn read(&self, run: Run, into: &mut Vec<u8>) {
        let mut left = run.length as usize;
        into.reserve(left);
        let mut number = run.first;
        while left > 0 {
            let block = self.block(number);
            let here = left.min(CONTENT_BYTES);
            into.extend_from_slice(&block.content[..here]);
            left -= here;
            number = block.next;
        }
    }

    /// A byte of the block that the next append goes to, for the sake of having it near.
    #[inline]
    pub(crate) fn touch(&self, run: Run) -> u8 {
        if run.first == 0 { 0 } else { self.block(run.last).content[0] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_fills_a_line_of_the_cache() {
        assert_eq!((size_of::<Block>(), align_of::<Block>()), (BLOCK_BYTES, 64));
    }

    proptest! {
        #[test]
        fn runs_that_grow_side_by_side_keep_their_bytes(
            appends in proptest::collection::vec((0usize..5, 1..=MAX_APPEND_BYTES, any::<bool>()), 0..400),
        ) {
            let mut runs = Runs::default();
            let mut all = [(); 5].map(|()| (Run::default(), Vec::new()));
            let mut byte = 0u8;
            for (place, length, empty) in appends {
                let (run, expected) = &mut all[place];
                if empty && length == 1 {
                    *run = run.emptied();
                    expected.clear();
                }
                let bytes = std::array::from_fn(|_| { byte = byte.wrapping_add(1); byte });
                runs.append(run, &bytes, length);
                expected.extend_from_slice(&bytes[..length]);
            }
            for (run, expected) in &all {
                let mut found = Vec::new();
                runs.read(*run, &mut found);
                prop_assert_eq!(&found, expected);
                prop_assert_eq!(run.is_empty(), expected.is_empty());
            }
        }
    }
}
