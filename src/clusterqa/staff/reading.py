"""
Reading a file that somebody else made: in a process of its own, with limits on time and memory.

    path ─▶ python -m clusterqa.staff.reading ─JSON─▶ Document, or UnreadableDocument

Whatever a file does to a parser, only that process suffers. It is the same reading as everywhere else
(`clusterqa.documents.read`), so that what the desk shows is what becomes live.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from clusterqa.errors import UnreadableDocument
from clusterqa.records import Block, Document, Page

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
_OUT_OF_MEMORY = 77
"""Exit status of the reading process when it met its limit of memory."""

SCRIPTS = "The PDF holds a script (JavaScript). It is not run, and nothing of it is shown."


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may cost: `seconds` of the clock, and as many of the processor; `megabytes` of memory."""

    seconds: float = 120.0
    megabytes: int = 2048


def read(path: Path, name: str, limits: Limits = Limits()) -> Document:
    """
    The file at `path` as the document called `name`, like `clusterqa.documents.read`.

    Raises UnreadableDocument, also when reading needs more than the limits allow or the parser breaks down.
    """
    command = [sys.executable, "-m", "clusterqa.staff.reading", str(path.absolute()), name, json.dumps(asdict(limits))]
    try:
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.seconds + 5, env=_environment(), check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise _too_slow(name, limits) from error
    except OSError as error:
        raise UnreadableDocument(
            name,
            f"It could not be read because the server is short of something ({error.strerror}).",
            "Try again later.",
        ) from error
    if run.returncode == 0:
        return _outcome(json.loads(run.stdout))
    if os.name == "posix" and -run.returncode in _TIME_SIGNALS:
        raise _too_slow(name, limits)
    if run.returncode != _OUT_OF_MEMORY:
        # Parsers written in C end in many ways, also when memory is refused to them; the log of the server says how.
        log.error("reading a file broke down", extra={"status": run.returncode})
        raise UnreadableDocument(
            name,
            "The program that reads it broke down on it.",
            "Make it anew from its source, in another format if it can be, or split it into several documents.",
        )
    raise UnreadableDocument(
        name,
        f"Reading it takes more than {limits.megabytes} MB of memory.",
        "Split it into several documents, or save it from its source in another format.",
    )


def _too_slow(name: str, limits: Limits) -> UnreadableDocument:
    return UnreadableDocument(
        name,
        f"Reading it takes longer than {limits.seconds:g} seconds.",
        "Split it into several documents, or save it from its source in another format.",
    )


def _environment() -> dict[str, str]:
    """What Python needs to start, and none of the server's secrets."""
    kept = (
        "PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "SYSTEMROOT",
        "LD_LIBRARY_PATH",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "TEMP",
    )
    return {
        **{key: os.environ[key] for key in kept if key in os.environ},
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _outcome(found: Mapping[str, Any]) -> Document:
    if "unreadable" in found:
        raise UnreadableDocument(*found["unreadable"])
    return from_json(found["document"])


def as_json(document: Document) -> dict[str, Any]:
    """A document as JSON; `from_json` gives it back equal."""
    return asdict(document)


def from_json(values: Mapping[str, Any]) -> Document:
    """The document that `as_json` wrote down."""
    fields = dict(values)
    fields["blocks"] = tuple(Block(**block) for block in fields["blocks"])
    fields["pages"] = tuple(Page(**page) for page in fields["pages"])
    for name in ("tags", "sources", "warnings"):
        fields[name] = tuple(fields[name])
    return Document(**fields)


# ── inside the process of its own ───────────────────────────────────────────────────────────────────────────────

if os.name == "posix":
    import resource
    import signal

    _TIME_SIGNALS = frozenset({int(signal.SIGXCPU), int(signal.SIGKILL)})

    def _limit(limits: Limits) -> None:
        seconds = max(1, round(limits.seconds))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
        resource.setrlimit(resource.RLIMIT_AS, (limits.megabytes * MEGABYTE,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it answers through a pipe and writes no file
        os.nice(5)  # answering questions comes first

else:
    _TIME_SIGNALS = frozenset[int]()

    def _limit(limits: Limits) -> None:
        """Without the limits of POSIX only the clock is watched."""


def has_scripts(path: Path) -> bool:
    """Whether a PDF holds JavaScript: in its table of scripts, or as an action written in plain sight."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    raw = path.read_bytes()
    if re.search(rb"/(?:JavaScript|JS)\b", raw):
        return True
    try:
        with pypdfium2.PdfDocument(raw) as file:
            return int(pdfium.FPDFDoc_GetJavaScriptActionCount(file)) > 0
    except pypdfium2.PdfiumError:
        return False


def _main(path: Path, name: str, limits: Limits) -> int:
    _limit(limits)
    from clusterqa import documents

    found: dict[str, Any]
    try:
        document = documents.read(path, name)
        if document.media_type == "application/pdf" and has_scripts(path):
            document = replace(document, warnings=(*document.warnings, SCRIPTS))
        found = {"document": as_json(document)}
    except UnreadableDocument as error:
        found = {"unreadable": [error.document, error.reason, error.next_step]}
    except MemoryError:
        return _OUT_OF_MEMORY
    sys.stdout.buffer.write(json.dumps(found).encode("ascii"))  # half characters travel as escapes
    return 0


if __name__ == "__main__":
    try:
        status = _main(Path(sys.argv[1]), sys.argv[2], Limits(**json.loads(sys.argv[3])))
    except MemoryError:
        status = _OUT_OF_MEMORY
    sys.stdout.flush()
    os._exit(status)  # no clean-up of a parser that may be in a bad way
