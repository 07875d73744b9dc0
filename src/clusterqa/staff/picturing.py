"""
A page of a PDF as a picture, for looking at it beside what was read from it.

    path, page ─▶ python -m clusterqa.staff.picturing ─▶ JPEG

Drawing is left to a process with the limits of reading: whatever a file does to the program that draws it, only that suffers.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from clusterqa.staff import reading
from clusterqa.staff.reading import Limits

WIDTH = 1000
"""Pixels; on a screen beside the text half of them are seen, the rest when it is enlarged."""
TALLEST = 3
"""Times its width that a page may be high; of a longer one the picture is narrower."""
DRAWING = Limits(seconds=20, megabytes=1024)


def picture(path: Path, page: int, limits: Limits = DRAWING) -> bytes | None:
    """Page `page`, counted from 1, of the PDF at `path` as JPEG; None when it cannot be drawn within the limits."""
    command = [
        sys.executable,
        "-m",
        "clusterqa.staff.picturing",
        str(path.absolute()),
        str(page),
        json.dumps(asdict(limits)),
    ]
    try:
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.patience,
            env=reading.environment(), check=False,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):
        return None
    return run.stdout if run.returncode == 0 and run.stdout else None


def _draw(path: Path, page: int) -> bytes:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as file:
        drawn = file[page - 1]
        width, height = drawn.get_size()
        scale = min(WIDTH / width, TALLEST * WIDTH / height)
        target = io.BytesIO()
        drawn.render(scale=scale).to_pil().convert("RGB").save(target, "JPEG", quality=80)
    return target.getvalue()


if __name__ == "__main__":
    file, number, asked = sys.argv[1:]
    limits = Limits(**json.loads(asked))
    reading.restrict(limits)
    reading.restrict_time(limits)
    sys.stdout.buffer.write(_draw(Path(file), int(number)))
    sys.stdout.flush()
    os._exit(0)  # as in `reading`
