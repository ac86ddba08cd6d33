"""Greets people, and counts how often."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.command_handler import Invocation
from wit_world.imports import kv, types


def say(content: str) -> types.Reply:
    """What the plugin's bot says where everybody sees it."""
    return types.Reply_Public(types.Draft(content, [], []))


class CommandHandler(exports.CommandHandler):
    def on_command(self, call: Invocation) -> types.Reply:
        given = {argument.name: argument.value.value for argument in call.arguments}
        try:
            count = kv.add("greetings", 1)
        except Err as failure:
            # Shown to whoever gave the command, and to nobody else.
            raise Err(f"I cannot count: {failure.value}") from None
        whom = given.get("whom", "everybody")
        return say(f"{call.user.display_name} greets {whom} (greeting {count})")
