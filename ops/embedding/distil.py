#!/usr/bin/env python3
"""Fits the table: distil.py TEXTS.json TAUGHT.npz ROWS.npz [--steps N]

In three steps, as the README says. ROWS.npz is what pack_table.py packs. About two minutes of processor time.
"""

import json
import sys
from pathlib import Path

import numpy as np

DIMENSIONS = 256
SMOOTH = 1e-4
SELDOM = 15
HEAT = 0.07
BATCH = 1_024
CENTRE = 0.7


def at_length_one(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


def first_rows(taught, axes: np.ndarray) -> np.ndarray:
    """Each piece by what becomes of it in texts, the seldom ones nearer to the middle; common ones weigh less."""
    counts = taught["counts"].astype(np.float64)
    seen = counts > 0
    means = np.zeros_like(taught["sums"], dtype=np.float64)
    means[seen] = taught["sums"][seen] / counts[seen, None]
    middle = taught["sums"].sum(0) / counts.sum()
    means[seen] -= middle
    rows = (counts / (counts + SELDOM))[:, None] * means @ axes
    # Half by how often a piece is written, half by its place in the vocabulary, which lies in order of frequency.
    by_place = 1 / np.arange(1, len(counts) + 1)
    share = 0.5 * counts / counts.sum() + 0.5 * by_place / by_place.sum()
    return rows * (SMOOTH / (SMOOTH + share))[:, None]


class Texts:
    """Texts as their pieces; sums of rows over them, and back."""

    def __init__(self, taught):
        self.pieces, self.begins = taught["pieces"], taught["begins"]

    def of(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lengths = self.begins[places + 1] - self.begins[places]
        owner = np.repeat(np.arange(len(places)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return self.pieces[np.repeat(self.begins[places], lengths) + within], owner


def summed(rows: np.ndarray, pieces: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    out = np.zeros((count, rows.shape[1]))
    np.add.at(out, owner, rows[pieces])
    return out


def through_length(gradient: np.ndarray, sums: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Of the sums, from that of the same at length one."""
    length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return (gradient - (gradient * unit).sum(1, keepdims=True) * unit) / length


def told_apart(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, float]:
    """How the fits of `one` to all of `other` are off from each fitting its own; and the loss."""
    fits = one @ other.T / HEAT
    fits = np.exp(fits - fits.max(1, keepdims=True))
    shares = fits / fits.sum(1, keepdims=True)
    loss = -np.log(np.maximum(np.diag(shares), 1e-12)).mean()
    return (shares - np.eye(len(one))) / (HEAT * len(one)), float(loss)


def fit(rows: np.ndarray, texts: Texts, targets: np.ndarray, pairs: np.ndarray, weights: np.ndarray, steps: int, rate: float, dice) -> None:
    """Changes the rows so that sums lie at the teacher's vectors, and with pairs also at each other."""
    mean, spread = np.zeros_like(rows), np.zeros_like(rows)
    chances = weights / weights.sum() if len(pairs) else None
    for step in range(1, steps + 1):
        gradient = np.zeros_like(rows)
        places = dice.choice(len(targets), min(BATCH, len(targets)), replace=False)
        pieces, owner = texts.of(places)
        sums = summed(rows, pieces, owner, len(places))
        unit = at_length_one(sums)
        off, loss = told_apart(unit, targets[places])
        np.add.at(gradient, pieces, through_length(off @ targets[places], sums, unit)[owner])
        if len(pairs):
            chosen = pairs[dice.choice(len(pairs), min(BATCH, len(pairs)), replace=False, p=chances)]
            sides = []
            for side in (0, 1):
                pieces, owner = texts.of(chosen[:, side])
                sums = summed(rows, pieces, owner, len(chosen))
                sides.append((pieces, owner, sums, at_length_one(sums)))
            forth, of_forth = told_apart(sides[0][3], sides[1][3])
            back, of_back = told_apart(sides[1][3], sides[0][3])
            loss += (of_forth + of_back) / 2
            moves = [forth @ sides[1][3] + back.T @ sides[1][3], forth.T @ sides[0][3] + back @ sides[0][3]]
            for (pieces, owner, sums, unit), move in zip(sides, moves):
                np.add.at(gradient, pieces, through_length(move / 2, sums, unit)[owner])
        mean = 0.9 * mean + 0.1 * gradient
        spread = 0.99 * spread + 0.01 * gradient**2
        step_size = rate * (1 - (step - 1) / steps)
        rows -= step_size * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-8)
        if step == 1 or step % 50 == 0 or step == steps:
            print(f"step {step}: loss {loss:.3f}", flush=True)


def packed(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    largest = np.abs(rows).max(1)
    scale = np.where(largest > 0, largest / 127, 0).astype(np.float32)
    return np.round(rows / np.maximum(scale, 1e-12)[:, None]).clip(-127, 127).astype(np.int8), scale


def main(source: str, taught_by: str, out: str, steps: int) -> None:
    read, taught = json.loads(Path(source).read_text(encoding="utf-8")), np.load(taught_by)
    dice = np.random.default_rng(20261121)
    vectors = taught["vectors"].astype(np.float64)
    vectors -= CENTRE * vectors.mean(0)
    _, _, turned = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    axes = turned[:DIMENSIONS].T
    if axes.shape[1] < DIMENSIONS:
        raise SystemExit(f"{len(vectors)} texts are too few: {DIMENSIONS} axes need as many")
    targets = at_length_one(vectors @ axes)
    texts = Texts(taught)
    filled = np.diff(taught["begins"]) > 0
    pairs = [(one, other, weight) for one, other, weight in read["pairs"] if filled[one] and filled[other]]
    places = np.array([pair[:2] for pair in pairs], np.int64).reshape(-1, 2)
    weights = np.array([pair[2] for pair in pairs])
    rows = first_rows(taught, axes)
    none = np.zeros((0, 2), np.int64)
    fit(rows, texts, targets, none, np.zeros(0), steps, 4e-3 * np.abs(rows).mean() / 0.01, dice)
    fit(rows, texts, targets, places, weights, steps * 3 // 4, 2e-3 * np.abs(rows).mean() / 0.01, dice)
    bytes_of, scale = packed(rows)
    np.savez(out, q=bytes_of, scale=scale)
    everything = np.arange(len(targets))
    pieces, owner = texts.of(everything)
    unit = at_length_one(summed(bytes_of * scale[:, None].astype(np.float64), pieces, owner, len(targets)))
    print(f"mean cosine to the teacher {float((unit * targets).sum(1)[filled].mean()):.3f}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    count = 400
    if "--steps" in arguments:
        at = arguments.index("--steps")
        count = int(arguments[at + 1])
        del arguments[at : at + 2]
    if len(arguments) != 3:
        raise SystemExit(__doc__.splitlines()[0])
    main(*arguments, count)
