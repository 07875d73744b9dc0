"""The index follows the corpus: only what changed is read and encoded, and what is removed is gone until restored."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clusterqa import documents
from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus import sync
from clusterqa.corpus.sync import Report
from clusterqa.errors import CorpusError, IndexNotFound, IndexOutdated
from clusterqa.records import Document, Question
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.store.faiss_index import FaissIndex
from seed_texts import KAINOS, PRICES
from words_encoder import WORDS, WordsEncoder, WordTokens

Write = Callable[[str, str], Path]
Index = Callable[..., Report]


def later(path: Path) -> None:
    """Give a file a new time of change, as any real edit does."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def content(settings: Settings) -> dict[str, object]:
    """Everything that search sees, without the ids, which may differ between two ways to the same index."""
    with open_store(settings.home) as store:
        assert store.damage() == []
        passages = list(store.passages())
        places = {entry.id: (entry.passage.document, entry.passage.ordinal) for entry in passages}
        tokens = store.tokens(list(places))
        return {
            "passages": sorted(
                (
                    repr(e.passage),
                    e.language,
                    e.rows.tobytes(),
                    own.states.tobytes(),
                    own.cuts.tolist(),
                    own.ids.tolist(),
                )
                for e, own in zip(passages, tokens, strict=True)
            ),
            "terms": {
                term: sorted((*places[i], where) for i, where in store.matching([term]).items())
                for term in store.vocabulary()
            },
            "documents": [(d.id, d.version, d.title, d.language, d.date, d.tags) for d in store.documents()],
        }


# ── what one run does ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_says_what_was_added_changed_and_removed(write: Write, index: Index, settings: Settings) -> None:
    write("a.en.md", PRICES)
    write("b.lt.md", KAINOS)
    write("picture.png", "not a document")
    first = index()
    assert (first.generation, first.added, first.changed, first.removed) == (1, ("a.en.md", "b.lt.md"), (), ())
    assert first.ignored == ("picture.png",)
    assert first.passages > 0
    later(write("a.en.md", PRICES.replace("2,250", "2,500")))
    write("c.en.md", "# C\n\nSilver.\n")
    (settings.corpus / "b.lt.md").unlink()
    second = index()
    assert (second.generation, second.added, second.changed, second.removed) == (
        2,
        ("c.en.md",),
        ("a.en.md",),
        ("b.lt.md",),
    )
    assert second.unchanged == 0


def test_the_stored_text_is_the_file_and_offsets_cut_it(write: Write, index: Index, settings: Settings) -> None:
    path = write("a.en.md", "---\ntitle: Kainos – „Ž“\n---\n" + PRICES + "\r\nLast 😀 line of the label.\r\n")
    index()
    with open_store(settings.home) as store:
        text = store.text("a.en.md", store.versions("a.en.md")[-1])
        assert text == path.read_bytes().decode()
        for entry in store.passages():
            passage = entry.passage
            assert text[passage.start : passage.end] == passage.text
            assert len(entry.rows) == 1 + len(passage.sentences)


def test_each_token_is_kept_with_the_part_of_the_passage_it_stands_in(write: Write, settings: Settings) -> None:
    write("a.en.md", "# Prices\n\n## The gold label\n\nIt has a price. It needs an expert.\n")
    words = WordTokens()
    sync.update(settings, lambda: words)
    with open_store(settings.home) as store:
        (entry,) = store.passages()
        (tokens,) = store.tokens([entry.id])
    kept = [words.words[int(row.argmax())] for row in tokens.states]
    parts = [kept[a:b] for a, b in itertools.pairwise(tokens.cuts.tolist())]
    assert parts == [["gold", "label"], ["price"], ["expert"]]
    assert len(parts) == 1 + len(entry.passage.sentences)
    assert set(tokens.states.max(axis=1).tolist()) == {127}


