#!/usr/bin/env python3
"""Gives the texts to the teacher, MiniLM in numpy: teacher.py TEXTS.json TAUGHT.npz

TAUGHT.npz gets the teacher's vector of each text (`vectors`), each text's pieces (`pieces`, `begins`), and of each piece
the sum of what becomes of it in texts (`sums`) and how often it stood there (`counts`). About 80 short texts a second of
processor time: all texts of inputs.json take some fifty minutes.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from vocabulary import model_file, word_pieces

HEADS, LAYERS, WIDTH, EPSILON = 12, 6, 384, 1e-12
LONGEST = 64


def weights() -> dict[str, np.ndarray]:
    content = model_file("model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    heading = json.loads(content[8 : 8 + length])
    heading.pop("__metadata__", None)
    tables = {}
    for name, entry in heading.items():
        if entry["dtype"] == "F32":
            begin, end = (8 + length + it for it in entry["data_offsets"])
            tables[name] = np.frombuffer(content[begin:end], "<f4").reshape(entry["shape"])
    return tables


def erf(values: np.ndarray) -> np.ndarray:
    near = 1 / (1 + 0.3275911 * np.abs(values))
    total = near * (0.254829592 + near * (-0.284496736 + near * (1.421413741 + near * (-1.453152027 + near * 1.061405429))))
    return np.sign(values) * (1 - total * np.exp(-values * values))


class Teacher:
    def __init__(self):
        self.tables = weights()

    def linear(self, name: str, rows: np.ndarray) -> np.ndarray:
        return rows @ self.tables[f"{name}.weight"].T + self.tables[f"{name}.bias"]

    def norm(self, name: str, rows: np.ndarray) -> np.ndarray:
        centred = rows - rows.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        return centred / scale * self.tables[f"{name}.weight"] + self.tables[f"{name}.bias"]

    def outputs(self, pieces: np.ndarray) -> np.ndarray:
        """What becomes of each piece of texts of one length."""
        count, length = pieces.shape
        table = lambda name: self.tables[f"embeddings.{name}_embeddings.weight"]
        rows = table("word")[pieces] + table("position")[:length] + table("token_type")[0]
        rows = self.norm("embeddings.LayerNorm", rows)
        for at in range(LAYERS):
            name = f"encoder.layer.{at}."
            split = lambda part: self.linear(f"{name}attention.self.{part}", rows).reshape(count, length, HEADS, -1).swapaxes(1, 2)
            query, key, value = split("query"), split("key"), split("value")
            fits = query @ key.swapaxes(-1, -2) / np.sqrt(WIDTH / HEADS)
            fits = np.exp(fits - fits.max(-1, keepdims=True))
            seen = (fits / fits.sum(-1, keepdims=True) @ value).swapaxes(1, 2).reshape(count, length, WIDTH)
            rows = self.norm(f"{name}attention.output.LayerNorm", self.linear(f"{name}attention.output.dense", seen) + rows)
            inner = self.linear(f"{name}intermediate.dense", rows)
            inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
            rows = self.norm(f"{name}output.LayerNorm", self.linear(f"{name}output.dense", inner) + rows)
        return rows


def main(source: str, out: str) -> None:
    read = json.loads(Path(source).read_text(encoding="utf-8"))
    texts = read["messages"] + read["sentences"]
    tokenizer = Tokenizer.from_file(str(model_file("tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    found = [it.ids for it in tokenizer.encode_batch(texts)]
    names = word_pieces()
    teacher = Teacher()
    vectors = np.zeros((len(texts), WIDTH), np.float32)
    sums, counts = np.zeros((len(names), WIDTH), np.float32), np.zeros(len(names), np.int64)
    by_length: dict[int, list[int]] = {}
    for at, ids in enumerate(found):
        by_length.setdefault(len(ids), []).append(at)
    for length, places in sorted(by_length.items()):
        for begin in range(0, len(places), 64):
            part = places[begin : begin + 64]
            rows = teacher.outputs(np.array([found[at] for at in part]))
            vectors[part] = rows.mean(1)
            for at, of_text in zip(part, rows):
                np.add.at(sums, found[at][1:-1], of_text[1:-1])
                np.add.at(counts, found[at][1:-1], 1)
    inner = [ids[1:-1] for ids in found]
    begins = np.cumsum([0] + [len(ids) for ids in inner])
    pieces = np.array([piece for ids in inner for piece in ids], np.int32)
    np.savez(out, vectors=vectors, pieces=pieces, begins=begins, sums=sums, counts=counts, messages=len(read["messages"]))
    print(f"{len(texts)} texts, {int((counts > 0).sum())} pieces seen")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.splitlines()[0])
    main(*sys.argv[1:])
