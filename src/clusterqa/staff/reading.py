"""
Reading a file that somebody else made: in a process of its own, with limits on time and memory.

    path ─▶ python -m clusterqa.staff.reading ─JSON─▶ Document, or UnreadableDocument

`read` starts a process for one file, `Reader` keeps one for many, as indexing a folder needs. Whatever a file does to a parser, only that process suffers. It is the same reading as everywhere else
(`clusterqa.documents.read`), so that what the desk shows is what becomes live.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
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
    """What reading one file may cost: `seconds` of the processor, `megabytes` of memory."""

    seconds: float = 120.0
    megabytes: int = 2048

    @property
    def patience(self) -> float:
        """
        Seconds of the clock after which it is ended. A machine with other work gives it a part of a processor only; where the
        system does not count the processor's time, the clock must do.
        """
        return (4 * self.seconds if os.name == "posix" else self.seconds) + 5


def read(path: Path, name: str, limits: Limits = Limits()) -> Document:
    """
    The file at `path` as the document called `name`, like `clusterqa.documents.read`.

    Raises UnreadableDocument, also when reading needs more than the limits allow or the parser breaks down.
    """
    command = [sys.executable, "-m", "clusterqa.staff.reading", str(path.absolute()), name, json.dumps(asdict(limits))]
    try:
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.patience, env=environment(), check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise _too_slow(name, limits) from error
    except OSError as error:
        raise _short(name, error) from error
    if run.returncode == 0:
        return _outcome(json.loads(run.stdout))
    raise _broken_down(name, limits, run.returncode)


class Reader:
    """
    Reads one file after the other like `read`, in one process; where a file ends it, the next file gets a new one.

    Use it in a `with`; the process starts with the first file.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __call__(self, path: Path, name: str) -> Document:
        """The file at `path` as the document called `name`; raises UnreadableDocument."""
        try:
            process = self._running()
        except OSError as error:
            raise _short(name, error) from error
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.limits.patience, stop)
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps([str(path.absolute()), name]).encode("ascii") + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = b""
        finally:
            timer.cancel()
        if answer.endswith(b"\n"):
            return _outcome(json.loads(answer))
        self.close()
        raise _too_slow(name, self.limits) if late.is_set() else _broken_down(name, self.limits, process.returncode)

    def close(self) -> None:
        """End the process; the next file starts another."""
        if self._process is not None:
            assert self._process.stdin is not None and self._process.stdout is not None
            with suppress(OSError):
                self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [sys.executable, "-m", "clusterqa.staff.reading", json.dumps(asdict(self.limits))]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
            )
        return self._process


def _broken_down(name: str, limits: Limits, status: int) -> UnreadableDocument:
    if os.name == "posix" and -status in _TIME_SIGNALS:
        return _too_slow(name, limits)
    if status == _OUT_OF_MEMORY:
        return UnreadableDocument(
            name,
            f"Reading it takes more than {limits.megabytes} MB of memory.",
            "Split it into several documents, or save it from its source in another format.",
        )
    # Parsers written in C end in many ways, also when memory is refused to them; the log of the server says how.
    log.error("reading a file broke down", extra={"status": status})
    return UnreadableDocument(
        name,
        "The program that reads it broke down on it.",
        "Make it again from its source, in another format if it can be, or split it into several documents.",
    )


def _short(name: str, error: OSError) -> UnreadableDocument:
    return UnreadableDocument(
        name,
        f"It could not be read because the server is short of something ({error.strerror}).",
        "Try again later.",
    )


def _too_slow(name: str, limits: Limits) -> UnreadableDocument:
    return UnreadableDocument(
        name,
        f"Reading it takes longer than {limits.seconds:g} seconds.",
        "Split it into several documents, or save it from its source in another format.",
    )


def environment() -> dict[str, str]:
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
        "TESSDATA_PREFIX",
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

    def restrict(limits: Limits, writes: int = 0) -> None:
        """Bind this process to as much memory, and to files of so many bytes; what else goes on comes first."""
        resource.setrlimit(resource.RLIMIT_AS, (limits.megabytes * MEGABYTE,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (writes, writes))  # who answers through a pipe writes no file
        os.nice(5)  # answering questions comes first

    def restrict_time(limits: Limits) -> None:
        """From now on as many seconds of the processor; the process is ended when it needs more."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + max(1, round(limits.seconds))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))

else:
    _TIME_SIGNALS = frozenset[int]()

    def restrict(limits: Limits, writes: int = 0) -> None:
        """Without the limits of POSIX only the clock is watched."""

    def restrict_time(limits: Limits) -> None:
        """As `restrict`."""


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


def _read(path: Path, name: str, limits: Limits) -> bytes:
    """What is read from a file, or why it cannot be, as JSON. Raises MemoryError."""
    restrict_time(limits)
    from clusterqa import documents

    found: dict[str, Any]
    try:
        document = documents.read(path, name)
        if document.media_type == "application/pdf" and has_scripts(path):
            document = replace(document, warnings=(*document.warnings, SCRIPTS))
        found = {"document": as_json(document)}
    except UnreadableDocument as error:
        found = {"unreadable": [error.document, error.reason, error.next_step]}
    return json.dumps(found).encode("ascii")  # half characters travel as escapes


def _serve(limits: Limits) -> None:
    """Read the files that are named on standard input, a line each, until it ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin.buffer:
        path, name = json.loads(line)
        answers.write(_read(Path(path), name, limits) + b"\n")
        answers.flush()


if __name__ == "__main__":
    status = 0
    try:
        *file, asked = sys.argv[1:]
        limits = Limits(**json.loads(asked))
        restrict(limits)
        if file:
            sys.stdout.buffer.write(_read(Path(file[0]), file[1], limits))
        else:
            _serve(limits)
    except MemoryError:
        status = _OUT_OF_MEMORY
    sys.stdout.flush()
    os._exit(status)  # no clean-up of a parser that may be in a bad way
