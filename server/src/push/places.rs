//! Who has how many of the places from which pushes are sent: nobody more than a few, so that one person with slow services,
//! or one slow host, leaves places for everybody else.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use confab_core::push::{AT_ONCE, AT_ONCE_A_HOST, AT_ONCE_A_USER, Full};
use uuid::Uuid;

/// The places of this server, and who has them.
#[derive(Default)]
pub(super) struct Places {
    users: HashMap<Uuid, usize>,
    hosts: HashMap<String, usize>,
    taken: usize,
}

impl Places {
    /// Whether nobody else can begin.
    pub fn are_all_taken(&self) -> bool {
        self.taken >= AT_ONCE
    }

    /// Takes one, if there is one for this user and this host.
    pub fn take(&mut self, user: Uuid, host: &str) -> bool {
        let of_user = self.users.get(&user).copied().unwrap_or(0);
        let of_host = self.hosts.get(host).copied().unwrap_or(0);
        if self.are_all_taken() || of_user >= AT_ONCE_A_USER || of_host >= AT_ONCE_A_HOST {
            return false;
        }
        self.users.insert(user, of_user + 1);
        self.hosts.insert(host.to_owned(), of_host + 1);
        self.taken += 1;
        true
    }

    /// Gives one back.
    pub fn give_back(&mut self, user: Uuid, host: &str) {
        self.taken = self.taken.saturating_sub(1);
        lessen(&mut self.users, &user);
        lessen(&mut self.hosts, host);
    }

    /// Who has as many as they may.
    pub fn full(&self) -> Full {
        let users = self.users.iter().filter(|(_, count)| **count >= AT_ONCE_A_USER);
        let hosts = self.hosts.iter().filter(|(_, count)| **count >= AT_ONCE_A_HOST);
        Full { users: users.map(|it| *it.0).collect(), hosts: hosts.map(|it| it.0.clone()).collect() }
    }
}

/// Counts one less. Who has none is forgotten.
fn lessen<K: Hash + Eq + Borrow<Q>, Q: Hash + Eq + ?Sized>(counts: &mut HashMap<K, usize>, key: &Q) {
    match counts.get_mut(key) {
        Some(count) if *count > 1 => *count -= 1,
        _ => drop(counts.remove(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_and_no_host_takes_all_places() {
        let mut places = Places::default();
        let (slow, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let taken = (0..20).filter(|number| places.take(slow, &format!("host{number}"))).count();
        assert_eq!(taken, AT_ONCE_A_USER);
        assert_eq!((places.full().users, places.full().hosts), (vec![slow], vec![]));
        assert!(places.take(other, "host0"), "others pass by");

        let taken = (10..99).filter(|number| places.take(Uuid::from_u128(*number), "slow.example")).count();
        assert_eq!(taken, AT_ONCE_A_HOST);
        assert_eq!(places.full().hosts, ["slow.example"]);
        let rest =
            (100..199).filter(|number| places.take(Uuid::from_u128(*number), &format!("h{number}"))).count();
        assert_eq!(rest, AT_ONCE - AT_ONCE_A_HOST - AT_ONCE_A_USER - 1);
        assert!(places.are_all_taken() && !places.take(Uuid::from_u128(500), "new"));

        places.give_back(slow, "host0");
        places.give_back(Uuid::from_u128(10), "slow.example");
        assert!(places.full().users.is_empty() && places.full().hosts.is_empty());
        assert!(places.take(Uuid::from_u128(500), "slow.example") && places.take(slow, "host1"));
    }

    #[test]
    fn who_has_none_is_forgotten() {
        let mut places = Places::default();
        for number in 0..1_000 {
            assert!(places.take(Uuid::from_u128(number), &format!("h{number}")));
            places.give_back(Uuid::from_u128(number), &format!("h{number}"));
        }
        assert!(places.users.is_empty() && places.hosts.is_empty());
    }
}
