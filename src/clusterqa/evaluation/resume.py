"""A run that was broken off goes on: what came of each question is kept at once, in a file beside the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.outcomes import Outcome, Run, packed, unpacked
from clusterqa.files import write_whole
from clusterqa.jsontext import parsed

Found = dict[str, dict[str, list[str]]]
"""Channel → view → what that channel alone ranks first."""


class Kept:
    """What was asked already, in a JSONL file whose first line says what it was made with."""

    def __init__(self, path: Path, made_with: Run) -> None:
        """
        Read what is there; what was made with another index, encoder, search or version is thrown away.

        Raises EvaluationError when the file cannot be read or written.
        """
        self.path = path
        head = [
            getattr(made_with, name)
            for name in ("encoder", "corpus_sha256", "settings", "weights", "threshold", "versions")
        ]
        self._lines: dict[str, dict[str, Any]] = {}
        try:
            lines = path.read_text(encoding="utf-8", errors="surrogatepass").split("\n") if path.exists() else [""]
            if lines[0] == json.dumps(head):
                for line in lines[1:-1]:  # a last line without its end was broken off
                    data = parsed(line)
                    self._lines[data["asked"]] = data
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = [json.dumps(head), *(json.dumps(data) for data in self._lines.values())]
            write_whole(path, "".join(f"{line}\n" for line in kept).encode(), opener=None)
            self._file = path.open("a", encoding="utf-8")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvaluationError(f"{path} cannot be used ({error}). Remove it, or run without --resume.") from error

    def get(self, asked: object) -> tuple[list[Outcome], Found] | None:
        """The outcomes of what was asked (anything whose `repr` says all of it), and the channels alone."""
        data = self._lines.get(_digest(asked))
        if data is None:
            return None
        return [unpacked(dict(row), data["passages"]) for row in data["outcomes"]], data["alone"]

    def put(self, asked: object, outcomes: Sequence[Outcome], alone: Found) -> None:
        table: dict[tuple[str, int, int], int] = {}
        rows = [packed(outcome, table) for outcome in outcomes]
        data = {"asked": _digest(asked), "outcomes": rows, "passages": list(table), "alone": alone}
        self._file.write(json.dumps(data) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _digest(asked: object) -> str:
    return hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).hexdigest()
