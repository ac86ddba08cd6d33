#!/usr/bin/env python3
"""Makes a BERT of random numbers, small enough to be kept beside the tests, and what it must answer: tiny_model.py FOLDER

Needs nothing but Python, and shares no code with Confab: a test compares worker/src/embedding/local with these answers.
"""

import json
import math
import random
import struct
import sys
from pathlib import Path

WIDTH, HEADS, LAYERS, LONGEST = 16, 4, 2, 24
EPSILON = 1e-12
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", "?", "boat", "ferry", "harbour", "leaves", "the", "##s", "##ing"]
PIECES += list(LETTERS) + [f"##{letter}" for letter in LETTERS if letter != "s"]
TEXTS = [
    "the ferry leaves the harbour.",
    "Boats? boating!",
    "zebra",
    "ferry",
    "the the the the the the the the the the the the the the the the the the the the the the the the the the",
]


def tables(dice: random.Random) -> dict[str, list]:
    """Every table by its name, as nested lists."""
    row = lambda count, spread: [struct.unpack("<f", struct.pack("<f", dice.gauss(0, spread)))[0] for _ in range(count)]
    grid = lambda rows, columns: [row(columns, 0.4) for _ in range(rows)]
    made = {
        "embeddings.word_embeddings.weight": grid(len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": grid(LONGEST, WIDTH),
        "embeddings.token_type_embeddings.weight": grid(2, WIDTH),
    }
    norms = ["embeddings.LayerNorm"]
    for at in range(LAYERS):
        name = f"encoder.layer.{at}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            made |= {f"{name}{part}.weight": grid(WIDTH, WIDTH), f"{name}{part}.bias": row(WIDTH, 0.1)}
        made |= {f"{name}intermediate.dense.weight": grid(4 * WIDTH, WIDTH), f"{name}intermediate.dense.bias": row(4 * WIDTH, 0.1)}
        made |= {f"{name}output.dense.weight": grid(WIDTH, 4 * WIDTH), f"{name}output.dense.bias": row(WIDTH, 0.1)}
        norms += [f"{name}attention.output.LayerNorm", f"{name}output.LayerNorm"]
    for name in norms:
        made |= {f"{name}.weight": [1 + it for it in row(WIDTH, 0.1)], f"{name}.bias": row(WIDTH, 0.1)}
    return made


def write(path: Path, made: dict[str, list]) -> None:
    heading, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, table in made.items():
        rows = table if isinstance(table[0], list) else [table]
        shape = [len(table), len(table[0])] if isinstance(table[0], list) else [len(table)]
        packed = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
        heading[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(numbers), len(numbers) + len(packed)]}
        numbers += packed
    text = json.dumps(heading).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


def pieces(text: str) -> list[int]:
    """Longest pieces first; a word that cannot be spelled is [UNK]."""
    for mark in ".?!":
        text = text.replace(mark, f" {mark} ")
    found = []
    for word in text.lower().split():
        rest, spelled = word, []
        while rest:
            for end in range(len(rest), 0, -1):
                piece = rest[:end] if rest is word else f"##{rest[:end]}"
                if piece in PIECES:
                    break
            else:
                spelled = [PIECES.index("[UNK]")]
                break
            spelled.append(PIECES.index(piece))
            rest = rest[end:]
        found += spelled
    return [PIECES.index("[CLS]")] + found[: LONGEST - 2] + [PIECES.index("[SEP]")]


def linear(made: dict, name: str, rows: list) -> list:
    weight, bias = made[f"{name}.weight"], made[f"{name}.bias"]
    return [[sum(a * b for a, b in zip(row, out)) + more for out, more in zip(weight, bias)] for row in rows]


def norm(made: dict, name: str, rows: list) -> list:
    weight, bias, out = made[f"{name}.weight"], made[f"{name}.bias"], []
    for row in rows:
        mean = sum(row) / len(row)
        spread = math.sqrt(sum((it - mean) ** 2 for it in row) / len(row) + EPSILON)
        out.append([(it - mean) / spread * w + b for it, w, b in zip(row, weight, bias)])
    return out


def plus(one: list, other: list) -> list:
    return [[a + b for a, b in zip(left, right)] for left, right in zip(one, other)]


def attention(made: dict, name: str, rows: list) -> list:
    query, key, value = (linear(made, f"{name}attention.self.{it}", rows) for it in ("query", "key", "value"))
    part, out = WIDTH // HEADS, [[0.0] * WIDTH for _ in rows]
    for head in range(HEADS):
        span = slice(head * part, (head + 1) * part)
        for at, asked in enumerate(query):
            fits = [math.exp(sum(a * b for a, b in zip(asked[span], other[span])) / math.sqrt(part)) for other in key]
            for fit, other in zip(fits, value):
                for place in range(span.start, span.stop):
                    out[at][place] += fit / sum(fits) * other[place]
    return out


def vector(made: dict, text: str) -> list[float]:
    words, places = made["embeddings.word_embeddings.weight"], made["embeddings.position_embeddings.weight"]
    kind = made["embeddings.token_type_embeddings.weight"][0]
    rows = [[a + b + c for a, b, c in zip(words[piece], places[at], kind)] for at, piece in enumerate(pieces(text))]
    rows = norm(made, "embeddings.LayerNorm", rows)
    for at in range(LAYERS):
        name = f"encoder.layer.{at}."
        seen = linear(made, f"{name}attention.output.dense", attention(made, name, rows))
        rows = norm(made, f"{name}attention.output.LayerNorm", plus(seen, rows))
        inner = linear(made, f"{name}intermediate.dense", rows)
        inner = [[it * 0.5 * (1 + math.erf(it / math.sqrt(2))) for it in row] for row in inner]
        rows = norm(made, f"{name}output.LayerNorm", plus(linear(made, f"{name}output.dense", inner), rows))
    mean = [sum(column) / len(rows) for column in zip(*rows)]
    length = math.sqrt(sum(it * it for it in mean))
    return [round(it / length, 6) for it in mean]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    made = tables(random.Random(20261121))
    write(folder / "model.safetensors", made)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "intermediate_size": 4 * WIDTH,
        "max_position_embeddings": LONGEST,
        "layer_norm_eps": EPSILON,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    answers = [json.dumps({"text": text, "vector": vector(made, text)}) for text in TEXTS]
    (folder / "vectors.json").write_text("[\n" + ",\n".join(answers) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__.splitlines()[0])
    main(Path(sys.argv[1]))
