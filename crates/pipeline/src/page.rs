//! Pages of a list: how many items to skip and to take, and how many there are in all.

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items to skip.
    pub offset: usize,
    /// How many items to take at the most.
    pub limit: usize,
}

impl Default for Page {
    /// The first hundred.
    fn default() -> Self {
        Self { offset: 0, limit: 100 }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// How many items the whole list has.
    pub total: usize,
}

impl<T> Listing<T> {
    /// Takes the page out of the whole list, and makes what is shown only of the items on it.
    pub(crate) fn take<S>(
        all: impl ExactSizeIterator<Item = S>,
        page: Page,
        show: impl FnMut(S) -> T,
    ) -> Self {
        let total = all.len();
        Self { items: all.skip(page.offset).take(page.limit).map(show).collect(), total }
    }
}
