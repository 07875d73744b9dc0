"""The staff desk's documents: nothing goes live before it is published, and bad input loses nothing."""

from __future__ import annotations

import io
import json
import os
import queue
import shutil
import threading
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from clusterqa import documents
from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus import sync
from clusterqa.documents import ocr
from clusterqa.documents.metadata import Metadata
from clusterqa.documents.ocr import Recognised
from clusterqa.encoders.passing import RememberingPassages
from clusterqa.errors import ClusterQAError, CorpusError, StoreError, UnreadableDocument
from clusterqa.files import write_whole
from clusterqa.passages import split
from clusterqa.records import Block, Document, Question
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.staff import drafts as drafts_module
from clusterqa.staff import reading
from clusterqa.staff.audit import Audit
from clusterqa.staff.changes import compare
from clusterqa.staff.database import open_database
from clusterqa.staff.drafts import DeskError, Draft, Drafts, checked, sidecar_text
from clusterqa.staff.history import History
from clusterqa.staff.jobs import Job
from clusterqa.staff.likeness import runs
from clusterqa.staff.marking import markable
from clusterqa.staff.names import free_name, safe_name
from clusterqa.staff.publishing import Keeper
from clusterqa.staff.queueing import LARGE, Readings
from clusterqa.store import open_store
from documents_fixtures import lines, make_pdf, make_zip, picture
from probes import dies_at
from seed_texts import KAINOS, PRICES
from words_encoder import WordsEncoder

LIMIT = 1_000_000
PRICE_LIST = """# Bronzos ženklo kaina

Bronzos ženklo kaina yra 2 250 eurų. Už ataskaitą mokėti nereikia.
"""


@contextmanager
def running(
    settings: Settings,
    words: WordsEncoder,
    read: corpus_folder.Reader,
    today: Callable[[], date] = date.today,
    indexed: bool = False,
) -> Iterator[Keeper]:
    settings = settings.model_copy(update={"refresh_seconds": 0.02})
    if not indexed:
        sync.update(settings, lambda: words)
    database = open_database(settings.home)
    keeper = Keeper(settings, words, History(database), Audit(database), read=read, today=today)
    keeper.start()
    yield keeper
    keeper.stop()
    database.close()


@pytest.fixture
def keeper(settings: Settings, words: WordsEncoder) -> Iterator[Keeper]:
    """Reads in this process, which is faster; the tests of hostile files take `sheltered`."""
    with running(settings, words, documents.read) as keeper:
        yield keeper


@pytest.fixture
def sheltered(settings: Settings, words: WordsEncoder) -> Iterator[Keeper]:
    """Reads as the server does: each file in a process of its own."""
    with running(settings, words, reading.read) as keeper:
        yield keeper


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def upload(keeper: Keeper, name: str, content: bytes | str, who: str = "rasa", replaces: str | None = None) -> Draft:
    """Take a file in and wait until it is read."""
    raw = content.encode() if isinstance(content, str) else content
    draft, again = keeper.take_in(name, io.BytesIO(raw), who, LIMIT, replaces)
    assert not again
    until(lambda: keeper.drafts.get(draft.id).state != "reading")
    return keeper.drafts.get(draft.id)


def publish(keeper: Keeper, draft: Draft, who: str = "rasa") -> Draft:
    keeper.publish(draft.id, who)
    until(lambda: keeper.drafts.get(draft.id).state != "publishing")
    return keeper.drafts.get(draft.id)


def live(keeper: Keeper) -> list[str]:
    with open_store(keeper.settings.home) as store:
        assert store.damage() == []
        return [stored.id for stored in store.documents()]


def events(keeper: Keeper, document: str) -> list[tuple[str | None, str]]:
    return [(event.who, event.what) for event in keeper.history.of(document)]


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../x.md", "x.md"),
        ("../../x", "x"),
        ("..\\..\\windows\\x.md", "x.md"),
        ("/etc/passwd", "passwd"),
        ("..", "document"),
        ("", "document"),
        (".htaccess", "htaccess"),
        ("~$kainos.docx", "kainos.docx"),
        ("a\x00b\u202efdp.md", "a b fdp.md"),
        ("con.txt", "document-con.txt"),
        ("Kainos 2026.lt.md", "Kainos 2026.lt.md"),
        (unicodedata.normalize("NFD", "ženklų.md"), "ženklų.md"),
        ("a" * 300 + ".lt.pdf", "a" * 143 + ".lt.pdf"),
        ("ž" * 300 + ".pdf", "ž" * 73 + ".pdf"),
    ],
)
def test_a_name_from_elsewhere_becomes_a_plain_file_name(given: str, safe: str) -> None:
    assert safe_name(given) == safe
    assert len(safe_name(given).encode()) <= 150


def test_a_taken_name_gets_a_number_before_its_endings() -> None:
    assert free_name("a.lt.pdf", {"a.lt.pdf", "a-2.lt.pdf"}) == "a-3.lt.pdf"
    assert free_name("a.pdf", set()) == "a.pdf"


# ── reading in a process of its own ─────────────────────────────────────────────────────────────────────────────


def test_reading_apart_gives_the_same_document_as_reading_here(tmp_path: Path) -> None:
    path = tmp_path / "kainos.lt.pdf"
    path.write_bytes(
        make_pdf(lambda c: lines(c, 70, 760, ["Ženklų kainos", "", "Bronzos ženklo kaina yra 2 250 eurų."]))
    )
    assert reading.read(path, "kainos.lt.pdf") == documents.read(path, "kainos.lt.pdf")


def test_reading_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "long.md"
    path.write_text("Bronze *label* [a](b) `c` costs. " * 400_000)
    begin = time.monotonic()
    with pytest.raises(UnreadableDocument, match="longer than 1 seconds"):
        reading.read(path, "long.md", reading.Limits(seconds=1))
    assert time.monotonic() - begin < 15


def test_reading_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_text("Bronze label. " * 1_300_000)
    with pytest.raises(UnreadableDocument, match="takes more than 150 MB of memory"):
        reading.read(path, "large.txt", reading.Limits(megabytes=150))


def test_a_zip_bomb_in_a_word_document_is_refused_before_it_is_unpacked(sheltered: Keeper) -> None:
    bomb = make_zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"\0" * 60_000_000})
    assert len(bomb) < LIMIT
    draft = upload(sheltered, "bomb.docx", bomb)
    assert draft.state == "unreadable"
    assert draft.trouble is not None and "would unzip to 60 MB" in draft.trouble.text
    assert live(sheltered) == []


