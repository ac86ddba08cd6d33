"""Keeps what the words of a team mean."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.command_handler import Invocation
from wit_world.imports import chat, kv, types
from wit_world.imports.events import Delivery, Event_MessagePosted


def text(content: str) -> types.Draft:
    return types.Draft(content, [], [])


def meaning_of(word: str) -> str | None:
    entry = kv.get("word:" + word.casefold())
    return entry.value.decode() if entry else None


class CommandHandler(exports.CommandHandler):
    def on_command(self, call: Invocation) -> types.Reply:
        given = {argument.name: argument.value.value for argument in call.arguments}
        word, meaning = given["word"], given.get("meaning")
        if meaning:
            kv.set("word:" + word.casefold(), meaning.encode(), None)
            return types.Reply_Public(text(f"**{word}**: {meaning}"))
        known = meaning_of(word)
        if known is None:
            # Shown to whoever gave the command, and to nobody else.
            raise Err(f"Nobody has said yet what {word} means.")
        return types.Reply_Whisper(text(f"**{word}**: {known}"))


class EventHandler(exports.EventHandler):
    def on_event(self, delivery: Delivery) -> None:
        match delivery.event:
            case Event_MessagePosted(message):
                word = message.content.removeprefix("?").strip()
                known = meaning_of(word) if word else None
                if known is not None:
                    thread = types.Place(message.place.channel, message.place.thread or message.id)
                    chat.post_message(thread, text(f"**{word}**: {known}"))
            case _:
                pass
