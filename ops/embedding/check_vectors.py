#!/usr/bin/env python3
"""Writes what the packed table must answer, computed without any of Confab's code: check_vectors.py TABLE.bin VECTORS.json

The word pieces come from the `tokenizers` package, reading the model's own tokenizer.json; the sum is numpy's.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from vocabulary import model_file

TEXTS = [
    "hello world",
    "The quick brown fox can't jump over the lazy dog's fence!",
    "Ärger mit Übergrößen: naïve café, coöperation, crème brûlée",
    "sudo apt-get install --reinstall linux-image-$(uname -r) && reboot",
    "https://example.org/wiki/Search?q=a%20b&lang=de#top  foo_bar::Baz<T>",
    "Когда следующая встреча? Ёлка стоит в углу.",
    "Πότε είναι η επόμενη συνάντηση;",
    "متى الاجتماع القادم؟ مُحَمَّد",
    "מתי הפגישה הבאה? שָׁלוֹם",
    "अगली बैठक कब है? क्या हम कल मिलेंगे",
    "次の会議はいつですか？東京タワーで会いましょう。",
    "下一次会议是什么时候？我们明天见。𠀀𪜀",
    "다음 회의는 언제입니까?",
    "การประชุมครั้งต่อไปเมื่อไหร่",
    "Cuộc họp tiếp theo là khi nào? Nguyễn",
    "İstanbul'da IŞIK ve ılık su, ẞ groß",
    "ship it 🚀🎉 👩‍👩‍👧 ❤️ ¡olé! «quoted» — dash … ½ ² ™ €5",
    "tabs\tand\r\nlines\u00a0\u2003\u200bzero\u200dwidth\u0000nul \ufffd \ufeffmark \u0085 soft\u00adhyphen",
    "x" * 101 + " " + "y" * 100 + " pneumonoultramicroscopicsilicovolcanoconiosis",
    "[CLS] [MASK] ##ing ## [UNK] $+<=>^`|~ © ® ؟ ‿ ⁂",
    "ﬁne ﬀ Å Å ǆ ｆｕｌｌｗｉｄｔｈ ㎏ Ⅻ",
]


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    content = Path(path).read_bytes()
    magic, rows, dimensions, words = struct.unpack_from("<8sIII", content)
    assert magic == b"CFTABLE1"
    at = 20 + words
    scales = np.frombuffer(content, "<f4", rows, at)
    return np.frombuffer(content, np.int8, rows * dimensions, at + 4 * rows).reshape(rows, dimensions), scales


def main(table: str, out: str) -> None:
    rows, scales = read(table)
    tokenizer = Tokenizer.from_file(str(model_file("tokenizer.json")))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # Else "[MASK]" in a person's message would be one piece: what people write is never a control token.
    tokenizer.encode_special_tokens = True
    answers = []
    for text in TEXTS:
        pieces = tokenizer.encode(text, add_special_tokens=False).ids
        # A word that the vocabulary cannot spell says nothing, so two such words are not alike either.
        known = [piece for piece in pieces if piece != tokenizer.token_to_id("[UNK]")]
        vector = (rows[known].astype(np.float64) * scales[known, None]).sum(axis=0)
        vector /= max(np.linalg.norm(vector), 1e-9)
        answers.append({"text": text, "pieces": pieces, "vector": [round(float(it), 6) for it in vector]})
    lines = [json.dumps(it, ensure_ascii=True) for it in answers]
    Path(out).write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.splitlines()[0])
    main(sys.argv[1], sys.argv[2])