def test_a_script_in_a_pdf_is_told_and_never_run(sheltered: Keeper) -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.actions import JavaScript

    writer = PdfWriter(PdfReader(io.BytesIO(make_pdf(lambda c: lines(c, 70, 760, ["The Gold Label costs much."])))))
    writer.add_open_action(JavaScript("app.alert('hello')"))
    file = io.BytesIO()
    writer.write(file)
    draft = upload(sheltered, "script.pdf", file.getvalue())
    document = sheltered.drafts.read(draft)
    assert draft.state == "ready" and document is not None
    assert reading.SCRIPTS in document.warnings
    assert "alert" not in document.text


def test_a_pdf_of_pictures_says_what_to_do(sheltered: Keeper) -> None:
    draft = upload(sheltered, "scan.pdf", make_pdf(picture))
    assert draft.state == "unreadable"
    assert draft.trouble is not None and "pictures of pages" in draft.trouble.text


# ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_shows_what_was_read_and_is_not_live(keeper: Keeper) -> None:
    draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
    document = keeper.drafts.read(draft)
    assert document is not None
    assert (draft.state, document.title, document.language) == ("ready", "Bronzos ženklo kaina", "lt")
    texts = [passage.text for passage in keeper.trials.passages(document)]
    assert texts == ["Bronzos ženklo kaina yra 2 250 eurų. Už ataskaitą mokėti nereikia."]
    assert live(keeper) == []
    assert list(keeper.settings.corpus.iterdir()) == []


def test_a_file_is_kept_byte_for_byte_as_it_came(keeper: Keeper) -> None:
    raw = "\ufeffBronzos ženklas\r\n\r\nKaina.\r\n".encode("utf-16")
    draft = upload(keeper, "a.txt", raw)
    keeper.correct(draft.id, "rasa", draft.revision, Metadata(title="Kaina", language="lt"))
    publish(keeper, draft)
    assert keeper.drafts.path(draft).read_bytes() == raw
    assert (keeper.settings.corpus / "a.txt").read_bytes() == raw


@pytest.mark.parametrize("name", ["../../x.md", "x" * 300 + ".md", "/etc/x.md", "..\\x.md"])
def test_no_name_leads_out_of_the_folders(keeper: Keeper, tmp_path: Path, name: str) -> None:
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(keeper.settings.data)}
    draft = publish(keeper, upload(keeper, name, PRICE_LIST))
    assert draft.state == "published" and draft.uploaded_as == name
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(keeper.settings.data)}
    assert after - before == {keeper.settings.corpus / draft.document}


def test_a_file_that_is_too_large_leaves_nothing_behind(keeper: Keeper) -> None:
    with pytest.raises(DeskError, match="larger than"):
        keeper.take_in("large.txt", io.BytesIO(b"x" * (LIMIT + 1)), "rasa", LIMIT)
    assert list(keeper.drafts.folder.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing_behind(keeper: Keeper) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(5, "the connection broke")
            return super().read(100)

    with pytest.raises(StoreError, match="nothing was changed"):
        keeper.take_in("a.txt", Breaking(b"x" * 1000), "rasa", LIMIT)
    assert list(keeper.drafts.folder.iterdir()) == []


def test_what_a_killed_server_left_of_an_upload_is_swept_at_the_next_start(settings: Settings) -> None:
    drafts = Drafts(settings.data)
    (drafts.folder / ".incoming-0123456789abcdef" / "file").mkdir(parents=True)
    assert drafts.clean() == 1 and list(drafts.folder.iterdir()) == []


def test_what_a_killed_server_left_of_a_writing_is_swept_and_the_draft_stays(
    settings: Settings, tmp_path: Path
) -> None:
    drafts = Drafts(settings.data)
    draft, _ = drafts.take_in("a.md", io.BytesIO(b"A label."), "rasa", 100)
    before = sorted(drafts.folder.rglob("*"))
    (drafts.folder / draft.id / "recognising").mkdir()
    assert dies_at(3, tmp_path, lambda: drafts.change(draft.id, "rasa", metadata=Metadata(title="Gold")))
    assert dies_at(3, tmp_path, lambda: write_whole(drafts.path(draft).with_name("b"), b"2"))
    assert len(list(drafts.folder.rglob(".*.part"))) == 2
    assert drafts.clean() == 3 and sorted(drafts.folder.rglob("*")) == before
    assert drafts.get(draft.id) == draft


def test_what_is_not_published_is_readable_by_its_owner_alone(settings: Settings) -> None:
    drafts = Drafts(settings.data)
    drafts.take_in("secret.md", io.BytesIO(b"Ketinimai."), "rasa", 100)
    assert drafts.folder.stat().st_mode & 0o777 == 0o700
    drafts.folder.chmod(0o755)  # as an earlier version made it
    drafts.clean()
    assert drafts.folder.stat().st_mode & 0o777 == 0o700


def test_the_same_file_twice_is_one_draft(keeper: Keeper) -> None:
    first = upload(keeper, "a.md", PRICE_LIST)
    second, again = keeper.take_in("b.md", io.BytesIO(PRICE_LIST.encode()), "jonas", LIMIT)
    assert again and second.id == first.id
    assert len(keeper.drafts.all()) == 1


def test_the_same_text_again_is_told_as_the_same(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "a.md", PRICE_LIST))
    draft = upload(keeper, "b.md", PRICE_LIST)
    document = keeper.drafts.read(draft)
    assert document is not None
    assert [(like.document, like.share, like.same) for like in keeper.likeness(document)] == [("a.md", 1.0, True)]


def test_the_smallest_file_is_next_and_two_large_ones_are_never_read_at_once() -> None:
    readings, done = Readings(), list[str]()
    for key, size in (("large", LARGE), ("larger", LARGE + 1), ("small", 10), ("smaller", 9), ("small too", 10)):
        readings.put(key, size, partial(done.append, key))
    assert [readings.job(key) for key in ("smaller", "larger", "nothing")] == [
        Job("queue", 1, 5),
        Job("queue", 5, 5),
        None,
    ]
    for _ in range(3):
        readings.get(0)()
    large = readings.get(0)
    assert (job := readings.job("large")) is not None and job.stage == "reading"
    with pytest.raises(queue.Empty):
        readings.get(0)
    readings.put("last", 5, partial(done.append, "last"))
    readings.get(0)()  # a small one finds the other worker free
    large()
    readings.get(0)()
    assert done == ["smaller", "small", "small too", "last", "large", "larger"]
    assert readings.job("larger") is None


