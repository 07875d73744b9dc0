"""
Recognising the text of a scanned file: in a process of its own, with limits, as reading is.

    path ─▶ python -m clusterqa.staff.recognising ─lines of JSON─▶ a PDF with text, and how sure each page is
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

from clusterqa.documents.ocr import Recognised
from clusterqa.errors import UnreadableDocument
from clusterqa.staff import reading
from clusterqa.staff.reading import Limits

RECOGNISING = Limits(seconds=1800, megabytes=3072)
LARGEST = 500 * 1024 * 1024
"""Bytes of the PDF that may come out."""


def recognise(
    path: Path,
    name: str,
    pages: Collection[int],
    target: Path,
    progress: Callable[[int, int], None],
    limits: Limits = RECOGNISING,
) -> list[Recognised]:
    """
    As `clusterqa.documents.ocr.recognise`, in a process of its own. Raises UnreadableDocument, and what `progress` raises.
    """
    asked = {"name": name, "pages": sorted(pages), "target": str(target.absolute()), "limits": asdict(limits)}
    command = [sys.executable, "-m", "clusterqa.staff.recognising", str(path.absolute()), json.dumps(asked)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=reading.environment(),
        start_new_session=True,
    )  # fmt: skip
    late = threading.Event()

    def stop() -> None:
        late.set()
        _end(process)

    timer = threading.Timer(limits.seconds, stop)
    timer.start()
    told: dict[str, object] = {}
    try:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if "done" in told:
                progress(int(str(told["done"])), int(str(told["total"])))
    finally:
        timer.cancel()
        _end(process)
    if isinstance(why := told.get("unreadable"), list):
        raise UnreadableDocument(*why)
    if isinstance(found := told.get("pages"), list):
        return [Recognised(page, words, confidence, tuple(doubtful)) for page, words, confidence, doubtful in found]
    raise UnreadableDocument(
        name,
        f"Recognising its text takes longer than {limits.seconds / 60:g} minutes."
        if late.is_set()
        else "The program that recognises text broke down on it.",
        "Split it into several documents.",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and the Tesseract that it may be waiting for."""
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, 9)
        else:
            process.kill()
    process.wait()


def _tell(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    from clusterqa.documents import ocr

    file, asked = sys.argv[1], json.loads(sys.argv[2])
    reading.restrict(Limits(**asked["limits"]), writes=LARGEST)
    try:
        made = ocr.recognise(
            Path(file), asked["name"], asked["pages"], Path(asked["target"]), lambda done, total: _tell(done=done, total=total)
        )  # fmt: skip
        _tell(pages=[(page.page, page.words, round(page.confidence, 1), page.doubtful) for page in made])
    except UnreadableDocument as error:
        _tell(unreadable=[error.document, error.reason, error.next_step])
    os._exit(0)  # as in `reading`
