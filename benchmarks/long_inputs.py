"""
How long each parser takes for 100 kB of one short piece, over and over: where work grows with the square of a text, it shows.

    PYTHONPATH=tests python benchmarks/long_inputs.py                    every parser; minutes
    PYTHONPATH=tests python benchmarks/long_inputs.py sentences html     some

Prints the three slowest pieces of each, in seconds of processor time.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz.targets import ERRORS, TARGETS

SIZE = 100_000


def seconds(name: str, head: str, piece: str) -> float:
    text = head + piece * (SIZE // len(piece.encode("utf-8", "surrogatepass")))
    with TemporaryDirectory() as folder:
        began = time.process_time()
        with suppress(*ERRORS):
            TARGETS[name].run(text, Path(folder))
        return time.process_time() - began


def main() -> None:
    for name in sys.argv[1:] or [name for name, target in TARGETS.items() if target.repeated]:
        pieces = [piece if isinstance(piece, tuple) else ("", piece) for piece in TARGETS[name].repeated]
        slowest = sorted(((seconds(name, head, piece), piece[:30]) for head, piece in pieces), reverse=True)[:3]
        print(f"{name:14}", ", ".join(f"{took:.2f} {piece!r}" for took, piece in slowest), flush=True)


if __name__ == "__main__":
    main()
