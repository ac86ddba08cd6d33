#!/usr/bin/env python3
"""Cuts a small Slack export out of a large one: make_excerpt.py FULL.zip slack-excerpt.zip

Keeps a few days of three channels as they are, texts unchanged, and the people who speak or are answered there. The
result is the same each time: entries are sorted and carry a fixed date.
"""

import json
import sys
import zipfile

DAYS = {
    "ubuntu-2004": ["2004-12-25"],
    "ubuntu-2008": ["2008-01-02", "2008-04-20"],
    "ubuntu-2018": ["2018-02-27"],
}


def main(full_path, excerpt_path):
    full = zipfile.ZipFile(full_path)
    entries = {}
    speakers = {}
    for channel, days in DAYS.items():
        speakers[channel] = set()
        for day in days:
            name = f"{channel}/{day}.json"
            messages = json.loads(full.read(name))
            entries[name] = messages
            speakers[channel] |= {message["user"] for message in messages if "user" in message}

    channels = [it for it in json.loads(full.read("channels.json")) if it["name"] in DAYS]
    for channel in channels:
        present = speakers[channel["name"]]
        channel["members"] = [member for member in channel["members"] if member in present]
        if channel["creator"] not in present:
            channel["creator"] = sorted(present)[0]
    known = set().union(*speakers.values())
    entries["channels.json"] = channels
    entries["users.json"] = [user for user in json.loads(full.read("users.json")) if user["id"] in known]
    for empty in ("groups.json", "dms.json", "mpims.json", "integration_logs.json"):
        entries[empty] = []

    with zipfile.ZipFile(excerpt_path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as excerpt:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            excerpt.writestr(entry, json.dumps(entries[name], ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main(*sys.argv[1:])
