//! A value that the newest event sets, whatever the order in which events arrive.

use model::Timestamp;

/// A value with the time of the event that set it.
#[derive(Clone, Debug)]
pub(crate) struct Latest<T>(Option<(Timestamp, T)>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: PartialOrd + Clone> Latest<T> {
    /// Takes `value` over if it is newer than what is there; of two at the same time the larger stays,
    /// so that the order of arrival makes no difference.
    pub(crate) fn offer(&mut self, time: Timestamp, value: Option<&T>) {
        let Some(value) = value else { return };
        match &mut self.0 {
            None => self.0 = Some((time, value.clone())),
            Some((held_at, held)) if time > *held_at || (time == *held_at && *value > *held) => {
                *held_at = time;
                // Into its memory: most say the same once more.
                held.clone_from(value);
            }
            Some(_) => {}
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }

    /// The value with the time of its event.
    pub(crate) fn at(&self) -> Option<(Timestamp, &T)> {
        self.0.as_ref().map(|(time, value)| (*time, value))
    }

    pub(crate) fn cloned(&self) -> Option<T> {
        self.get().cloned()
    }
}