def test_every_sentence_is_encoded_with_the_heading_above_it(write: Write, index: Index, words: WordsEncoder) -> None:
    write("a.en.md", "# Prices\n\n## The gold label\n\nIt has a price. It needs an expert.\n")
    index()
    assert words.encoded == [
        "Prices – The gold label. It has a price. It needs an expert.",
        "The gold label. It has a price.",
        "The gold label. It needs an expert.",
    ]


def test_nothing_changed_means_nothing_read_and_nothing_encoded(
    write: Write, index: Index, words: WordsEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.en.md", PRICES)
    index()
    words.encoded.clear()
    monkeypatch.setattr(documents, "read", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(sync, "file_state", lambda *_: pytest.fail("opened again"))
    report = index()
    assert (report.generation, report.unchanged, words.encoded) == (1, 1, [])


@pytest.fixture
def read_earlier(write: Write, words: WordsEncoder, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two documents, of one of which earlier readers lost the last paragraph."""

    def read(path: Path, name: str) -> Document:
        whole = documents.read(path, name)
        return replace(whole, blocks=whole.blocks[:-1]) if name == "a.en.md" else whole

    write("a.en.md", "# A\n\nThe gold label.\n\nSilver too.\n")
    write("b.lt.md", KAINOS)
    with monkeypatch.context() as earlier:
        earlier.setattr(documents, "readers", lambda: "earlier")
        sync.update(settings, lambda: words, read=read)


@pytest.mark.usefixtures("read_earlier")
def test_what_earlier_readers_read_is_read_once_more_and_taken_up_where_it_reads_otherwise(
    words: WordsEncoder, settings: Settings
) -> None:
    words.encoded.clear()
    report = sync.update(settings, lambda: words)
    assert (report.generation, report.changed, report.unchanged) == (2, ("a.en.md",), 1)
    assert words.encoded == ["A. The gold label. Silver too.", "The gold label.", "Silver too."]
    again = sync.update(settings, lambda: words, read=lambda *_: pytest.fail("read again"))
    assert (again.generation, again.unchanged) == (2, 2)


@pytest.mark.usefixtures("read_earlier")
def test_after_some_documents_the_others_still_wait_to_be_read_by_todays_readers(
    words: WordsEncoder, settings: Settings
) -> None:
    assert sync.update(settings, lambda: words, only={"b.lt.md"}).changed == ()
    assert sync.update(settings, lambda: words).changed == ("a.en.md",)


def test_a_touched_file_is_not_read_again_and_makes_no_generation(
    write: Write, index: Index, words: WordsEncoder, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(write("a.en.md", PRICES))
    index()
    later(settings.corpus / "a.en.md")
    words.encoded.clear()
    with monkeypatch.context() as patch:
        patch.setattr(documents, "read", lambda *_: pytest.fail("read again"))
        assert index().generation == 1
        patch.setattr(sync, "file_state", lambda *_: pytest.fail("the new time was not noted"))
        assert index().unchanged == 1
    assert words.encoded == []


def test_a_changed_sentence_encodes_its_passage_only(write: Write, index: Index, words: WordsEncoder) -> None:
    path = write("a.en.md", PRICES)
    write("b.lt.md", KAINOS)
    index()
    words.encoded.clear()
    path.write_text(PRICES.replace("Two experts", "Three experts"))
    index()
    assert words.encoded == [
        "Label prices – The gold label. The gold label needs an expert. Three experts write the report.",
        "The gold label. The gold label needs an expert.",
        "The gold label. Three experts write the report.",
    ]


def test_a_passage_that_moved_to_another_document_keeps_its_vectors(
    write: Write, index: Index, words: WordsEncoder
) -> None:
    write("a.en.md", PRICES)
    index()
    words.encoded.clear()
    write("copy.en.md", PRICES)
    assert index().added == ("copy.en.md",)
    assert words.encoded == []


def test_step_by_step_and_at_once_give_the_same_index(
    write: Write, index: Index, settings: Settings, tmp_path: Path, words: WordsEncoder
) -> None:
    write("a.en.md", "# Old\n\nSilver member. Gold year.\n")
    write("gone.en.md", "# Gone\n\nFood cluster report.\n")
    index()
    later(write("a.en.md", PRICES))
    index()
    (settings.corpus / "gone.en.md").unlink()
    write("b.lt.md", KAINOS)
    index()
    once = settings.model_copy(update={"data": tmp_path / "once"})
    sync.update(once, lambda: words)
    assert content(settings) == content(once)
    before = content(settings)
    assert index(rebuild=True).changed == ("a.en.md", "b.lt.md")
    assert content(settings) == before


def test_a_sidecar_comes_changes_and_goes_with_its_document(write: Write, index: Index, settings: Settings) -> None:
    write("a.txt", "The gold label needs an expert. Two experts write the report about the cluster.\n")
    index()

    def title() -> str:
        with open_store(settings.home) as store:
            return store.documents()[0].title

    for suffix in (".yaml", ".yml"):
        without = title()
        sidecar = write("a.txt" + suffix, "title: First\n")
        index()
        assert title() == "First"
        later(write("a.txt" + suffix, "title: Other\n"))
        index()
        assert title() == "Other"
        corpus_folder.remove(settings, "a.txt")
        assert not sidecar.exists()
        corpus_folder.restore(settings, "a.txt")
        index()
        assert title() == "Other"
        sidecar.unlink()
        index()
        assert title() == without


def test_texts_that_the_encoder_would_cut_are_noted(write: Write, index: Index) -> None:
    write("a.en.md", PRICES)
    ((name, text),) = index(WordsEncoder(limit=5)).warnings
    assert name == "a.en.md"
    assert "passage_chars" in text


def test_progress_reaches_the_end_of_both_stages(write: Write, settings: Settings, words: WordsEncoder) -> None:
    write("a.en.md", PRICES)
    told: list[tuple[str, int, int]] = []
    sync.update(settings, lambda: words, progress=lambda *step: told.append(step))
    for stage in ("read", "encode"):
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1] > 0


def test_an_empty_corpus_is_indexed_and_answers_nothing(index: Index, settings: Settings, words: WordsEncoder) -> None:
    assert index().passages == 0
    assistant = KnowledgeBase(settings, words)
    found = assistant.trace(Question("gold label"))
    assert found.hits == ()
    reply = assistant.ask(Question("What does the gold label cost?"))
    assert (reply.status, reply.quotes, reply.nearest) == ("not_found", (), ())
    assistant.close()


def test_what_is_no_longer_valid_answers_nothing_or_is_told_as_such(
    write: Write, index: Index, settings: Settings, words: WordsEncoder
) -> None:
    write("a.en.md", "---\nvalid_until: 2001\n---\n" + PRICES)
    write("b.lt.md", KAINOS)
    index()
    found = {}
    for expired in ("leave_out", "show"):
        with KnowledgeBase(settings.model_copy(update={"expired": expired}), words) as opened:
            hits = opened.trace(Question("gold label")).hits
            found[expired] = {hit.source.document: hit.source.valid_until for hit in hits}
    assert "a.en.md" not in found["leave_out"] and found["show"]["a.en.md"] == "2001"
    with open_store(settings.home) as store:
        assert store.counts()["documents"] == 2


def test_a_missing_corpus_folder_is_named(settings: Settings, index: Index) -> None:
    settings.corpus.rmdir()
    with pytest.raises(CorpusError, match="--corpus DIR"):
        index()


def test_a_data_folder_inside_the_corpus_is_no_part_of_it(tmp_path: Path, words: WordsEncoder) -> None:
    """With `--corpus .` what was removed must not come back out of the data folder."""
    settings = Settings(corpus=tmp_path, data=tmp_path / "data")
    (tmp_path / "a.en.md").write_text(PRICES)
    sync.update(settings, lambda: words)
    corpus_folder.remove(settings, "a.en.md")
    report = sync.update(settings, lambda: words)
    assert (report.removed, report.added, report.passages) == (("a.en.md",), (), 0)
    assert sync.out_of_step(settings, open_store(settings.home)) == []


# ── encoder and settings ────────────────────────────────────────────────────────────────────────────────────────


def test_another_encoder_is_refused_until_a_rebuild(
    write: Write, index: Index, settings: Settings, words: WordsEncoder
) -> None:
    write("a.en.md", PRICES)
    index()
    other = WordsEncoder(WORDS[::-1])
    with pytest.raises(IndexOutdated, match=f"{words.fingerprint}.*{other.fingerprint}.*clusterqa index --rebuild"):
        index(other)
    with pytest.raises(IndexOutdated, match="clusterqa index --rebuild"):
        KnowledgeBase(settings, other)
    assert index().unchanged == 1  # the refusal changed nothing
    assert index(other, rebuild=True).changed == ("a.en.md",)
    with open_store(settings.home) as store:
        np.testing.assert_allclose(
            [entry.rows[0] for entry in store.passages()],
            other.encode_passages([t for t in other.encoded if " – " in t or t.startswith("Label prices")]),
            atol=1e-3,
        )


def test_another_encoder_of_another_dimension_works_after_a_rebuild(
    write: Write, index: Index, settings: Settings
) -> None:
    write("a.en.md", PRICES)
    index()
    small = WordsEncoder(WORDS[:4])
    index(small, rebuild=True)
    assistant = KnowledgeBase(settings, small)
    found = assistant.trace(Question("gold label"))
    assert found.hits[0].passage.document == "a.en.md"
    assistant.close()


def test_other_settings_are_refused_until_a_rebuild(
    write: Write, index: Index, settings: Settings, words: WordsEncoder
) -> None:
    write("a.en.md", PRICES)
    index()
    shorter = settings.model_copy(update={"passage_chars": 100})
    with pytest.raises(IndexOutdated, match=r"passage_chars=600.*passage_chars=100.*clusterqa index --rebuild"):
        sync.update(shorter, lambda: words)
    sync.update(shorter, lambda: words, rebuild=True)
    with open_store(settings.home) as store:
        assert max(len(entry.passage.text) for entry in store.passages()) <= 100


def test_asking_before_anything_is_indexed_says_what_to_do(settings: Settings, words: WordsEncoder) -> None:
    with pytest.raises(IndexNotFound, match="clusterqa index"):
        KnowledgeBase(settings, words)


def test_an_assistant_takes_up_the_new_generation_by_itself(
    write: Write, index: Index, settings: Settings, words: WordsEncoder
) -> None:
    write("a.en.md", "# A\n\nThe silver label.\n")
    index()
    assistant = KnowledgeBase(settings, words)

    def first(question: str) -> str:
        found = assistant.trace(Question(question))
        return found.hits[0].passage.text if found and found.hits else ""

    assert first("gold expert") == "The silver label."
    write("b.en.md", "# B\n\nA gold expert.\n")
    index()
    assert first("gold expert") == "A gold expert."
    corpus_folder.remove(settings, "b.en.md")
    index()
    assert first("gold expert") == "The silver label."
    index(rebuild=True)
    assert first("gold expert") == "The silver label."
    assert assistant.generation == 4
    assistant.close()


# ── adding, removing, restoring ─────────────────────────────────────────────────────────────────────────────────


STEM = b"ogzud"
"""Out of the middle of a stem: the lexical index leaves out the beginning that a term shares with the one before."""


def test_a_removed_document_is_gone_from_vectors_stems_and_files(
    write: Write, index: Index, settings: Settings, words: WordsEncoder
) -> None:
    """The folded stem of „žmogžudystės“ stands in no text, so only the lexical index could hold it."""
    write("a.en.md", PRICES)
    index()
    before = content(settings)
    path = write("b.lt.md", "# Įvykis\n\nBronzos ženklas ir žmogžudystės.\n")
    index()
    with open_store(settings.home) as store:
        vectors = [e.rows.tobytes() for e in store.passages() if e.passage.document == "b.lt.md"]
        assert any(term.startswith("zmogzud") for term in store.vocabulary())
        store.forget_log()
        raw = b"".join(p.read_bytes() for p in settings.data.glob("clusterqa.sqlite3*"))
    assert STEM in raw
    assert all(v in raw for v in vectors)

    reader = open_store(settings.home)  # a server that keeps the database open, and with it the write-ahead log
    corpus_folder.remove(settings, "b.lt.md")
    assert not path.exists()
    assert index().removed == ("b.lt.md",)
    assert content(settings) == before
    raw = b"".join(p.read_bytes() for p in settings.data.glob("clusterqa.sqlite3*"))
    assert STEM not in raw
    assert not any(v in raw for v in vectors)
    view = FaissIndex(lambda: reader, words.dimension)
    view.refresh()
    assert (len(view), len(view.passages_of("a.en.md")), len(view.passages_of("b.lt.md"))) == (2, 2, 0)
    view.close()


def test_a_restored_document_answers_as_before(write: Write, index: Index, settings: Settings) -> None:
    write("a.en.md", PRICES)
    write("sub/b.lt.md", KAINOS)
    index()
    before = content(settings)
    corpus_folder.remove(settings, "sub/b.lt.md")
    index()
    assert corpus_folder.removed(settings) == ["sub/b.lt.md"]
    corpus_folder.restore(settings, "sub/b.lt.md")
    assert index().added == ("sub/b.lt.md",)
    assert content(settings) == before
    assert corpus_folder.removed(settings) == []
    assert (settings.corpus / "sub/b.lt.md").read_text() == KAINOS


@pytest.mark.parametrize(
    "name", ["nothing.md", "../outside.md", "sub/../../outside.md", "/etc/hostname", "a.en.md.yaml", ".", ""]
)
def test_only_a_document_of_the_corpus_can_be_removed(
    write: Write, settings: Settings, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("mine")
    write("a.en.md", PRICES)
    write("a.en.md.yaml", "title: T\n")
    with pytest.raises(CorpusError, match="clusterqa list"):
        corpus_folder.remove(settings, name)
    with pytest.raises(CorpusError, match="clusterqa index"):
        corpus_folder.restore(settings, name)
    assert outside.exists()
    assert (settings.corpus / "a.en.md.yaml").exists()


def test_removing_twice_keeps_both_files(write: Write, settings: Settings) -> None:
    write("a.en.md", "first")
    corpus_folder.remove(settings, "a.en.md")
    write("a.en.md", "second")
    corpus_folder.remove(settings, "a.en.md")
    kept = [
        *(settings.data / corpus_folder.EARLIER).rglob("a.en.md"),
        settings.data / corpus_folder.REMOVED / "a.en.md",
    ]
    assert [path.read_text() for path in kept if path.is_file()] == ["first", "second"]
    corpus_folder.restore(settings, "a.en.md")
    assert (settings.corpus / "a.en.md").read_text() == "second"


def test_restoring_does_not_overwrite_a_new_document(write: Write, settings: Settings) -> None:
    write("a.en.md", "first")
    corpus_folder.remove(settings, "a.en.md")
    write("a.en.md", "second")
    with pytest.raises(CorpusError, match="Rename it"):
        corpus_folder.restore(settings, "a.en.md")
    assert (settings.corpus / "a.en.md").read_text() == "second"
    assert corpus_folder.removed(settings) == ["a.en.md"]


def test_adding_copies_what_can_be_read_and_names_the_rest(write: Write, settings: Settings, tmp_path: Path) -> None:
    write("taken.md", PRICES)
    here = tmp_path / "mine"
    here.mkdir()
    (here / "good.md").write_text(PRICES)
    (here / "good.md.yaml").write_text("title: Mine\n")
    (here / "broken.pdf").write_bytes(b"%PDF-1.4 half of it")
    (here / "taken.md").write_text(KAINOS)
    added, refused = corpus_folder.add(
        settings, [here / n for n in ("good.md", "broken.pdf", "taken.md", "missing.md")]
    )
    assert added == ["good.md"]
    assert [Path(e.document).name for e in refused] == ["broken.pdf", "taken.md", "missing.md"]
    assert all(e.reason and e.next_step for e in refused)
    assert sorted(p.name for p in settings.corpus.iterdir()) == ["good.md", "good.md.yaml", "taken.md"]
    assert (settings.corpus / "taken.md").read_text() == PRICES
    assert corpus_folder.add(settings, [here / "taken.md"], replace=True) == (["taken.md"], [])
    assert (settings.corpus / "taken.md").read_text() == KAINOS


def test_adding_a_document_again_is_no_fault(settings: Settings, tmp_path: Path, write: Write) -> None:
    (tmp_path / "a.md").write_text(PRICES)
    for _ in range(2):
        assert corpus_folder.add(settings, [tmp_path / "a.md"]) == (["a.md"], [])
    assert corpus_folder.add(settings, [settings.corpus / "a.md"]) == (["a.md"], [])
    assert (settings.corpus / "a.md").read_text() == PRICES


def test_a_name_in_decomposed_letters_is_the_same_document(index: Index, settings: Settings, tmp_path: Path) -> None:
    """macOS hands out „ž“ as two characters; the id has it as one."""
    decomposed, composed = unicodedata.normalize("NFD", "ženklas.md"), "ženklas.md"
    (settings.corpus / decomposed).write_text(PRICES)
    assert index().added == (composed,)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / decomposed).write_text(KAINOS)
    added, refused = corpus_folder.add(settings, [mine / decomposed])
    assert (added, [e.document for e in refused]) == ([], [composed])
    corpus_folder.remove(settings, decomposed)
    assert index().removed == (composed,)
    corpus_folder.restore(settings, decomposed)
    assert index().added == (composed,)


def test_out_of_step_names_what_came_changed_and_went(write: Write, index: Index, settings: Settings) -> None:
    write("same.md", PRICES)
    write("broken.pdf", "no pdf")
    changed, copied, gone = (write(name, PRICES) for name in ("changed.md", "copied.md", "gone.md"))
    index()
    with open_store(settings.home) as store:
        assert sync.out_of_step(settings, store) == []
        later(copied)
        assert sync.out_of_step(settings, store) == []
        assert sync.to_look_at(settings, store) == ["copied.md"]
        later(changed)
        changed.write_text(PRICES.replace("2,250", "2,500"))
        gone.unlink()
        write("new.md", PRICES)
        assert sync.out_of_step(settings, store) == ["changed.md", "gone.md", "new.md"]


def test_with_only_some_named_the_others_wait(
    write: Write, index: Index, settings: Settings, words: WordsEncoder
) -> None:
    for name in ("a.md", "b.md", "gone.md"):
        write(name, PRICES)
    (settings.corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    index()
    for name in ("a.md", "b.md"):
        later(write(name, PRICES.replace("2,250", "2,500")))
    write("c.md", KAINOS)
    (settings.corpus / "gone.md").unlink()
    report = sync.update(settings, lambda: words, only={"b.md"})
    assert (report.added, report.changed, report.removed, report.unchanged) == ((), ("b.md",), (), 1)
    with open_store(settings.home) as store:
        assert sync.out_of_step(settings, store) == ["a.md", "c.md", "gone.md"]
        assert [name for name, _, _ in store.unreadable()] == ["broken.pdf"]
    report = sync.update(settings, lambda: words, only={"c.md", "gone.md"})
    assert (report.added, report.changed, report.removed) == (("c.md",), (), ("gone.md",))


def test_what_is_held_of_a_document_is_counted(write: Write, index: Index, settings: Settings) -> None:
    write("a.md", KAINOS)
    index()
    with open_store(settings.home) as store:
        assert store.held("a.md") == {"passages": 1, "vectors": 3, "stems": 1}
        assert store.held(None) == store.held("a.md")
        assert store.held("b.md") == {"passages": 0, "vectors": 0, "stems": 0}