def test_a_small_file_does_not_wait_for_a_large_one(settings: Settings, words: WordsEncoder) -> None:
    held = threading.Event()

    def read(path: Path, name: str) -> Document:
        if name == "large.md":
            held.wait(60)
            raise UnreadableDocument(name, "It took long.", "Try again.")
        return documents.read(path, name)

    with running(settings, words, read) as keeper:
        large, _ = keeper.take_in("large.md", io.BytesIO(b"x" * LARGE), "rasa", LARGE * 2)
        assert upload(keeper, "small.md", PRICE_LIST).state == "ready"
        assert keeper.drafts.get(large.id).state == "reading"
        held.set()
        until(lambda: keeper.drafts.get(large.id).state == "unreadable")


def test_two_editors_do_not_overwrite_each_others_corrections(keeper: Keeper) -> None:
    draft = upload(keeper, "a.md", PRICE_LIST)
    keeper.correct(draft.id, "rasa", draft.revision, Metadata(title="Pirma"))
    with pytest.raises(DeskError) as refused:
        keeper.correct(draft.id, "jonas", draft.revision, Metadata(title="Antra"))
    assert (refused.value.code, refused.value.values) == ("changed_meanwhile", {"who": "rasa"})
    assert keeper.drafts.get(draft.id).metadata.title == "Pirma"


def test_what_is_typed_is_read_as_a_sidecar_is() -> None:
    metadata, faults = checked(
        {
            "title": "  Kaina: „2 250“ ",
            "language": "lt",
            "date": "2026-3-5",
            "url": "javascript:alert(1)",
            "tags": "a, b ,,a",
        }
    )
    assert metadata == Metadata(title="Kaina: „2 250“", language="lt", date="2026-03-05", tags=("a", "b"))
    assert list(faults) == ["url"]
    assert checked({"title": "yes", "publisher": "{a: b}"})[0] == Metadata(title="yes", publisher="{a: b}")


def test_a_draft_is_asked_alone_and_the_trial_changes_nothing(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "gold.en.md", "# Gold\n\nThe gold label needs an expert.\n"))
    draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
    reply = keeper.trials.ask(draft.id, Question("Kokia bronzos ženklo kaina?"))
    assert reply is not None
    shown = reply.quotes or reply.nearest
    assert shown[0].text.startswith("Bronzos ženklo kaina yra 2 250 eurų.")
    assert {quote.source.document for quote in shown} == {"kaina.lt.md"}
    assert live(keeper) == ["gold.en.md"]


def test_what_was_tried_is_not_encoded_again_when_it_is_published(keeper: Keeper, words: WordsEncoder) -> None:
    draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
    keeper.trials.ask(draft.id, Question("bronzos kaina"))
    before = len(words.encoded)
    publish(keeper, draft)
    assert before > 0 and len(words.encoded) == before
    assert live(keeper) == ["kaina.lt.md"]


def test_the_remembering_encoder_gives_what_the_encoder_gives(words: WordsEncoder) -> None:
    remembering = RememberingPassages(words)
    texts = ["gold label", "silver price", "gold label", "nothing"]
    counted: list[int] = []
    remembering.encode_passages(["silver price"])
    assert (remembering.encode_passages(texts, counted.append) == words.encode_passages(texts)).all()
    assert remembering.encode_passages([]).shape == (0, words.dimension)


# ── publishing, replacing, withdrawing, restoring ───────────────────────────────────────────────────────────────


def test_publishing_makes_the_corrected_draft_live(keeper: Keeper) -> None:
    draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
    metadata = Metadata(title="Kiek kainuoja „bronza“", date="2026-11-23", publisher="Biuras", tags=("kainos",))
    draft = keeper.correct(draft.id, "rasa", draft.revision, metadata)
    expected = keeper.drafts.read(draft)
    assert publish(keeper, draft).state == "published"
    with open_store(keeper.settings.home) as store:
        found = store.read("kaina.lt.md")
    assert found is not None and expected is not None
    assert (found.title, found.date, found.publisher, found.tags) == (
        "Kiek kainuoja „bronza“",
        "2026-11-23",
        "Biuras",
        ("kainos",),
    )
    assert (found.text, found.blocks, found.language) == (expected.text, expected.blocks, expected.language)
    assert events(keeper, "kaina.lt.md") == [("rasa", "published")]
    until(lambda: (job := keeper.jobs.get(draft.id)) is not None and job.stage == "done")


def test_a_replaced_document_keeps_its_old_version_for_old_citations(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "kaina.lt.md", PRICE_LIST))
    newer = PRICE_LIST.replace("2 250", "2 500")
    draft = upload(keeper, "visai kitas vardas.md", newer, "jonas", replaces="kaina.lt.md")
    assert publish(keeper, draft, "jonas").document == "kaina.lt.md"
    assert (keeper.settings.corpus / "kaina.lt.md").read_text() == newer
    current, earlier = keeper.versions("kaina.lt.md")
    assert (current.state, earlier.state) == ("current", "superseded")
    assert current.event is not None and current.event.who == "jonas" and current.event.what == "replaced"
    assert earlier.event is not None and earlier.event.who == "rasa"
    assert earlier.kept is not None and earlier.kept.read_text() == PRICE_LIST
    with open_store(keeper.settings.home) as store:
        assert store.text("kaina.lt.md", earlier.version) == PRICE_LIST
        assert store.held("kaina.lt.md")["passages"] == 1


def test_a_new_version_keeps_what_was_corrected_before_but_for_the_date(keeper: Keeper) -> None:
    draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
    keeper.correct(draft.id, "rasa", draft.revision, Metadata(title="Kaina", date="2026-01-01", tags=("a",)))
    publish(keeper, draft)
    newer = upload(keeper, "kaina.lt.md", PRICE_LIST + "\nDar.\n", replaces="kaina.lt.md")
    assert newer.metadata == Metadata(title="Kaina", tags=("a",))


def test_a_file_of_a_known_name_waits_until_somebody_says_what_it_is(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "a.md", PRICE_LIST))
    draft = upload(keeper, "a.md", "# Kitas\n\nVisai kitas dokumentas.\n")
    assert draft.intent == "ask"
    with pytest.raises(DeskError) as refused:
        keeper.publish(draft.id, "rasa")
    assert refused.value.code == "ask"
    other = keeper.correct(draft.id, "rasa", draft.revision, Metadata(), intent="new")
    assert (other.document, keeper.conflict(other)) == ("a-2.md", None)
    same = keeper.correct(draft.id, "rasa", other.revision, Metadata(), intent="replace")
    assert (same.document, keeper.conflict(same)) == ("a.md", None)


