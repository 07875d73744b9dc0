"""
ClusterQAError            anything the person at the keyboard can put right; the message says how
├── SettingsError         a setting has a wrong value; names where the value came from
├── CorpusError           the corpus folder, or a document asked for, is not there
├── UnreadableDocument    one file cannot be read: carries the reason and the next step; never stops the rest
├── EncoderError          the encoder is missing, broken or cannot be loaded offline
├── MissingExtra          a part of the program is not installed; the message has the pip line
├── StoreError            the database is damaged, locked, or the disk is full
│   ├── StoreDamaged      what stands in the database cannot be trusted; only a rebuild helps
│   ├── IndexNotFound     nothing has been indexed here yet
│   └── IndexOutdated     encoder or settings changed since the index was built
└── EvaluationError       a question set or a run cannot be used
    └── NotComparable     two runs rest on different data

Finding no answer is not an error; it is a Reply with status "not_found".
"""

from __future__ import annotations

from typing import Any


class ClusterQAError(Exception):
    """Base of everything the person at the keyboard can put right. Can be pickled, as errors of other processes are."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.args, self.__dict__)


def _remade(kind: type[ClusterQAError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ClusterQAError:
    """An error as it was, past an `__init__` that takes other things than the message."""
    made = kind.__new__(kind, *args)
    made.__dict__.update(attributes)
    return made


class SettingsError(ClusterQAError):
    """A setting has a wrong value."""


class CorpusError(ClusterQAError):
    """The corpus folder, or a document asked for, is not there."""


class UnreadableDocument(ClusterQAError):
    """One file cannot be read; `reason` says why and `next_step` what to do about it."""

    def __init__(self, document: str, reason: str, next_step: str) -> None:
        super().__init__(f"{document}: {reason} {next_step}")
        self.document = document
        self.reason = reason
        self.next_step = next_step


class EncoderError(ClusterQAError):
    """The encoder is missing, broken or cannot be loaded."""


class MissingExtra(ClusterQAError):
    """A part of the program is not installed."""

    def __init__(self, what: str, extra: str, modules: list[str]) -> None:
        lacking = f"{', '.join(modules)} {'is' if len(modules) == 1 else 'are'} not installed"
        super().__init__(f"{what} cannot be used: {lacking}. Install it with: pip install 'clusterqa[{extra}]'")
        self.extra = extra


class StoreError(ClusterQAError):
    """The database is damaged, locked, or the disk is full."""


class StoreDamaged(StoreError):
    """What stands in the database cannot be trusted; only a rebuild helps."""


class IndexNotFound(StoreError):
    """Nothing has been indexed here yet."""

    def __init__(self, path: object) -> None:
        super().__init__(f"There is no index at {path} yet. Build one with: clusterqa index")
        self.path = path


class IndexOutdated(StoreError):
    """The encoder or the settings changed since the index was built."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The index was built with {what}. Build it again with: clusterqa index --rebuild")
        self.what = what


class EvaluationError(ClusterQAError):
    """A question set or a run cannot be used."""


class NotComparable(EvaluationError):
    """Two runs rest on different data."""
