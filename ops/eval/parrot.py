"""A language model for measuring the assistant: it says nothing, or sentences of which it is known whether they are true.

Of the numbered messages that it is told it repeats parts behind their own number (which must be kept), behind another's, with another
number in them, as a quotation that nobody wrote, and it invents (all of which must be dropped). It keeps count of what it said.
"""

import json
import random
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LINE = re.compile(r"^\[(\d+)\] \S+ \S+ #(?:\S+ )?\S+(?: \([^)]*\))?: (.*)$")
INVENTED = ["The moon is made of green cheese", "Everybody agreed to paint the boat red", "A walrus signed the contract in Lisbon"]
KINDS = ("repeated", "wrong source", "wrong number", "false quotation", "invented")


class Parrot:
    def __init__(self):
        self.speaks = False
        self.said: dict[str, str] = {}
        self.count: Counter[str] = Counter()
        self.dice = random.Random(20)
        parrot = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                text = parrot.answer(asked["messages"][-1].get("content") or "") if parrot.speaks else ""
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                for chunk in ({"choices": [{"index": 0, "delta": {"content": text}}]}, {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}):
                    self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.settings = {
            "CONFAB_LLM_BASE_URL": f"http://127.0.0.1:{self.server.server_address[1]}/v1",
            "CONFAB_LLM_MODEL": "parrot",
            "CONFAB_LLM_DAILY_TOKENS": str(2**40),
            "CONFAB_LLM_DAILY_TOKENS_PER_PERSON": str(2**40),
        }

    def answer(self, prompt: str) -> str:
        told = {int(found[1]): found[2] for line in prompt.splitlines() if (found := LINE.match(line))}
        parts = {n: part for n, text in told.items() if (part := clause(text))}
        self.said = {}
        for kind in KINDS:
            for number in self.dice.sample(sorted(parts), min(2, len(parts))):
                sentence, cited = self.sentence(kind, number, parts, told)
                if sentence and sentence not in self.said:
                    self.said[sentence] = kind
                    self.count[kind] += 1
                    self.said[sentence + "\0"] = str(cited)
        lines = [f"{sentence}. [{self.said[sentence + chr(0)]}]" for sentence in list(self.said) if not sentence.endswith("\0")]
        self.dice.shuffle(lines)
        return "\n".join(lines)

    def sentence(self, kind: str, number: int, parts: dict[int, str], told: dict[int, str]) -> tuple[str, int]:
        part = parts[number]
        if kind == "repeated":
            return part, number
        if kind == "wrong source":
            words = set(part.lower().split())
            others = [n for n, text in told.items() if not words & set(re.findall(r"\w+", text.lower()))]
            return (part, self.dice.choice(others)) if others else ("", number)
        if kind == "wrong number":
            return f"{part} {self.dice.randrange(7_000, 9_000)} times", number
        if kind == "false quotation":
            backwards = " ".join(reversed(part.split()))
            return (f'He wrote "{backwards}"', number) if backwards != part else ("", number)
        return self.dice.choice(INVENTED), number


def clause(text: str) -> str:
    """Some words of a message that say something, without marks that end or number a sentence."""
    words = re.sub(r"[^\w\s'-]", " ", text).split()[:12]
    telling = [word for word in words if len(word) > 3 and word.isalpha()]
    return " ".join(words) if len(telling) >= 4 and not any(word.isdigit() for word in words) else ""
