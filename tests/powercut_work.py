"""What is cut off in tests/test_powercut.py: `python powercut_work.py FOLDER` indexes, publishes and keeps questions, and says what is done."""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from clusterqa import documents
from clusterqa.corpus.sync import update
from clusterqa.documents.metadata import Metadata
from clusterqa.journal import Journal
from clusterqa.records import Reply
from clusterqa.settings import Settings
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, open_database
from clusterqa.staff.history import History
from clusterqa.staff.publishing import Keeper
from clusterqa.staff.queueing import Readings
from words_encoder import WordsEncoder

BY_HAND = {
    "hand.en.md": ("Hand", "# Hand\n\nThe expert writes by hand.\n"),
    "more.lt.md": ("Daugiau", "# Daugiau\n\nAukso ženklas.\n"),
}
PUBLISHED = (
    ("gold.en.md", "The price of gold", "# Gold\n\nThe gold label costs 8,250 euro.\n"),
    ("silver.en.md", "", "# Silver\n\nThe silver label costs 3,620 euro.\n"),
    ("gold.en.md", "Gold anew", "# Gold\n\nThe gold label costs 9,000 euro a year.\n"),
)
"""(document, title that the editor gives it, text), one after the other."""
QUESTIONS = ("Kiek kainuoja aukso ženklas?", "What does silver cost?", "Kas yra klasteris? " * 60)


def settings_of(folder: Path) -> Settings:
    return Settings(corpus=folder / "corpus", data=folder / "data", reader="none")


def keeper_of(settings: Settings, database: Database) -> Keeper:
    return Keeper(settings, WordsEncoder(), History(database), Audit(database), read=documents.read)


def drain(*works: queue.Queue[Callable[[], None]] | Readings) -> None:
    """What the keeper's threads would do, here and one after the other."""
    found = True
    while found:
        found = False
        for work in works:
            with suppress(queue.Empty):
                task = work.get(timeout=0)
                found = True
                task()


def say(*words: str) -> None:
    os.write(1, ("\t".join(words) + "\n").encode())


def main(folder: Path) -> None:
    settings = settings_of(folder)
    settings.corpus.mkdir()
    journal = Journal.open(settings.home, 100)
    database = open_database(settings.home)
    keeper = keeper_of(settings, database)
    for name, (_, text) in BY_HAND.items():
        with (settings.corpus / name).open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    update(settings, WordsEncoder)
    say("indexed")
    for question, (name, title, text) in zip(QUESTIONS, PUBLISHED, strict=True):
        known = keeper.digest(name) is not None
        draft, _ = keeper.take_in(name, BytesIO(text.encode()), "rasa", 10_000, name if known else None)
        drain(keeper.readings)
        draft = keeper.drafts.get(draft.id)
        if title:
            draft = keeper.correct(draft.id, "rasa", draft.revision, Metadata(title=title))
        say("drafted", name, repr(text))
        keeper.publish(draft.id, "rasa", draft.revision)
        drain(keeper._changes)
        say("published", name, repr(text))
        identifier = journal.record(Reply(question, "lt", "not_found", 0.1, "–", generation=1), "chat")
        say("asked", identifier, question)
    journal.close()
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
