//! What one dot shows of many devices.

use confab_protocol::gateway::PresenceStatus;

/// What shows. Without a device nobody is here, whatever they chose; with one, what they chose counts, then the wish not
/// to be disturbed, then the device that is most awake.
pub(super) fn shown(
    devices: &[PresenceStatus],
    chosen: Option<PresenceStatus>,
    is_quiet: bool,
) -> PresenceStatus {
    use PresenceStatus::{Away, Busy, Offline, Online};
    if devices.is_empty() {
        return Offline;
    }
    if let Some(chosen) = chosen {
        return chosen;
    }
    if is_quiet {
        return Busy;
    }
    [Busy, Online, Away].into_iter().find(|status| devices.contains(status)).unwrap_or(Offline)
}

#[cfg(test)]
mod tests {
    use super::PresenceStatus::{Away, Busy, Offline, Online};
    use super::shown;

    #[test]
    fn the_most_awake_device_shows_unless_its_person_says_otherwise() {
        assert_eq!(shown(&[], Some(Busy), true), Offline);
        assert_eq!(shown(&[Away, Online], None, false), Online);
        assert_eq!(shown(&[Away, Away], None, false), Away);
        assert_eq!(shown(&[Offline], None, false), Offline);
        assert_eq!(shown(&[Online, Busy], None, false), Busy);
        assert_eq!(shown(&[Online], None, true), Busy);
        assert_eq!(shown(&[Online], Some(Offline), true), Offline, "who wishes to seem offline does");
    }
}
