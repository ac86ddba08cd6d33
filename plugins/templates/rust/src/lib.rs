//! Greets people, and counts how often.

use confab_plugin_sdk::prelude::*;

struct Plugin;

impl CommandHandler for Plugin {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let count = kv::add("greetings", 1)?;
        let whom = call.text("whom").unwrap_or("everybody");
        Ok(Reply::say(format!("{} greets {whom} (greeting {count})", call.user.display_name)))
    }
}

confab_plugin_sdk::export!(Plugin: commands);
