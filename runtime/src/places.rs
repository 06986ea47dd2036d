//! Places in the session's network: addresses, and the network namespaces that may be used again.
//!
//! Making a network namespace and connecting it takes longer than most of a small step, and so does the kernel's
//! work when it goes. A step that used none of its sockets to the end leaves a namespace that is as good as new
//! ([`crate::network::is_unused`]); it waits here for the next step, with its address.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Namespaces that wait for a step at the same time; more would be kernel memory for nothing.
const WAITING: usize = 16;

/// All places of a session.
#[derive(Debug, Default)]
pub(crate) struct Places {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u32,
    /// Places that nobody has, and that have a namespace.
    free: Vec<u32>,
    namespaces: HashMap<u32, OwnedFd>,
}

/// A place in the session's network that one step at a time has; free again when dropped.
#[derive(Debug)]
pub struct Place {
    index: u32,
    places: Arc<Places>,
}

impl Place {
    /// The number of the place, for [`crate::StepSpec::net_index`].
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state();
        if !state.namespaces.contains_key(&self.index) {
            // The kernel may still be taking its interface away, so the number is not given out again.
            return;
        }
        if state.free.len() < WAITING {
            state.free.push(self.index);
        } else {
            state.namespaces.remove(&self.index);
        }
    }
}

impl Places {
    /// A place that nobody has: the one left last, or a new one.
    pub(crate) fn take(self: &Arc<Self>) -> Place {
        let mut state = self.state();
        let index = state.free.pop().unwrap_or_else(|| {
            state.next += 1;
            state.next - 1
        });
        Place {
            index,
            places: Arc::clone(self),
        }
    }

    /// Hands out the namespace that an earlier step left in a place.
    pub(crate) fn namespace(&self, index: u32) -> Option<OwnedFd> {
        self.state().namespaces.remove(&index)
    }

    /// Keeps the namespace that a step left in its place.
    pub(crate) fn leave(&self, index: u32, namespace: OwnedFd) {
        self.state().namespaces.insert(index, namespace);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace() -> OwnedFd {
        std::fs::File::open("/proc/self/ns/net").unwrap().into()
    }

    #[test]
    fn only_places_with_a_namespace_are_given_out_again() {
        let places = Arc::new(Places::default());
        let (first, second) = (places.take(), places.take());
        assert_eq!((first.index(), second.index()), (0, 1));
        places.leave(1, namespace());
        drop((first, second));
        let again = places.take();
        assert_eq!(again.index(), 1);
        assert_eq!(places.take().index(), 2);
        // One that was prepared for but not used is as good as before.
        drop(again);
        let again = places.take();
        assert_eq!(again.index(), 1);
        assert!(places.namespace(1).is_some() && places.namespace(1).is_none());
        drop(again);
        assert_eq!(places.take().index(), 3);
    }

    #[test]
    fn few_namespaces_wait() {
        let places = Arc::new(Places::default());
        let many: Vec<Place> = (0..2 * WAITING).map(|_| places.take()).collect();
        for place in &many {
            places.leave(place.index(), namespace());
        }
        drop(many);
        assert_eq!(places.state().namespaces.len(), WAITING);
    }
}
