"""
From the trained folder to the one that ships: half precision, only what is needed, and a model card.

    python training/export.py WORK/trained src/clusterqa/encoders/e5-small-lt-en

The arithmetic stays in single precision: half is for the disk only. The model card, README.md, is written by hand and
left as it is.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from clusterqa.encoders.openvino import PROJECTION

LIMIT = 70_000_000
"""Bytes that a package may spend on an encoder."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    source, target = options.source, options.target

    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        elif path.suffix == ".json":
            # Without indentation: a tokenizer of 32,000 pieces is a third smaller for it.
            content = json.loads(path.read_text(encoding="utf-8"))
            place.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        elif path.suffix != ".safetensors" and path.name != "README.md":
            shutil.copyfile(path, place)
    weights = {name: tensor.half() for name, tensor in load_file(source / "model.safetensors").items()}
    # Mean pooling takes no pooler, but transformers reports one that is missing at every start: it gets an empty one.
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("pooler.")}
    kept["pooler.dense.weight"] = torch.zeros(width, width, dtype=torch.float16)
    kept["pooler.dense.bias"] = torch.zeros(width, dtype=torch.float16)
    save_file(kept, target / "model.safetensors", metadata={"format": "pt"})
    projection = load_file(source / PROJECTION)
    save_file({name: tensor.half() for name, tensor in projection.items()}, target / PROJECTION)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"{target}: {size / 1e6:.1f} MB")
    if size > LIMIT:
        raise SystemExit(f"That is over {LIMIT / 1e6:.0f} MB: make the vocabulary smaller (vocabulary.py --size).")


if __name__ == "__main__":
    main()
