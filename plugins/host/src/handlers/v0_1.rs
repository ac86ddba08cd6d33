//! Version 0.1.

super::common!(v0_1, {
    Lifecycle: lifecycle in lifecycle,
    Events: events in event_handler,
    Commands: commands in command_handler,
    Reactions: reactions in reaction_handler,
}, others {});
