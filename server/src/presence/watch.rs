//! Which servers are gone: those whose rows say the same for a whole lease, by the looks of this one.

use std::collections::HashMap;

use confab_core::presences::{LEASE, Seen};
use uuid::Uuid;

use super::TICK;

/// So many looks apart is a lease. Looks are counted, not time: a server that stood still itself has not looked, and would
/// take the others for gone when it wakes.
const LOOKS: u128 = LEASE.as_millis() / TICK.as_millis();

/// How each row was found, and in how many looks it was the same.
#[derive(Default)]
pub struct Watch(HashMap<Uuid, (Seen, u128)>);

impl Watch {
    /// A look at all rows, a [`TICK`] behind the one before it. Answers which servers are gone.
    pub fn look(&mut self, rows: Vec<Seen>, own: Uuid) -> Vec<Seen> {
        let mut found = HashMap::with_capacity(rows.len());
        for seen in rows.into_iter().filter(|seen| seen.node != own) {
            let same =
                self.0.get(&seen.node).filter(|before| before.0 == seen).map_or(0, |before| before.1 + 1);
            found.insert(seen.node, (seen, same));
        }
        self.0 = found;
        let is_gone = |(seen, same): &&(Seen, u128)| seen.is_retired() || *same >= LOOKS;
        self.0.values().filter(is_gone).map(|it| it.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_gone_whose_row_stays_the_same_whatever_it_says() {
        let [own, live, dead, retired] = [1, 2, 3, 4].map(Uuid::from_u128);
        let row = |node, value| Seen { node, value };
        let mut watch = Watch::default();
        for look in 0..10 {
            // The clock of one is far behind, that of the other far ahead.
            let rows = vec![row(own, 7), row(live, 10 + look), row(dead, i64::MAX)];
            let gone = watch.look(rows, own);
            assert_eq!(gone, if look < 4 { vec![] } else { vec![row(dead, i64::MAX)] }, "look {look}");
        }
        // It came back, and another said that it goes.
        let rows = vec![row(live, 10), row(dead, 5), row(retired, 0)];
        assert_eq!(watch.look(rows, own), [row(retired, 0)]);
        // A row that another server takes over is left to it, unless that one stops as well.
        for look in 0..6 {
            let gone = watch.look(vec![row(dead, -1)], own);
            assert_eq!(gone.len(), usize::from(look >= 4), "look {look}");
        }
    }
}
