"""
The mean of the weights of readers that were taught one from another, number by number (Wortsman et al. 2022, arXiv:2203.05482).

    python training/reader/mean.py FOLDER FOLDER … --output FOLDER
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def mean(folders: list[Path], output: Path) -> None:
    """A folder as `clusterqa.readers` loads it. All must have one shape and one table for cutting states."""
    readers = [load_file(folder / "model.safetensors") for folder in folders]
    tensors = {
        name: torch.stack([reader[name].float() for reader in readers]).mean(0).to(first.dtype).contiguous()
        for name, first in readers[0].items()
    }
    output.mkdir(parents=True, exist_ok=True)
    save_file(tensors, output / "model.safetensors")
    shutil.copyfile(folders[0] / "config.json", output / "config.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    mean(options.folders, options.output)


if __name__ == "__main__":
    main()
