//! Fairness: which free slots a tenant may take while others wait.
//!
//! A tenant that has more jobs than it found slots for writes an item `waiting#<tenant>` with the time since it was last served,
//! or first arrived. A free slot belongs to the tenant that has waited longest, so as many slots are left free as tenants are
//! ahead. A tenant that takes a slot moves to the end of the line: round robin, one job per turn, and all slots for a tenant that
//! is alone. A tenant that has not polled for two minutes is skipped. The line is only about fairness; the claim ensures that no
//! slot is taken twice.

use crate::item::{Item, Value};
use crate::tables::{Change, Table, Write};

/// Slightly more than two sweeps.
const ALIVE_MILLIS: u64 = 130_000;

/// The slots and the line as one tenant read them.
pub(crate) struct Board {
    tenant: String,
    free: Vec<String>,
    /// Since when each of the others has been waiting.
    others: Vec<u64>,
    /// Since when this tenant has been in the line.
    since: Option<u64>,
    now: u64,
    served: bool,
}

impl Board {
    pub(crate) fn read(items: &[Item], tenant: &str, slots: u32, now: u64) -> Board {
        let name = |item: &Item| match item.get("slot") {
            Some(Value::S(name)) => name.clone(),
            _ => String::new(),
        };
        let number = |item: &Item, attribute: &str| match item.get(attribute) {
            Some(Value::N(number)) => *number,
            _ => 0,
        };
        let taken: Vec<String> = items.iter().map(name).collect();
        let free = (0..slots).map(|number| format!("slot#{number}")).filter(|slot| !taken.contains(slot)).collect();
        let mut board = Board { tenant: tenant.to_owned(), free, others: Vec::new(), since: None, now, served: false };
        for item in items {
            match name(item).strip_prefix("waiting#") {
                Some(waiting) if waiting == tenant => board.since = Some(number(item, "since")),
                Some(_) if now.saturating_sub(number(item, "seen")) < ALIVE_MILLIS => {
                    board.others.push(number(item, "since"));
                }
                _ => {}
            }
        }
        board
    }

    /// A free slot, if this tenant may have one.
    pub(crate) fn take(&mut self) -> Option<String> {
        let since = if self.served { u64::MAX } else { self.since.unwrap_or(self.now) };
        let ahead = self.others.iter().filter(|other| **other < since).count();
        if self.free.len() > ahead { Some(self.free.remove(0)) } else { None }
    }

    /// The slot was not used after all.
    pub(crate) fn give_back(&mut self, slot: String) {
        self.free.insert(0, slot);
    }

    pub(crate) fn serve(&mut self) {
        self.served = true;
    }

    /// This tenant's place in the line from now on; `more` if it still has jobs to start.
    pub(crate) fn place(&self, more: bool) -> Option<Change> {
        let item = Table::Slots(format!("waiting#{}", self.tenant));
        let since = if self.served { self.now } else { self.since.unwrap_or(self.now) };
        let write = if more {
            Write::Put(vec![("since", since.into()), ("seen", self.now.into())])
        } else if self.since.is_some() {
            Write::Delete
        } else {
            return None;
        };
        Some(Change { item, checks: Vec::new(), write })
    }
}
