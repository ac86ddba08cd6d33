#!/usr/bin/env python3
"""Packs a table of word vectors into the file that Confab carries: pack_table.py ROWS.npz TABLE.bin

ROWS.npz holds `q` (int8, one row per word piece) and `scale` (float32, one per row). All numbers of the packed file are
little-endian:

    magic       8 bytes, "CFTABLE1"
    rows        u32
    dimensions  u32
    words       u32, bytes of the vocabulary
    vocabulary  UTF-8, a word piece a line, in the order of rows
    scales      f32 of each row
    rows        int8, row after row
"""

import hashlib
import struct
import sys
from pathlib import Path

import numpy as np

from vocabulary import word_pieces


def packed(source: str) -> bytes:
    table = np.load(source)
    rows, scales = table["q"], table["scale"].astype("<f4")
    pieces = word_pieces()
    assert rows.dtype == np.int8 and rows.shape[0] == len(pieces) == len(scales), "one row and one scale per word piece"
    assert np.isfinite(scales).all()
    assert not any("\n" in piece for piece in pieces) and len(set(pieces)) == len(pieces)
    vocabulary = "\n".join(pieces).encode()
    head = struct.pack("<8sIII", b"CFTABLE1", rows.shape[0], rows.shape[1], len(vocabulary))
    return head + vocabulary + scales.tobytes() + rows.tobytes()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.splitlines()[0])
    content = packed(sys.argv[1])
    Path(sys.argv[2]).write_bytes(content)
    print(f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