def test_of_two_editors_publishing_one_document_the_second_is_told(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "a.md", PRICE_LIST))
    one = upload(keeper, "a.md", PRICE_LIST + "\nPirma.\n", "rasa", replaces="a.md")
    two = upload(keeper, "a.md", PRICE_LIST + "\nAntra.\n", "jonas", replaces="a.md")
    outcomes: list[str] = []

    def go(draft: Draft, who: str) -> None:
        try:
            outcomes.append(publish(keeper, draft, who).state)
        except DeskError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=go, args=pair) for pair in ((one, "rasa"), (two, "jonas"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = {keeper.drafts.get(draft.id).state for draft in (one, two)}
    assert states == {"published", "ready"}
    loser = next(draft for draft in map(keeper.drafts.get, (one.id, two.id)) if draft.state == "ready")
    conflict = keeper.conflict(loser)
    assert conflict is not None and conflict.code == "changed"
    resolved = keeper.resolve(loser.id, "jonas", loser.revision)
    assert publish(keeper, resolved, "jonas").state == "published"
    assert len(keeper.versions("a.md")) == 3


def test_two_clicks_publish_once(keeper: Keeper) -> None:
    draft = upload(keeper, "a.md", PRICE_LIST)
    keeper.publish(draft.id, "rasa")
    with pytest.raises(DeskError) as refused:
        keeper.publish(draft.id, "rasa")
    assert refused.value.code == "wrong_state"
    until(lambda: keeper.drafts.get(draft.id).state == "published")
    assert events(keeper, "a.md") == [("rasa", "published")]


def test_a_long_publication_keeps_nobody_from_withdrawing(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(keeper, upload(keeper, "prices.en.md", PRICES))
    draft = upload(keeper, "long.md", PRICE_LIST)
    begun, go_on = threading.Event(), threading.Event()
    encode = keeper._encoder.encode_passages

    def slowly(texts: list[str], progress: Callable[[int], None] | None = None) -> object:
        begun.set()
        assert go_on.wait(20)
        return encode(texts, progress)

    monkeypatch.setattr(keeper._encoder, "encode_passages", slowly)
    keeper.publish(draft.id, "rasa")
    assert begun.wait(20)
    keeper.withdraw("prices.en.md", "jonas")
    assert live(keeper) == [] and keeper.drafts.get(draft.id).state == "publishing"
    go_on.set()
    until(lambda: live(keeper) == ["long.md"])


def test_withdrawing_takes_every_passage_and_vector_out_and_proves_it(keeper: Keeper, words: WordsEncoder) -> None:
    publish(keeper, upload(keeper, "prices.en.md", PRICES))
    publish(keeper, upload(keeper, "kainos.lt.md", KAINOS))
    asked = KnowledgeBase(keeper.settings, words)
    question = Question("Does the gold label need an expert?")
    assert "prices.en.md" in {hit.passage.document for hit in asked.trace(question).hits}
    proof = keeper.withdraw("prices.en.md", "rasa")
    assert proof.before["passages"] > 0 and proof.before["vectors"] > proof.before["passages"]
    assert proof.after == {"passages": 0, "vectors": 0, "stems": 0}
    for what in ("passages", "vectors", "stems"):
        assert proof.all_before[what] - proof.all_after[what] == proof.before[what]
    assert "prices.en.md" not in {hit.passage.document for hit in asked.trace(question).hits}
    assert live(keeper) == ["kainos.lt.md"]
    assert [version.state for version in keeper.versions("prices.en.md")] == ["withdrawn"]
    asked.close()


def test_a_withdrawn_document_comes_back_as_it_was(keeper: Keeper) -> None:
    draft = upload(keeper, "prices.en.md", PRICES)
    keeper.correct(draft.id, "rasa", draft.revision, Metadata(title="Corrected"))
    publish(keeper, draft)
    keeper.withdraw("prices.en.md", "rasa")
    keeper.restore("prices.en.md", "jonas")
    until(lambda: live(keeper) == ["prices.en.md"])
    until(lambda: events(keeper, "prices.en.md")[0] == ("jonas", "restored"))
    with open_store(keeper.settings.home) as store:
        assert [d.title for d in store.documents() if d.id == "prices.en.md"] == ["Corrected"]
    with pytest.raises(DeskError):
        keeper.restore("prices.en.md", "jonas")
    with pytest.raises(CorpusError):
        keeper.withdraw("../drafts", "rasa")


def test_an_index_that_cannot_take_a_document_leaves_corpus_and_draft_as_they_were(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(keeper, upload(keeper, "a.md", PRICE_LIST))
    draft = upload(keeper, "a.md", PRICE_LIST + "\nNauja.\n", replaces="a.md")
    other = upload(keeper, "b.md", PRICES)

    def full(*_: object, **__: object) -> None:
        raise StoreError("There is no space left.")

    monkeypatch.setattr("clusterqa.staff.publishing.sync.update", full)
    for failing in (draft, other):
        failed = publish(keeper, failing)
        assert failed.state == "ready"
        assert failed.trouble is not None and "no space left" in failed.trouble.text
    monkeypatch.undo()
    assert (keeper.settings.corpus / "a.md").read_text() == PRICE_LIST
    assert not (keeper.settings.corpus / "b.md").exists()
    assert publish(keeper, draft).state == publish(keeper, other).state == "published"


# ── what is changed by hand ─────────────────────────────────────────────────────────────────────────────────────


def test_files_changed_by_hand_are_taken_up_and_told_apart(keeper: Keeper) -> None:
    path = keeper.settings.corpus / "by-hand.lt.md"
    path.write_text(KAINOS)
    until(lambda: live(keeper) == ["by-hand.lt.md"])
    path.write_text(KAINOS.replace("2 250", "2 500"))
    until(lambda: len(keeper.versions("by-hand.lt.md")) == 2)
    path.unlink()
    until(lambda: live(keeper) == [])
    until(lambda: len(events(keeper, "by-hand.lt.md")) == 3)
    assert events(keeper, "by-hand.lt.md") == [
        (None, "removed_by_hand"), (None, "changed_by_hand"), (None, "added_by_hand"),
    ]  # fmt: skip


def test_what_an_updated_program_reads_otherwise_is_taken_up_and_not_called_a_change_by_hand(
    settings: Settings, words: WordsEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("a.en.md", PRICES), ("b.lt.md", KAINOS)):
        (settings.corpus / name).write_text(text)

    def untitled(path: Path, name: str) -> Document:
        read = documents.read(path, name)
        return replace(read, title="Untitled") if name == "a.en.md" else read

    with monkeypatch.context() as earlier:
        earlier.setattr(documents, "readers", lambda: "earlier")
        sync.update(settings, lambda: words, read=untitled)
    with running(settings, words, documents.read, indexed=True) as keeper:
        until(lambda: events(keeper, "a.en.md") == [(None, "read_anew")])
        with open_store(settings.home) as store:
            until(lambda: not sync.read_by_others(store))
            assert [stored.title for stored in store.documents()] == ["Label prices", "Ženklų kainos"]
        assert events(keeper, "b.lt.md") == []


def test_a_file_changed_by_hand_under_a_draft_is_a_conflict_and_both_are_kept(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "a.md", PRICE_LIST))
    draft = upload(keeper, "a.md", PRICE_LIST + "\nIš darbuotojos.\n", replaces="a.md")
    by_hand = PRICE_LIST + "\nIš rankos.\n"
    (keeper.settings.corpus / "a.md").write_text(by_hand)
    with pytest.raises(DeskError) as refused:
        keeper.publish(draft.id, "rasa")
    assert refused.value.code == "changed"
    assert (keeper.settings.corpus / "a.md").read_text() == by_hand
    until(lambda: len(keeper.versions("a.md")) == 2)
    resolved = keeper.resolve(draft.id, "rasa", keeper.drafts.get(draft.id).revision)
    publish(keeper, resolved)
    kept = [version.kept.read_text() for version in keeper.versions("a.md") if version.kept]
    assert kept == [PRICE_LIST + "\nIš darbuotojos.\n", by_hand, PRICE_LIST]


def test_a_document_that_went_under_a_draft_is_a_conflict(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "a.md", PRICE_LIST))
    draft = upload(keeper, "a.md", PRICE_LIST + "\nNauja.\n", replaces="a.md")
    keeper.withdraw("a.md", "jonas")
    with pytest.raises(DeskError) as refused:
        keeper.publish(draft.id, "rasa")
    assert refused.value.code == "gone"


def test_a_corpus_that_lost_most_of_its_files_is_not_believed(keeper: Keeper) -> None:
    for number in range(12):
        (keeper.settings.corpus / f"{number:02}.md").write_text(f"# Nr. {number}\n\nLabel {number}.\n")
    until(lambda: len(live(keeper)) == 12)
    for number in range(9):
        (keeper.settings.corpus / f"{number:02}.md").unlink()
    until(lambda: keeper.watch.problem is not None)
    assert keeper.watch.problem is not None and keeper.watch.problem.values == {"missing": 9, "total": 12}
    assert len(live(keeper)) == 12


def test_a_file_that_is_mended_by_hand_is_read_again(keeper: Keeper) -> None:
    path = keeper.settings.corpus / "a.pdf"
    path.write_bytes(b"%PDF-1.7 broken")

    def unreadable() -> list[str]:
        with open_store(keeper.settings.home) as store:
            return [name for name, _, _ in store.unreadable()]

    until(lambda: unreadable() == ["a.pdf"])
    path.write_bytes(make_pdf(lambda c: lines(c, 70, 760, ["The Silver Label costs money."])))
    until(lambda: live(keeper) == ["a.pdf"])


# ── what survives ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_that_was_being_published_is_published_at_the_next_start(
    settings: Settings, words: WordsEncoder
) -> None:
    sync.update(settings, lambda: words)
    database = open_database(settings.home)
    first = Keeper(settings, words, History(database), Audit(database), read=documents.read)
    draft, _ = first.take_in("a.md", io.BytesIO(PRICE_LIST.encode()), "rasa", LIMIT)
    first._read_draft(draft.id)  # the server was killed before its threads came to publishing
    first.publish(draft.id, "rasa")
    second = Keeper(settings, words, History(database), Audit(database), read=documents.read)
    second.start()
    until(lambda: second.drafts.get(draft.id).state == "published")
    assert live(second) == ["a.md"] and events(second, "a.md") == [("rasa", "published")]
    second.stop()
    database.close()


def key_of(keeper: Keeper, document: str, words: str) -> str:
    with open_store(keeper.settings.home) as store:
        read = store.read(document)
    assert read is not None
    return next(one.key for one in markable(read, Metadata()) if words in one.text)


def publish_ready(keeper: Keeper, document: str) -> None:
    for draft in keeper.drafts.all():
        if draft.document == document and draft.state == "ready":
            keeper.publish(draft.id, "rasa")


WORKS: dict[str, tuple[str, str, Callable[[Keeper], object]]] = {
    "withdrawing": ("withdrawn", "a.md", lambda keeper: keeper.withdraw("a.md", "rasa")),
    "restoring": ("restored", "gone.md", lambda keeper: keeper.restore("gone.md", "rasa")),
    "publishing": ("published", "new.md", lambda keeper: publish_ready(keeper, "new.md")),
    "replacing": ("replaced", "a.md", lambda keeper: publish_ready(keeper, "a.md")),
    "writing": ("replaced", "a.md", lambda keeper: keeper.put_text("a.md", PRICES, "rasa")),
    "leaving out": (
        "left_out",
        "a.md",
        lambda keeper: keeper.mark("a.md", "rasa", "left_out", [key_of(keeper, "a.md", "silver")], "Old"),
    ),
}


@contextmanager
def resting(settings: Settings, words: WordsEncoder) -> Iterator[Keeper]:
    """A keeper without its threads: what it puts off is done when asked for."""
    database = open_database(settings.home)
    yield Keeper(settings, words, History(database), Audit(database), read=documents.read)
    database.close()


def do_all(keeper: Keeper) -> None:
    """As the thread of the server: an error ends a task, not the thread."""
    while not keeper._changes.empty():
        task = keeper._changes.get()
        with suppress(ClusterQAError):
            task()


@pytest.mark.parametrize("name", WORKS)
def test_a_server_killed_at_any_moment_of_a_change_finishes_it_in_the_name_of_who_began_it(
    settings: Settings, words: WordsEncoder, tmp_path: Path, name: str
) -> None:
    what, document, work = WORKS[name]
    for file in ("a.md", "gone.md"):
        (settings.corpus / file).write_text(f"# {file}\n\nThe silver label of {file}.\n")
        (settings.corpus / f"{file}.yaml").write_text("title: As it was\n")
    sync.update(settings, lambda: words)
    with resting(settings, words) as keeper:
        keeper.withdraw("gone.md", "jonas")
        draft, _ = keeper.take_in("new.md", io.BytesIO(PRICE_LIST.encode()), "jonas", LIMIT)
        keeper._read_draft(draft.id)
        draft, _ = keeper.take_in("a.md", io.BytesIO(PRICES.encode()), "jonas", LIMIT, "a.md")
        keeper._read_draft(draft.id)
        keeper.correct(draft.id, "jonas", keeper.drafts.get(draft.id).revision, Metadata(title="As it is now"))
        before = keeper.digest("a.md")
    kept = tmp_path / "kept"
    for folder in (settings.corpus, settings.data):
        shutil.copytree(folder, kept / folder.name)

    def at_work() -> None:
        with resting(settings, words) as keeper:
            work(keeper)
            do_all(keeper)

    number, finished = 0, 0
    while True:
        for folder in (settings.corpus, settings.data):
            shutil.rmtree(folder)
            shutil.copytree(kept / folder.name, folder)
        number += 1
        if not dies_at(number, tmp_path, at_work):
            break
        with resting(settings, words) as keeper:
            keeper._resume()
            do_all(keeper)
            told = [(who, done) for who, done in events(keeper, document) if who != "jonas"]
            assert told in ([], [("rasa", what)]), number
            finished += bool(told)
            assert keeper.history.begun() == []
            if not told:
                work(keeper)
                do_all(keeper)
            assert [path for folder in (settings.corpus, settings.data) for path in folder.rglob(".*")] == [], number
            assert events(keeper, document)[0] == ("rasa", what), number
            lines = [entry for entry in keeper._audit.entries(who="rasa") if entry.what == f"document.{what}"]
            assert len(lines) == 1 and lines[0].target == document
            assert (document in live(keeper)) == (what != "withdrawn")
            if what == "replaced":
                with open_store(settings.home) as store:
                    assert (stored := store.document("a.md")) and stored.file_sha256 == keeper.digest("a.md") != before
                    first = store.versions("a.md")[0]
                assert keeper.history.of("a.md")[0].detail["earlier"] == first, number
    assert number > 15 and finished > 3


def doc(text: str) -> Document:
    blocks, at = [], 0
    for line in text.split("\n"):
        blocks.append(Block("paragraph", at, at + len(line)))
        at += len(line) + 1
    return Document("a.md", text, "A", "en", tuple(blocks), "text/markdown")


def test_the_difference_of_two_versions_names_what_goes_what_comes_and_what_is_lost() -> None:
    before = doc("The fee is 100 euros a year.\nPay by May.\nAsk Petras.")
    after = doc("The fee is 120 euros a year.\nAsk Petras.\nNew members pay nothing in their first summer here.")
    found = compare(before, after, split(before, 600))
    assert found.changes == (
        (("same", "The fee is "), ("gone", "100 "), ("new", "120 "), ("same", "euros a year.")),
        (("gone", "Pay by May."),),
        (("new", "New members pay nothing in their first summer here."),),
    )
    assert [passage.text for passage in found.lost] == [before.text]
    assert (
        compare(before, doc("The fee is 100\neuros a  year.\nPay by May.\nAsk Petras."), split(before, 600)).lost == ()
    )


def test_a_thousand_changed_paragraphs_are_compared_with_bounded_work() -> None:
    def edition(year: int, words: int) -> Document:
        return doc(
            "\n".join(f"{n}. " + " ".join(f"w{n * i % 97}" for i in range(words)) + f" {year}." for n in range(1000))
        )

    before, after = edition(2024, 40), edition(2025, 40)
    found = compare(before, after, split(before, 600))
    assert len(found.changes) == 1000 and len(found.lost) == len(split(before, 600))
    assert [kind for kind, _ in found.changes[-1]] == ["same", "gone", "new"]
    before, after = edition(2024, 400), edition(2025, 400)
    found = compare(before, after, ())
    assert [kind for kind, _ in found.changes[0]] == ["same", "gone", "new"]
    assert [kind for change in found.changes[-2:] for kind, _ in change] == ["gone", "new"]


def test_a_new_version_is_compared_with_the_live_one_and_begins_without_its_dates(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "kaina.lt.md", "---\nvalid_until: 2001\n---\n" + PRICE_LIST))
    draft = upload(keeper, "nauja.md", PRICE_LIST.replace("2 250", "2 500"), replaces="kaina.lt.md")
    document = keeper.drafts.read(draft)
    assert document is not None and document.valid_until is None
    found = keeper.comparison(draft, document)
    assert found is not None and len(found.lost) == 1
    assert [kind for kind, _ in found.changes[0]] == ["same", "gone", "new", "same"]
    assert keeper.comparison(upload(keeper, "other.md", KAINOS), document) is None


