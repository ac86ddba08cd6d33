//! Why a plugin is called: it gives the host's posts their names, so that the same occasion, met again, posts nothing
//! a second time.

use uuid::Uuid;

/// The longest nonce that a message may have.
const NONCE_BYTES: usize = 100;

/// See the module.
#[derive(Clone, Debug)]
pub(in crate::plugins) struct Occasion {
    name: String,
}

impl Occasion {
    /// The event at `pos` of the log.
    pub(in crate::plugins) fn event(pos: i64) -> Self {
        Self { name: pos.to_string() }
    }

    /// The custom reaction at `pos`. A plugin may get the same event in both ways, and they must not share names.
    pub(in crate::plugins) fn reaction(pos: i64) -> Self {
        Self { name: format!("{pos}:reaction") }
    }

    /// A command that a person gave.
    pub(in crate::plugins) fn command(invocation: Uuid) -> Self {
        Self { name: invocation.to_string() }
    }

    /// A timer that was due then: each try of it, and no other time of the same timer, has the same name.
    pub(in crate::plugins) fn timer(name: &str, due_at: i64) -> Self {
        let short: String = confab_core::text::hash(name).chars().take(16).collect();
        Self { name: format!("timer:{short}:{due_at}") }
    }

    /// What another program sent to an address of the plugin. The same delivery once more says nothing a second time.
    pub(in crate::plugins) fn webhook(name: &str, delivery: &str) -> Self {
        let short: String = confab_core::text::hash(&format!("{name} {delivery}")).chars().take(32).collect();
        Self { name: format!("webhook:{short}") }
    }

    /// The installation of a component, or the upgrade to it.
    pub(in crate::plugins) fn installation(sha256: &str) -> Self {
        Self { name: sha256.chars().take(16).collect() }
    }

    /// The nonce of the post that is the `number`th of the call.
    pub(super) fn nonce(&self, plugin_id: &str, number: u32) -> String {
        let nonce = format!("plugin:{plugin_id}:{}:{number}", self.name);
        if nonce.len() <= NONCE_BYTES {
            return nonce;
        }
        // The id alone may be as long as a nonce.
        let short: String = confab_core::text::hash(plugin_id).chars().take(32).collect();
        format!("plugin:{short}:{}:{number}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_the_same_for_the_same_occasion_and_always_fits() {
        let long = format!("org.{}", "x".repeat(96));
        for id in ["chat.confab.dice", &long] {
            let occasions = [
                Occasion::event(i64::MAX),
                Occasion::reaction(i64::MAX),
                Occasion::command(Uuid::max()),
                Occasion::installation(&"f".repeat(64)),
            ];
            let nonces: Vec<String> = occasions.iter().map(|it| it.nonce(id, u32::MAX)).collect();
            assert!(nonces.iter().all(|nonce| nonce.len() <= NONCE_BYTES), "{nonces:?}");
            assert_eq!(nonces[0], Occasion::event(i64::MAX).nonce(id, u32::MAX));
            assert_ne!(nonces[0], nonces[1]);
            assert_ne!(nonces[0], occasions[0].nonce(id, 0));
        }
        assert_eq!(Occasion::event(7).nonce("chat.confab.dice", 0), "plugin:chat.confab.dice:7:0");
    }
}
