"""
A reader that has learnt nothing yet: how states are cut, and how rare the pieces of the vocabulary are.

    python training/reader/start.py START --bundles bundles.jsonl

The first 128 numbers of a state are the projection of late interaction, so that one table does for both. The other 64 are the
principal directions of what those leave of the encoder's last layer, on some texts of the bundles.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bundles
import numpy as np
import torch
from model import Model, Shape
from numpy.typing import NDArray
from prepare import PROMPTS, pieces_only
from safetensors.numpy import load_file

from clusterqa.encoders import bundled_path
from clusterqa.encoders.openvino import PROJECTION, Bert

SAMPLE = 400
"""Texts that the directions are found on."""


def whole_encoder(folder: Path, threads: int = 1) -> Bert:
    """The bundled encoder less its projection, so that its whole last layer comes out; `folder` is filled with its files."""
    for path in bundled_path().iterdir():
        if path.name != PROJECTION:
            (folder / path.name).symlink_to(path)
    bert = Bert.read(folder, threads)
    assert bert is not None and bert.token_dimension is None
    return bert


def directions(rows: NDArray[np.float64], known: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """
    The matrix (count, hidden) that gives, of `rows` (n, hidden), most of what `known` (dimension, hidden) leaves of them,
    its numbers as large as those of `known`.
    """
    seen = rows @ known.T
    left = rows - seen @ np.linalg.lstsq(seen, rows, rcond=None)[0]
    _, vectors = np.linalg.eigh(left.T @ left)
    found = vectors[:, ::-1][:, :count].T
    return found * np.sqrt(np.mean(seen**2) / np.mean((rows @ found.T) ** 2))


def rarities(texts: Sequence[Sequence[int]], size: int) -> NDArray[np.float64]:
    """Of each piece in [0, 1]: 1 when no text holds it, near 0 when every one does."""
    held = np.zeros(size)
    for pieces in texts:
        held[np.unique(pieces)] += 1
    return np.log((len(texts) + 1) / (held + 1)) / np.log(len(texts) + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=Path)
    parser.add_argument("--bundles", type=Path, required=True)
    options = parser.parse_args()
    kept = set(bundles.development())
    texts = [
        f"{PROMPTS['passage']}{document['title']}. {paragraph}"
        for bundle in bundles.read(options.bundles)
        if bundle["id"] not in kept
        for document in bundle["documents"]
        for paragraph in document["text"].split("\n\n")
    ]
    tokenizer = pieces_only()
    rarity = rarities([read.ids for read in tokenizer.encode_batch(texts)], tokenizer.get_vocab_size())
    with tempfile.TemporaryDirectory() as folder:
        _, each = whole_encoder(Path(folder)).with_tokens(random.Random(1).sample(texts, SAMPLE))
    shape = Shape()
    rows = np.concatenate([own.states for own in each]).astype(np.float64)
    known = load_file(bundled_path() / PROJECTION)["projection"][: shape.aligned].astype(np.float64)
    cut = np.concatenate([known, directions(rows, known, shape.states - shape.aligned)])
    torch.manual_seed(1)
    model = Model(shape, torch.from_numpy(cut).float(), torch.from_numpy(rarity).float())
    model.save(options.start)


if __name__ == "__main__":
    main()