def test_a_planned_draft_is_published_when_its_day_comes(settings: Settings, words: WordsEncoder) -> None:
    days = [date(2030, 1, 1)]
    with running(settings, words, documents.read, today=lambda: days[-1]) as keeper:
        draft, other = upload(keeper, "kaina.lt.md", PRICE_LIST), upload(keeper, "prices.md", PRICES)
        for day in (date(2030, 1, 1), date(2029, 1, 1)):
            with pytest.raises(DeskError, match="one to come"):
                keeper.plan(draft.id, "rasa", day)
        assert keeper.plan(draft.id, "rasa", date(2030, 1, 3)).publish_on == "2030-01-03"
        keeper.plan(other.id, "rasa", date(2030, 1, 3))
        keeper.plan(other.id, "rasa", None)
        days.append(date(2030, 1, 2))
        keeper._look()
        assert keeper.drafts.get(draft.id).state == "ready"
        days.append(date(2030, 1, 4))  # the server was off on the day itself
        until(lambda: keeper.drafts.get(draft.id).state == "published")
        assert (live(keeper), keeper.drafts.get(other.id).state) == (["kaina.lt.md"], "ready")


def test_a_planned_draft_that_is_read_again_at_midnight_is_published_when_it_is_read(
    settings: Settings, words: WordsEncoder
) -> None:
    days = [date(2030, 1, 1)]
    with running(settings, words, documents.read, today=lambda: days[-1]) as keeper:
        draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
        keeper.plan(draft.id, "rasa", date(2030, 1, 2))
        keeper.drafts.change(draft.id, None, state="reading")
        days.append(date(2030, 1, 2))
        keeper._look()
        assert keeper.drafts.get(draft.id).state == "reading"
        keeper.drafts.change(draft.id, None, state="ready")
        until(lambda: keeper.drafts.get(draft.id).state == "published")
        assert keeper.drafts.get(draft.id).publish_on is None


