#!/usr/bin/env python3
"""Collects what the table is fitted on: texts.py FOLDER CHAT.zip TEXTS.json [--most N]

Documents are those of inputs.json: source packages of PyPI, by name and version, fetched into FOLDER with pip. CHAT.zip is
a chat in the shape of a Slack export. TEXTS.json gets `messages`, `sentences` and `pairs`: places of two texts that belong
together, with how much they count.
"""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).parent
# An answer comes within this time, in seconds.
SOON = 600
# Pairs of one author's next message, and of one thread, say less.
NEXT, SAME_THREAD = 0.3, 0.5


def documents(folder: Path) -> list[str]:
    """Sentences of every document, markup taken off as well as a few expressions can."""
    found = []
    for source in json.loads((HERE / "inputs.json").read_text(encoding="utf-8")):
        if source["kind"] != "documents":
            continue
        wanted = f"{source['name']}=={source['version']}"
        if not (archives := archives_of(folder, source)):
            call = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "-d", str(folder), wanted]
            subprocess.run(call, check=True)
            archives = archives_of(folder, source)
        with tarfile.open(archives[0]) as archive:
            for member in archive:
                if member.isfile() and fnmatch(member.name.split("/", 1)[-1], source["files"]):
                    found += sentences(archive.extractfile(member).read().decode("utf-8", "replace"))
    return found


def archives_of(folder: Path, source: dict) -> list[Path]:
    return [it for it in folder.glob("*.tar.gz") if it.name.lower() == f"{source['name']}-{source['version']}.tar.gz"]


def sentences(text: str) -> list[str]:
    found = []
    for block in re.split(r"\n\s*\n", text):
        # What is indented or marked is code, a directive or a table.
        if not block or block[0] in " \t.=-~|+>" or "::" in block:
            continue
        plain = re.sub(r":[a-z:]+:`([^`<]*)[^`]*`", r"\1", block.replace("``", "").replace("\n", " "))
        for sentence in re.split(r"(?<=[.!?])\s+", plain):
            words = sentence.split()
            if 4 <= len(words) <= 40 and sum(word.isalpha() for word in words) * 2 > len(words):
                found.append(sentence.strip())
    return found


def chat(path: Path, most: int) -> tuple[list[str], list[tuple[int, int, float]]]:
    """Messages and their pairs: an answer with what it answers, those of one thread, one author's next."""
    texts: list[str] = []
    pairs: list[tuple[int, int, float]] = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.count("/") != 1 or not name.endswith(".json"):
                continue
            said = [it for it in json.loads(archive.read(name)) if it.get("text") and "subtype" not in it]
            last: dict[str, tuple[int, float]] = {}
            threads: dict[str, int] = {}
            for message in said:
                at, when, author = len(texts), float(message["ts"]), message.get("user", "")
                text = message["text"].strip()
                addressed = re.match(r"([^\s:,]{2,24})[:,]\s+(.*)", text)
                if author in last and when - last[author][1] < SOON:
                    pairs.append((last[author][0], at, NEXT))
                if addressed and addressed[1] in last and when - last[addressed[1]][1] < SOON:
                    # The name is taken off: else texts would be alike for naming the same person.
                    text = addressed[2]
                    pairs.append((last[addressed[1]][0], at, 1.0))
                if (thread := message.get("thread_ts")) is not None:
                    if thread in threads:
                        pairs.append((threads[thread], at, SAME_THREAD))
                    threads.setdefault(thread, at)
                last[author] = (at, when)
                texts.append(text)
                if len(texts) == most:
                    return texts, pairs
    return texts, pairs


def main(folder: str, export: str, out: str, most: int) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    messages, pairs = chat(Path(export), most)
    texts = documents(Path(folder))[:most]
    Path(out).write_text(json.dumps({"messages": messages, "sentences": texts, "pairs": pairs}), encoding="utf-8")
    print(f"{len(messages)} messages, {len(texts)} sentences, {len(pairs)} pairs")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    limit = 10**9
    if "--most" in arguments:
        at = arguments.index("--most")
        limit = int(arguments[at + 1])
        del arguments[at : at + 2]
    if len(arguments) != 3:
        raise SystemExit(__doc__.splitlines()[0])
    main(*arguments, limit)
