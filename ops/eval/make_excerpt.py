#!/usr/bin/env python3
"""Makes unseen.json.gz and chat.json.gz, excerpts that run.py searches: python3 make_excerpt.py irc-slack-export.zip

The export holds days of a public IRC channel in which people marked who answers whom. Threads are what search must find
without being told, so none are kept; a question that is asked is taken out of what is searched.

On 113 of the 153 days the built-in table was fitted, and chat.json.gz is all of those: answers are nearer to their questions
there than they would be anywhere else. Which days they are is plain from the table: how often an answer is nearer to what it
answers than to another message is 0.83 and more on each of them, and 0.76 at most on each of the other 40.
"""

import gzip
import json
import random
import sys
import zipfile
from pathlib import Path

DAYS = 6
# Of the 40 other days ten, and one to hide: the weights of answers were chosen on days that are not among the ten.
UNSEEN = [
    "2005-02-06", "2005-07-29", "2006-05-02", "2006-12-20", "2007-06-17",
    "2009-01-05", "2011-02-13", "2011-12-07", "2013-05-28", "2015-06-12", "2007-01-29",
]
FEWEST_WORDS = 6
MOST_CHARACTERS = 250
NOISE = {"channel_join", "channel_leave"}


def days_of(archive: zipfile.ZipFile) -> list[str]:
    days = sorted(name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".json"))
    return random.Random(2026).sample(days, DAYS + 1)


def unseen(archive: zipfile.ZipFile) -> list[str]:
    names = {name.split("/")[-1].removesuffix(".json"): name for name in archive.namelist() if name.count("/") == 1}
    return [names[day] for day in UNSEEN]


def grades(thread: list[int], at: int, messages: list[dict]) -> dict[int, int]:
    """Who else said something in the thread: 2 for the first answer and for those that name the asker, else 1."""
    asker = messages[thread[at]]["user"]
    others = [it for it in thread if messages[it]["user"] != asker]
    after = [it for it in thread[at + 1 :] if messages[it]["user"] != asker]
    found = {it: 1 for it in others}
    found.update({it: 2 for it in after[:1]})
    found.update({it: 2 for it in after if asker.lower() in messages[it]["text"].lower()})
    return found if after else {}


def one_day(archive: zipfile.ZipFile, name: str, names: dict[str, str]) -> dict:
    said = [it for it in json.loads(archive.read(name)) if it.get("subtype") not in NOISE and it.get("text", "").strip()]
    messages = [{"user": names[it["user"]], "ts": it["ts"], "text": it["text"]} for it in said]
    threads: dict[str, list[int]] = {}
    for at, it in enumerate(said):
        if it.get("thread_ts"):
            threads.setdefault(it["thread_ts"], []).append(at)
    questions = []
    for thread in threads.values():
        for at, place in enumerate(thread):
            text = messages[place]["text"]
            if "?" in text and len(text.split()) >= FEWEST_WORDS and len(text) <= MOST_CHARACTERS:
                found = grades(thread, at, messages)
                if found:
                    questions.append({"at": place, "text": text, "grades": found})
    asked = {question["at"] for question in questions}
    places = {old: new for new, old in enumerate(at for at in range(len(messages)) if at not in asked)}
    for question in questions:
        del question["at"]
        question["grades"] = {str(places[at]): grade for at, grade in question["grades"].items() if at in places}
    return {
        "name": name.split("/")[1].removesuffix(".json"),
        "messages": [it for at, it in enumerate(messages) if at not in asked],
        "questions": [it for it in questions if 2 in it["grades"].values()],
    }


def write(name: str, days: list[dict]) -> None:
    """The last day is the one to hide."""
    shown = days[:-1]
    text = json.dumps({"days": shown, "hidden": days[-1]["messages"]}, ensure_ascii=False, separators=(",", ":"))
    # Without a time in it, the same excerpt is the same file.
    Path(__file__).with_name(name).write_bytes(gzip.compress(text.encode(), mtime=0))
    print(name, sum(len(day["messages"]) for day in shown), "messages,", sum(len(day["questions"]) for day in shown), "questions")


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as archive:
        names = {it["id"]: it["name"] for it in json.loads(archive.read("users.json"))}
        for name, chosen in (("unseen.json.gz", unseen(archive)), ("chat.json.gz", days_of(archive))):
            write(name, [one_day(archive, day, names) for day in chosen])


if __name__ == "__main__":
    main()