def test_what_cannot_be_published_on_its_day_waits_with_the_reason(settings: Settings, words: WordsEncoder) -> None:
    days = [date(2030, 1, 1)]
    with running(settings, words, documents.read, today=lambda: days[-1]) as keeper:
        draft = upload(keeper, "kaina.lt.md", PRICE_LIST)
        keeper.plan(draft.id, "rasa", date(2030, 1, 2))
        publish(keeper, upload(keeper, "kaina.lt.md", KAINOS))
        days.append(date(2030, 1, 2))
        until(lambda: keeper.drafts.get(draft.id).publish_on is None)
        left = keeper.drafts.get(draft.id)
        assert left.state == "ready" and left.trouble is not None and left.trouble.code == "taken"


def test_the_export_holds_everything_and_its_documents_can_be_indexed_again(
    keeper: Keeper, tmp_path: Path, words: WordsEncoder
) -> None:
    draft = upload(keeper, "=kaina.lt.md", PRICE_LIST)
    keeper.correct(draft.id, "rasa", draft.revision, Metadata(title="=Kaina"))
    publish(keeper, draft)
    publish(keeper, upload(keeper, "x.md", PRICE_LIST + "\nNauja.\n", replaces="=kaina.lt.md"))
    publish(keeper, upload(keeper, "prices.en.md", PRICES))
    keeper.withdraw("prices.en.md", "rasa")
    waiting = upload(keeper, "waiting.md", "# Waiting\n\nNot live.\n")
    os.utime(keeper.settings.corpus / "=kaina.lt.md", (0, 0))
    with (tmp_path / "all.zip").open("wb") as file:
        keeper.export(file)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = set(archive.namelist())
        table = archive.read("documents.csv").decode("utf-8-sig")
        history = [json.loads(line) for line in archive.read("history.jsonl").splitlines()]
        archive.extractall(tmp_path / "out")
    assert {
        "documents/=kaina.lt.md", "documents/=kaina.lt.md.yaml", "withdrawn/prices.en.md",
        f"drafts/{waiting.id}/waiting.md", "documents.csv", "history.jsonl",
    } <= names  # fmt: skip
    assert any(name.startswith("earlier/=kaina.lt.md/") for name in names)
    assert "'=kaina.lt.md,live,'=Kaina,lt" in table and "prices.en.md,withdrawn," in table
    assert [line["what"] for line in history if line["document"] == "prices.en.md"] == ["published", "withdrawn"]
    again = Settings(corpus=tmp_path / "out" / "documents", data=tmp_path / "again")
    assert sync.update(again, lambda: words).added == ("=kaina.lt.md",)


