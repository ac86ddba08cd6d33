#!/usr/bin/env python3
"""Measures how well search finds, and that it finds nothing it must not:
python3 ops/eval/run.py path/to/confab [chat.json.gz|languages] [CONFAB_…=…]

Starts the program on an import of unseen.json.gz, or of the excerpt that is named, or of chat made up in ten languages, asks each question by each mode as somebody who is a member of nothing,
and prints a table for docs/quality.md. Ends with 1 when anything was found that the asker may not read.
"""

import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile
from collections import Counter
from pathlib import Path

from languages import generated
from parrot import KINDS, Parrot

MODES = ("keyword", "semantic", "hybrid")
HITS = 10
DEADLINE_S = 600
PASSWORD = "a reader walks the quiet harbour"
SETTINGS = {
    "CONFAB_RATE_LIMITS": "off",
    "CONFAB_REGISTRATION": "open",
    "CONFAB_ADMIN_USERNAME": "warden",
    "CONFAB_ADMIN_EMAIL": "warden@example.org",
    "CONFAB_ADMIN_PASSWORD": "a warden keeps many keys",
    "CONFAB_LISTEN": "127.0.0.1:0",
}


class Server:
    """The program, and somebody who calls it."""

    def __init__(self, program: str, folder: Path, more: dict[str, str]):
        settings = {**{key: value for key, value in os.environ.items() if not key.startswith("CONFAB_")}, **SETTINGS, **more}
        arguments = ["--data-dir", str(folder / "data")]
        subprocess.run([program, "import", "slack", str(folder / "export.zip"), *arguments], check=True, env=settings, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([program, "serve", *arguments], env=settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.token = ""
        while not self.address:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server does not start")
            if "http://" in line:
                self.address = line[line.index("http://") :].split()[0].rstrip("/")

    def call(self, path: str, form: dict | None = None) -> dict:
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        body = None if form is None else json.dumps(form).encode()
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def search(self, mode: str, words: str) -> dict:
        return self.call("search/messages?" + urllib.parse.urlencode({"mode": mode, "limit": HITS, "q": words}))


def export(chat: dict, path: Path) -> None:
    """The chat as an export of Slack's: a public channel each day, and one that the asker is not in."""
    places = {day["name"]: day["messages"] for day in chat["days"]} | {"hidden": hidden(chat)}
    people = sorted({it["user"] for said in places.values() for it in said})
    ids = {name: f"U{number:06}" for number, name in enumerate(people)}
    owner = ids[people[0]]
    channel = lambda name: {"id": f"C{name}", "name": name, "created": 0, "creator": owner, "members": [owner]}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        write = lambda name, value: archive.writestr(name, json.dumps(value))
        write("users.json", [{"id": ids[name], "name": name, "profile": {}} for name in people])
        write("channels.json", [channel(day["name"]) for day in chat["days"]])
        write("groups.json", [channel("hidden")])
        for name, said in places.items():
            lines = [{"type": "message", "user": ids[it["user"]], "ts": it["ts"], "text": it["text"]} for it in said]
            write(f"{name}/2004-01-01.json", lines)


def hidden(chat: dict) -> list[dict]:
    """What must not be found: another day, and copies of the answers, which would be found and counted best of all."""
    answers = [day["messages"][int(at)] for day in chat["days"] for question in day["questions"] for at in question["grades"]]
    return chat["hidden"] + answers


def known(server: Server, chat: dict) -> tuple[dict[str, tuple[str, str]], set[str]]:
    """What each message's id stands for, and the ids of the channels that may be read."""
    places, channels = {}, {it["name"]: it["id"] for it in server.call("channels?limit=100")["items"]}
    for day in chat["days"]:
        after, number = 0, 0
        while page := server.call(f"channels/{channels[day['name']]}/messages?after_seq={after}&limit=100")["items"]:
            for message in page:
                places[message["id"]] = (day["name"], str(number))
                number += 1
            after = page[-1]["seq"]
        if number != len(day["messages"]):
            raise SystemExit(f"{number} messages of {day['name']} came in, not {len(day['messages'])}")
    return places, {channels[day["name"]] for day in chat["days"]}


def judged(found: list[tuple[str, str]], day: str, grades: dict[str, int]) -> tuple[float, float, float]:
    """nDCG@10 by grade; of the direct answers the share found, and one by the place of the first."""
    gain = lambda grade, place: (2**grade - 1) / math.log2(place + 2)
    got = [grades.get(at, 0) if name == day else 0 for name, at in found[:HITS]]
    best = sorted(grades.values(), reverse=True)[:HITS]
    direct = [place for place, grade in enumerate(got) if grade == 2]
    ndcg = sum(map(gain, got, range(HITS))) / sum(map(gain, best, range(HITS)))
    return ndcg, len(direct) / sum(grade == 2 for grade in grades.values()), 1 / (direct[0] + 1) if direct else 0.0


def plain(question: str) -> str:
    """Without marks that mean something to search: nobody who asked meant them so."""
    return question.replace('"', " ").replace(":", " ")


def main() -> None:
    named = next((it for it in sys.argv[2:] if "=" not in it), "unseen.json.gz")
    chat = generated() if named == "languages" else json.loads(gzip.decompress(Path(__file__).with_name(named).read_bytes()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(chat, folder / "export.zip")
        parrot = Parrot()
        chosen = dict(it.split("=", 1) for it in sys.argv[2:] if "=" in it)
        if chosen:
            print("with " + " ".join(sorted(chosen)))
        server = Server(sys.argv[1], folder, {**parrot.settings, **chosen})
        try:
            measure(server, chat, parrot)
        finally:
            server.process.terminate()
            server.process.wait()


def measure(server: Server, chat: dict, parrot: Parrot) -> None:
    server.call("auth/register", {"username": "reader", "email": "reader@example.org", "password": PASSWORD})
    server.token = server.call("auth/login", {"username": "reader", "password": PASSWORD})["access_token"]
    places, readable = known(server, chat)
    started = time.monotonic()
    while server.search("hybrid", "is everything here now?")["partial"]:
        if time.monotonic() - started > DEADLINE_S:
            raise SystemExit("not everything is indexed in time")
        time.sleep(0.2)
    questions = [(day["name"], question) for day in chat["days"] for question in day["questions"]]
    print(f"{len(places)} messages, {len(questions)} questions, {len(hidden(chat))} messages that must not be found\n")
    print("| mode | nDCG@10 | recall@10 | MRR | leaks |\n|---|---|---|---|---|")
    said = Counter(folded(it["text"]) for day in chat["days"] for it in day["messages"])
    leaks = 0
    for mode in MODES:
        scores, leaked = [], 0
        for day, question in questions:
            answer = asked(server, mode, question["text"])
            hits = answer["items"]
            leaked += sum(hit["channel"]["id"] not in readable for hit in hits)
            # Every copy that is counted must be one that could have been shown; no thread is there to be counted.
            leaked += sum(hit["more_in_thread"] > 0 for hit in hits)
            leaked += sum(hit["copies"] > 0 and hit["copies"] >= said[folded(hit["message"]["content"])] for hit in hits)
            scores.append(judged([places[hit["message"]["id"]] for hit in hits if hit["message"]["id"] in places], day, question["grades"]))
        means = [sum(column) / len(scores) for column in zip(*scores)]
        print(f"| {mode} | " + " | ".join(f"{mean:.3f}" for mean in means) + f" | {leaked} |")
        leaks += leaked
    leaks += answered(server, questions, readable, places)
    leaks += believed(server, questions, parrot)
    if leaks:
        raise SystemExit(1)


def answered(server: Server, questions: list, readable: set[str], places: dict) -> int:
    """Answers of quotations: how many there are, how many quote what was answered then, and what is not as it stands."""
    count, right, quotes, wrong = 0, 0, 0, 0
    for day, question in questions:
        answer = server.call("ai/message", {"content": question["text"]})
        cited = [(places.get(it["message_id"]), it) for it in answer["citations"]]
        count += bool(cited)
        right += any(place and place[0] == day and place[1] in question["grades"] for place, _ in cited)
        for _, citation in cited:
            quotes += 1
            content = server.call(f"messages/{citation['message_id']}")["content"]
            wrong += citation["quote"] not in content or citation["channel_id"] not in readable
    print("\n| answers of quotations | of them from the thread of then | quotations | not verbatim, or not to be read |\n|---|---|---|---|")
    print(f"| {count} of {len(questions)} | {right} | {quotes} | {wrong} |")
    return wrong


def believed(server: Server, questions: list, parrot: Parrot) -> int:
    """Of a model's sentences those that were kept, by whether they are true."""
    parrot.speaks = True
    kept: Counter[str] = Counter()
    for _, question in questions:
        answer = server.call("ai/message", {"content": question["text"]})
        if answer["model"] != "parrot":
            continue
        for line in answer["answer"].split("\n"):
            kind = parrot.said.get(line.split("[")[0].strip().rstrip("."))
            kept[kind or "unknown"] += 1
    print("\n| a model's sentence | said | kept |\n|---|---|---|")
    for kind in KINDS:
        print(f"| {kind} | {parrot.count[kind]} | {kept[kind]} ({100 * kept[kind] / max(1, parrot.count[kind]):.1f} %) |")
    return kept["unknown"]


def asked(server: Server, mode: str, question: str) -> dict:
    # What is in quotes is meant so, and a few words fit as they are.
    if len(question.split()) <= 3:
        return server.search(mode, question)
    return keyword(server, question) if mode == "keyword" else server.search(mode, plain(question))


def keyword(server: Server, question: str) -> dict:
    """By words alone no more than sixteen may be asked for: the longest ones are."""
    words = "".join(letter if letter.isalnum() else " " for letter in question).split()
    chosen = set(sorted(words, key=len, reverse=True)[:16])
    return server.search("keyword", " ".join(word for word in dict.fromkeys(words) if word in chosen) or question)


def folded(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


if __name__ == "__main__":
    main()
