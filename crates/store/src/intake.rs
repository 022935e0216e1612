//! By what right a batch comes in where there is little room left.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

/// By what right a batch comes in. A store that has no bounds treats all alike.
#[derive(Clone, Debug, Default)]
pub enum Intake {
    /// As most do: a part of what a store may hold is not for them.
    #[default]
    Usual,
    /// For that part as well, because it is little and nobody sends it again: results of rules, what is derived, what
    /// collectors find.
    Spare,
    /// Room was taken for it before ([`crate::TelemetryStore::reserve`]).
    Reserved(Arc<Reservation>),
}

/// Room for rows that come in several batches. What is left of it is given back when it is dropped.
pub struct Reservation {
    left: Mutex<u64>,
    give_back: Box<dyn Fn(u64) + Send + Sync>,
}

impl Reservation {
    /// Room for so many bytes, which goes back by `give_back`.
    pub fn new(bytes: u64, give_back: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self { left: Mutex::new(bytes), give_back: Box::new(give_back) }
    }

    /// The room of a store that has no bounds.
    pub fn boundless() -> Self {
        Self::new(0, |_| {})
    }

    /// Gives back what a batch has taken that is stored now, and is counted as that.
    pub fn spend(&self, bytes: u64) {
        let mut left = self.left.lock();
        let spent = bytes.min(*left);
        *left -= spent;
        drop(left);
        (self.give_back)(spent);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.spend(u64::MAX);
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Reservation").field("left", &*self.left.lock()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_and_what_is_left_go_back_once() {
        let back = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&back);
        let reservation = Reservation::new(10, move |bytes| seen.lock().push(bytes));
        reservation.spend(4);
        reservation.spend(1);
        drop(reservation);
        assert_eq!(*back.lock(), [4, 1, 5]);
        let seen = Arc::clone(&back);
        let reservation = Reservation::new(3, move |bytes| seen.lock().push(bytes));
        reservation.spend(9);
        drop(reservation);
        assert_eq!(back.lock()[3..], [3, 0], "never more than was taken");
    }
}