def test_an_answer_written_at_the_desk_becomes_a_document(keeper: Keeper) -> None:
    generation = keeper.put_text("answers/sidabras.lt.md", PRICE_LIST, "rasa")
    assert live(keeper) == ["answers/sidabras.lt.md"] and generation > 0
    keeper.put_text("answers/sidabras.lt.md", PRICE_LIST + "\nPapildyta.\n", "jonas")
    assert events(keeper, "answers/sidabras.lt.md") == [("jonas", "replaced"), ("rasa", "published")]


# ── likeness ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_likeness_is_the_share_of_runs_of_words() -> None:
    a = runs("one two three four five six seven")
    b = runs("zero one two three four five six")
    assert a.share_in(b) == 2 / 3 and runs("").share_in(a) == 0
    words = [f"w{n}" for n in range(5000)]
    long, half = runs(" ".join(words)), runs(" ".join(words[:1000]))
    assert long.sampled and not half.sampled
    assert half.share_in(long) == 1.0 and 0.15 < long.share_in(half) < 0.25


def test_a_sidecar_is_written_so_that_it_reads_back(tmp_path: Path) -> None:
    from clusterqa.documents.metadata import parse

    metadata = Metadata(
        title="Kaina: „a“ # b", language="lt", tags=("x", "y: z"), translation_of="a.en.md", date="2026"
    )
    assert parse(sidecar_text(metadata), 1, "a") == (metadata, [])
    assert sidecar_text(Metadata()) == ""


# ── recognised text, and what is said of live documents ─────────────────────────────────────────────────────────


def test_the_file_as_it_came_stays_beside_what_was_recognised_in_it(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    draft, _ = drafts.take_in("skenas.lt.png", io.BytesIO(b"picture"), "rasa", LIMIT)
    drafts.change(draft.id, "rasa", metadata=Metadata(publisher="Biuras"), state="ready")
    for made in (b"%PDF first", b"%PDF second"):  # the second time on what came of the first
        (tmp_path / "made.pdf").write_bytes(made)
        page = Recognised(1, 20, 91.5, ("žodls",))
        known = drafts.keep_recognised(draft.id, tmp_path / "made.pdf", [page])
        assert (known.file, known.document, known.size) == ("skenas.lt.pdf", "skenas.lt.pdf", len(b"picture"))
        assert (drafts.path(known).read_bytes(), drafts.recognised(known)) == (made, [page])
        assert (drafts.original(known).name, drafts.original(known).read_bytes()) == ("skenas.lt.png", b"picture")
        assert drafts.sidecar(known).read_text() == "publisher: Biuras\n"
        assert len(list(drafts.path(known).parent.iterdir())) == 2
    again, there = drafts.take_in("skenas.lt.png", io.BytesIO(b"picture"), "rasa", LIMIT)
    assert (again.id, there) == (draft.id, True)


@pytest.mark.parametrize("step", ["copy_whole", "_write"])
def test_a_recognising_that_is_killed_leaves_a_draft_that_can_be_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (tmp_path / "made.pdf").write_bytes(b"%PDF made")
    drafts = Drafts(tmp_path)
    draft, _ = drafts.take_in("skenas.png", io.BytesIO(b"picture"), "rasa", LIMIT)
    real, done = getattr(drafts_module, step), list[object]()

    def dies_at_the_second(*args: object) -> None:
        done.append(args)
        if len(done) == 2:
            raise KeyboardInterrupt
        real(*args)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(drafts_module, step, dies_at_the_second)
        drafts.keep_recognised(draft.id, tmp_path / "made.pdf", [])
    left = drafts.get(draft.id)
    assert drafts.path(left).read_bytes() == drafts.original(left).read_bytes() == b"picture"
    assert drafts.keep_recognised(draft.id, tmp_path / "made.pdf", []).file == "skenas.pdf"


@pytest.mark.skipif(
    not ocr.languages(), reason="Tesseract is not installed: apt-get install tesseract-ocr tesseract-ocr-lit"
)
def test_a_pdf_whose_empty_page_says_nothing_stays_as_it_was_read(keeper: Keeper) -> None:
    content = make_pdf(lambda c: lines(c, 70, 760, ["Aukso ženklo kaina yra 1480 eurų."]), lambda c: None)
    draft = upload(keeper, "two.pdf", content)
    before = keeper.drafts.read(draft)
    keeper.recognise(draft.id, "rasa")
    until(lambda: keeper.drafts.get(draft.id).state != "reading", 300)
    left = keeper.drafts.get(draft.id)
    assert left.state == "ready" and left.trouble is not None and left.trouble.code == "not_recognised"
    assert (keeper.drafts.read(left), keeper.drafts.path(left).read_bytes()) == (before, content)


def amend(keeper: Keeper, document: str, **values: object) -> None:
    keeper.amend(document, "rasa", lambda metadata, _: replace(metadata, **values))  # type: ignore[arg-type]
    until(lambda: (job := keeper.jobs.get(document)) is not None and job.over)


def test_what_is_said_of_a_live_document_is_put_back_where_the_index_cannot_take_it(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(keeper, upload(keeper, "kaina.lt.md", PRICE_LIST))
    amend(keeper, "kaina.lt.md", publisher="Biuras", tags=("kainos",))
    beside = keeper.settings.corpus / "kaina.lt.md.yaml"
    said = beside.read_text()
    assert said == "publisher: Biuras\ntags:\n- kainos\n"

    def fails(*_: object, **__: object) -> sync.Report:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(sync, "update", fails)
        amend(keeper, "kaina.lt.md", publisher="Kitas")
        assert beside.read_text() == said
        # A new version with the same metadata that cannot be taken leaves the one before.
        new = upload(keeper, "nauja.md", PRICE_LIST.replace("2 250", "2 500"), replaces="kaina.lt.md")
        assert publish(keeper, new).state == "ready"
    assert (keeper.settings.corpus / "kaina.lt.md").read_text() == PRICE_LIST
    assert (beside.read_text(), live(keeper)) == (said, ["kaina.lt.md"])
    assert publish(keeper, keeper.drafts.get(new.id)).state == "published"


# ── passages that are left out ──────────────────────────────────────────────────────────────────────────────────

ORDER = """# Tvarka

Ženklas galioja dvejus metus.

Sena kaina buvo 100 eurų.

Reikia:

- sutarties;
- pažymos;
- sutarties;
- prašymo.
"""


def wait_for(keeper: Keeper, document: str, *whats: str) -> None:
    until(lambda: tuple(what for _, what in events(keeper, document))[: len(whats)] == whats)


def quoted(keeper: Keeper, document: str) -> list[str]:
    """What stands in the passages of a document, as the index has them."""
    with open_store(keeper.settings.home) as store:
        read = store.read(document)
        assert read is not None and read.text == ORDER
        return [passage.text for passage in split(read)]


def test_a_passage_that_is_left_out_is_in_no_passage_and_its_text_stays(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "tvarka.lt.md", ORDER))
    whole = quoted(keeper, "tvarka.lt.md")
    assert any("Sena kaina" in text and "dvejus metus" in text for text in whole)
    keeper.mark("tvarka.lt.md", "rasa", "left_out", [key_of(keeper, "tvarka.lt.md", "Sena")], "Nebegalioja")
    wait_for(keeper, "tvarka.lt.md", "left_out")
    assert [text for text in quoted(keeper, "tvarka.lt.md") if "Sena" in text] == []
    assert "Ženklas galioja dvejus metus." in quoted(keeper, "tvarka.lt.md")
    event = keeper.history.of("tvarka.lt.md")[0]
    assert event.detail == {"passages": ["Sena kaina buvo 100 eurų."], "said": "Nebegalioja"}
    lines = [(e.who, e.what, e.detail) for e in keeper._audit.entries(who="rasa") if e.what == "document.left_out"]
    assert lines == [("rasa", "document.left_out", "Nebegalioja")]
    assert [v.event.what for v in keeper.versions("tvarka.lt.md") if v.event] == ["published"]
    keeper.mark("tvarka.lt.md", "rasa", "put_back", [key_of(keeper, "tvarka.lt.md", "Sena")])
    wait_for(keeper, "tvarka.lt.md", "put_back", "left_out")
    assert quoted(keeper, "tvarka.lt.md") == whole
    assert not (keeper.settings.corpus / "tvarka.lt.md.yaml").exists()


def test_of_items_with_the_same_words_the_one_meant_is_left_out(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "tvarka.lt.md", ORDER))
    with open_store(keeper.settings.home) as store:
        read = store.read("tvarka.lt.md")
    assert read is not None
    second = [one.key for one in markable(read, Metadata()) if one.text == "sutarties;"][1]
    keeper.mark("tvarka.lt.md", "rasa", "left_out", [second], "Kartojasi")
    wait_for(keeper, "tvarka.lt.md", "left_out")
    assert [t[-19:] for t in quoted(keeper, "tvarka.lt.md")] == ["sutarties;\n- pažymos;"[-19:], "prašymo."]


def test_what_is_left_out_stays_so_in_the_same_file_and_in_a_new_version(keeper: Keeper) -> None:
    draft = upload(keeper, "tvarka.lt.md", ORDER)
    document = keeper.drafts.found(draft)
    assert document is not None
    keys = {one.text[:4]: one.key for one in markable(document, Metadata())}
    keeper.mark_draft(draft.id, "rasa", "left_out", [keys["Sena"]], "Nebegalioja")
    keeper.mark_draft(draft.id, "rasa", "noted", [keys["Ženk"]], "Tikslinama")
    read = keeper.drafts.read(keeper.drafts.get(draft.id))
    assert read is not None and [b.kind for b in read.blocks].count("left_out") == 1
    publish(keeper, keeper.drafts.get(draft.id))
    assert [text for text in quoted(keeper, "tvarka.lt.md") if "Sena" in text] == []
    assert keeper.history.of("tvarka.lt.md")[0].detail["left_out"] == "1"
    again = upload(keeper, "tvarka.md", ORDER, replaces="tvarka.lt.md")
    newer = upload(keeper, "nauja.md", ORDER.replace("Sena kaina", "Kaina"), replaces="tvarka.lt.md")
    for draft, warned in ((again, 0), (newer, 1)):
        assert draft.metadata.left_out == (f"{keys['Sena']} Nebegalioja",)
        assert draft.metadata.notes == (f"{keys['Ženk']} Tikslinama",)
        read = keeper.drafts.read(draft)
        assert read is not None and len(read.warnings) == warned
    publish(keeper, again)
    assert [text for text in quoted(keeper, "tvarka.lt.md") if "Sena" in text] == []


def test_too_many_passages_or_none_are_refused(keeper: Keeper) -> None:
    publish(keeper, upload(keeper, "tvarka.lt.md", ORDER))
    with pytest.raises(DeskError) as caught:
        keeper.mark("tvarka.lt.md", "rasa", "left_out", ["0" * 12], "x")
    assert caught.value.code == "no_passages"
    rows = "| A | B |\n|---|---|\n" + "".join(f"| r{n} | {n} |\n" for n in range(400))
    draft = upload(keeper, "lentele.md", f"# T\n\n{rows}")
    document = keeper.drafts.found(draft)
    assert document is not None
    keys = [one.key for one in markable(document, Metadata())]
    with pytest.raises(DeskError) as caught:
        keeper.mark_draft(draft.id, "rasa", "left_out", keys, "Nebegalioja. " * 20)
    assert caught.value.code == "too_many_marks"
    assert keeper.drafts.get(draft.id).metadata == Metadata()
