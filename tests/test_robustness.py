"""Bad input loses nothing: runs are killed, disks fill up and files are damaged for real, in processes of their own."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus import sync
from clusterqa.corpus.sync import Report
from clusterqa.doctor import Finding, examine
from clusterqa.errors import ClusterQAError, StoreDamaged, StoreError
from clusterqa.records import Question
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.store.sqlite import DATABASE
from seed_texts import KAINOS, PRICES
from words_encoder import WORDS, WordsEncoder

Write = Callable[[str, str], Path]
Index = Callable[..., Report]

INDEXING = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from words_encoder import WordsEncoder
from clusterqa.corpus.sync import update
from clusterqa.settings import Settings
from clusterqa.store.sqlite import SqliteStore

def stop(where):
    print(where, flush=True)
    time.sleep(60)

class Slow(WordsEncoder):
    def encode_passages(self, texts, progress=None):
        if "encoding" in sys.argv[4]:
            stop("encoding")
        return super().encode_passages(texts, progress)

put = SqliteStore.put
def slow_put(self, *rest):
    put(self, *rest)
    if "writing" in sys.argv[4]:
        stop("writing")
SqliteStore.put = slow_put

print("started", flush=True)
update(Settings(corpus=sys.argv[1], data=sys.argv[2]), Slow, rebuild="rebuild" in sys.argv[4])
print("done", flush=True)
"""


def start(settings: Settings, how: str = "", **options: object) -> subprocess.Popen[str]:
    """An indexing run in its own process ("rebuild" in `how`); at a place named there it says so and waits."""
    arguments = [
        sys.executable,
        "-c",
        INDEXING,
        str(settings.corpus),
        str(settings.data),
        str(Path(__file__).parent),
        how,
    ]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]


def wait_for(run: subprocess.Popen[str], word: str) -> None:
    assert run.stdout is not None
    for line in run.stdout:
        if line.strip() == word:
            return
    assert run.stderr is not None
    pytest.fail(f"the run never came to {word}: {run.stderr.read()}")


def kill(run: subprocess.Popen[str]) -> None:
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    assert run.returncode == -signal.SIGKILL


def first(settings: Settings, question: str) -> str:
    """The passage found first."""
    assistant = KnowledgeBase(settings, WordsEncoder())
    try:
        found = assistant.trace(Question(question))
        return found.hits[0].passage.text if found and found.hits else ""
    finally:
        assistant.close()


def whole(settings: Settings) -> bool:
    with open_store(settings.home) as store:
        return store.damage() == []


def bad(settings: Settings) -> list[Finding]:
    """What `doctor` finds wrong, but for the encoder's own things."""
    findings = examine(settings, WordsEncoder)
    return [f for f in findings if not f.ok and f.what not in ("installed", "confidence")]


# ── a kill at any moment ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("moment", ["encoding", "writing"])
def test_a_killed_run_leaves_the_previous_generation_and_the_next_one_completes(
    settings: Settings, write: Write, index: Index, moment: str
) -> None:
    write("a.en.md", "# A\n\nThe silver label.\n")
    index()
    write("a.en.md", "# A\n\nThe silver label has another price.\n")
    write("b.en.md", "# B\n\nThe gold label.\n")
    run = start(settings, moment)
    wait_for(run, moment)
    kill(run)
    assert whole(settings)
    assert first(settings, "gold silver label") == "The silver label."
    report = index()
    assert (report.generation, report.added, report.changed) == (2, ("b.en.md",), ("a.en.md",))
    assert first(settings, "silver price") == "The silver label has another price."
    assert bad(settings) == []


def test_a_first_run_that_is_killed_leaves_nothing_in_the_way(settings: Settings, write: Write, index: Index) -> None:
    write("a.en.md", PRICES)
    run = start(settings, "writing")
    wait_for(run, "writing")
    kill(run)
    assert [finding.what for finding in bad(settings)] == ["index"]
    assert index().added == ("a.en.md",)
    assert bad(settings) == []


def test_a_rebuild_that_is_killed_leaves_the_index_that_was(settings: Settings, write: Write, index: Index) -> None:
    for number in range(5):
        write(f"{number}.en.md", PRICES)
    index()
    before = first(settings, "gold expert")
    run = start(settings, "rebuild, writing")
    wait_for(run, "writing")
    kill(run)
    assert whole(settings)
    assert first(settings, "gold expert") == before
    assert len(index(rebuild=True).changed) == 5


def test_runs_killed_at_any_moment_never_leave_half_a_generation(
    settings: Settings, write: Write, index: Index
) -> None:
    """Every document says which round it is of; what is found must be of one round only."""
    names = [f"{number}.en.md" for number in range(40)]

    def round_of(number: int) -> None:
        for name in names:
            write(name, f"# Label\n\nThe gold label of round {number} in {name}. Its price is {number} euro.\n")

    round_of(0)
    index()
    seconds, killed = random.Random(7), 0
    for number in range(1, 9):
        round_of(number)
        run = start(settings)
        wait_for(run, "started")
        time.sleep(seconds.uniform(0.0, 0.05 * number))
        run.kill()
        run.communicate(timeout=60)
        killed += run.returncode == -signal.SIGKILL
        with open_store(settings.home) as store:
            assert store.damage() == []
            rounds = {p.text.split(" in ")[0] for p in (entry.passage for entry in store.passages())}
            assert len(rounds) == 1
            assert store.counts()["passages"] == len(names)
    assert killed
    index()
    with open_store(settings.home) as store:
        assert {p.text.split(" in ")[0] for p in (entry.passage for entry in store.passages())} == {
            "The gold label of round 8"
        }


def test_readers_see_one_whole_generation_while_another_process_writes(
    settings: Settings, write: Write, index: Index
) -> None:
    def round_of(number: int) -> None:
        for name in ("a.en.md", "b.en.md", "c.en.md"):
            write(name, f"# Label\n\nThe gold label of round {number}.\n")

    def texts() -> set[str]:
        index = assistant.pipeline.index
        found = index.fetch([i for name in ("a.en.md", "b.en.md", "c.en.md") for i in index.passages_of(name)])
        assert len(found) == 3
        return {entry.passage.text for entry in found}

    round_of(0)
    index()
    assistant = KnowledgeBase(settings, WordsEncoder())
    seen: set[str] = set()
    for number in range(1, 4):
        round_of(number)
        run = start(settings)
        while run.poll() is None:
            assistant.refresh()
            rounds = texts()
            assert len(rounds) == 1
            assert len(assistant.pipeline.index) == 3
            seen |= rounds
        assert run.communicate()[1] == ""
    assistant.refresh()
    assert assistant.generation == 4
    assert texts() == {"The gold label of round 3."}
    assert len(seen) >= 3
    assistant.close()


def test_two_runs_at_once_wait_for_each_other(settings: Settings, write: Write) -> None:
    for number in range(20):
        write(f"{number}.en.md", PRICES)
    runs = [start(settings) for _ in range(2)]
    for run in runs:
        assert run.communicate(timeout=60)[1] == ""
        assert run.returncode == 0
    assert whole(settings)
    with open_store(settings.home) as store:
        assert (store.generation(), len(store.documents())) == (1, 20)


def test_two_threads_of_one_process_wait_for_each_other(settings: Settings, write: Write) -> None:
    """As in the web app, where two members of staff publish at once."""
    for number in range(20):
        write(f"{number}.en.md", PRICES)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: sync.update(settings, WordsEncoder), range(4)))
    assert sorted(len(report.added) for report in reports) == [0, 0, 0, 20]
    assert whole(settings)


# ── a full disk ─────────────────────────────────────────────────────────────────────────────────────────────────


def small_files(limit: int = 400_000) -> None:
    """No file of this process may grow beyond so many bytes: writing more fails, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


@pytest.mark.parametrize("how", ["", "rebuild"])
def test_a_full_disk_while_indexing_keeps_the_previous_generation(
    settings: Settings, write: Write, index: Index, how: str
) -> None:
    write("a.en.md", "# A\n\nThe silver label.\n")
    index()
    paragraphs = "\n\n".join(f"Paragraph {n} tells of the gold label number {n} and its price." for n in range(400))
    for number in range(10):
        write(f"big-{number}.en.md", f"# Big {number}\n\n{paragraphs}\n")
    run = start(settings, how, preexec_fn=small_files)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert last.startswith("clusterqa.errors.StoreError: "), errors
    assert "so nothing was changed" in last
    assert "clusterqa index" in last
    assert whole(settings)
    assert not list(settings.data.glob("*.damaged-*"))
    assert first(settings, "gold silver label") == "The silver label."
    assert len(index().added) == 10  # once there is space again


def test_a_disk_too_full_to_open_the_index_is_no_reason_to_put_it_aside(
    settings: Settings, write: Write, index: Index
) -> None:
    write("a.en.md", "# A\n\nThe silver label.\n")
    index()
    run = start(settings, "rebuild", preexec_fn=lambda: small_files(1000))
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 1
    assert errors.strip().splitlines()[-1].startswith("clusterqa.errors.StoreError: The disk refused to write"), errors
    assert not list(settings.data.glob("*.damaged-*"))
    assert first(settings, "silver label") == "The silver label."


def test_a_full_disk_while_adding_leaves_no_half_document(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "big.en.md").write_text("# Big\n\n" + "The gold label.\n\n" * 50_000)
    script = (
        "import sys; from pathlib import Path\n"
        "from clusterqa.corpus.folder import add\n"
        "from clusterqa.settings import Settings\n"
        "add(Settings(corpus=sys.argv[1], data=sys.argv[2]), [Path(sys.argv[3])])\n"
    )
    arguments = [sys.executable, "-c", script, str(settings.corpus), str(settings.data), str(tmp_path / "big.en.md")]
    run = subprocess.run(arguments, capture_output=True, text=True, preexec_fn=small_files, timeout=120)
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("clusterqa.errors.CorpusError: big.en.md cannot be copied"), run.stderr
    assert list(settings.corpus.iterdir()) == []


# ── a damaged database ──────────────────────────────────────────────────────────────────────────────────────────


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_to_a_header(path: Path) -> None:
    os.truncate(path, 100)


def overwrite_the_beginning(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * 4096)


def overwrite_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(path.stat().st_size // 2))


def replace_by_text(path: Path) -> None:
    path.write_text("This is a letter, not a database. " * 500)


DAMAGES = [cut_in_half, cut_to_a_header, overwrite_the_beginning, overwrite_the_middle, replace_by_text]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_named_and_mended(
    settings: Settings, write: Write, index: Index, damage: Callable[[Path], None]
) -> None:
    for number in range(30):
        write(f"{number}.en.md", f"{PRICES}\n\n## Part {number}\n\nA silver member number {number}.\n")
    index()
    before = first(settings, "gold expert")
    path = settings.data / DATABASE
    damage(path)
    damaged = path.read_bytes()

    with pytest.raises(StoreError, match="clusterqa index --rebuild"), open_store(settings.home) as store:
        if found := store.damage():
            raise StoreDamaged(f"{found}: clusterqa index --rebuild")
    (finding,) = bad(settings)
    assert finding.what == "database"
    assert "clusterqa index --rebuild" in finding.detail

    report = index(rebuild=True)
    assert len(report.added) == 30
    assert bad(settings) == []
    assert first(settings, "gold expert") == before
    (aside,) = settings.data.glob(f"{DATABASE}.damaged-1")
    assert aside.read_bytes() == damaged
    assert any(f.what == "set aside" for f in examine(settings, WordsEncoder))


def test_a_whole_database_is_not_put_aside_by_a_rebuild(settings: Settings, write: Write, index: Index) -> None:
    write("a.en.md", PRICES)
    index()
    index(rebuild=True)
    assert not list(settings.data.glob("*.damaged-*"))


def test_an_emptied_database_is_simply_built_again(settings: Settings, write: Write, index: Index) -> None:
    write("a.en.md", PRICES)
    index()
    (settings.data / DATABASE).write_bytes(b"")
    assert index().added == ("a.en.md",)
    assert whole(settings)


def test_a_running_assistant_goes_on_with_the_mended_index(settings: Settings, write: Write, index: Index) -> None:
    write("a.en.md", "# A\n\nThe gold label.\n")
    index()
    assistant = KnowledgeBase(settings, WordsEncoder())
    overwrite_the_middle(settings.data / DATABASE)
    index(rebuild=True)
    write("b.en.md", "# B\n\nA silver member.\n")
    index()
    found = assistant.trace(Question("silver member"))
    assert found.hits[0].passage.text == "A silver member."
    assistant.close()


def test_a_running_assistant_answers_from_memory_while_the_index_is_mended(
    settings: Settings, write: Write, index: Index
) -> None:
    write("a.en.md", "# A\n\nThe gold label.\n")
    index()
    assistant = KnowledgeBase(settings, WordsEncoder())
    overwrite_the_middle(settings.data / DATABASE)
    run = start(settings, "rebuild, encoding")
    wait_for(run, "encoding")
    found = assistant.trace(Question("gold label"))
    assert found.hits[0].passage.text == "The gold label."
    kill(run)
    index()
    found = assistant.trace(Question("gold label"))
    assert found.hits[0].passage.text == "The gold label."
    assert bad(settings) == []
    assistant.close()


# ── bad documents ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unreadable_file_stops_nothing_and_is_named_once(settings: Settings, write: Write, index: Index) -> None:
    write("a.en.md", PRICES)
    write("b.pdf", "no PDF at all")
    write("c.docx", "no DOCX at all")
    write("d.md", "")
    (settings.corpus / "e.txt").write_bytes(bytes(range(256)) * 10)
    (settings.corpus / os.fsdecode(b"f\xff.md")).write_text(PRICES)
    (settings.corpus / "g\x1b[2J\n.md").write_text(PRICES)
    write("z.lt.md", KAINOS)
    report = index()
    assert report.added == ("a.en.md", "z.lt.md")
    assert [e.document for e in report.unreadable] == ["b.pdf", "c.docx", "d.md", "e.txt"]
    assert all(e.reason and e.next_step for e in report.unreadable)
    assert report.ignored == ("f\\xff.md", "g\\x1b[2J\\x0a.md")  # a terminal shows them and does not obey them
    assert index().generation == 1  # nothing new: no new generation for the same complaints
    assert [f.detail.split()[0] for f in bad(settings) if f.what == "document"] == ["b.pdf", "c.docx", "d.md", "e.txt"]
    (settings.corpus / "b.pdf").unlink()
    assert index().generation == 2
    assert [f.detail.split()[0] for f in bad(settings)] == ["c.docx", "d.md", "e.txt"]


@pytest.mark.parametrize("rebuild", [False, True])
def test_a_document_that_becomes_unreadable_keeps_its_earlier_version_answering(
    settings: Settings, write: Write, index: Index, rebuild: bool
) -> None:
    import docx

    path = settings.corpus / "a.en.docx"
    word = docx.Document()
    word.add_heading("Prices", 1)
    word.add_paragraph("The gold label needs an expert.")
    word.save(str(path))
    index()
    path.write_bytes(path.read_bytes()[:2000])  # as after a copy that broke off
    encoder = WordsEncoder(WORDS[::-1]) if rebuild else WordsEncoder()
    report = index(encoder, rebuild=rebuild)
    assert [e.document for e in report.unreadable] == ["a.en.docx"]
    assert (report.changed, report.removed) == ((), ())
    assert whole(settings)
    assistant = KnowledgeBase(settings, encoder)
    found = assistant.trace(Question("gold expert"))
    assert found.hits[0].passage.text == "The gold label needs an expert."
    # Its vectors are of the encoder in use: {gold, label, expert} of the sentence with {gold, expert} of the question.
    assert found.hits[0].dense == pytest.approx(2 / 6**0.5, abs=1e-3)
    assistant.close()
    word.save(str(path))
    assert index(encoder).unreadable == ()
    assert whole(settings)


def test_a_half_written_document_is_read_again_when_it_is_whole(settings: Settings, write: Write, index: Index) -> None:
    path = settings.corpus / "a.en.md"
    with path.open("w") as file:
        file.write("# A\n\nThe gold la")
        file.flush()
        index()
        assert first(settings, "gold label") == "The gold la"
        file.write("bel needs an expert.\n")
    index()
    assert first(settings, "gold label") == "The gold label needs an expert."


def test_metadata_with_half_a_character_is_refused_like_any_bad_file(
    settings: Settings, write: Write, index: Index
) -> None:
    write("a.md", '---\ntitle: "half \\ud800 of it"\n---\n' + PRICES)
    write("b.en.md", PRICES)
    report = index()
    assert report.added == ("b.en.md",)
    assert [(e.document, "U+D800" in e.reason) for e in report.unreadable] == [("a.md", True)]
    assert whole(settings)


def test_a_file_that_vanishes_while_being_indexed_stops_nothing(
    settings: Settings, write: Write, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = write("a.en.md", PRICES)
    write("b.en.md", PRICES)
    listed = corpus_folder.corpus_files(settings)
    gone.unlink()
    monkeypatch.setattr(sync, "corpus_files", lambda _: listed)
    report = index()
    assert (report.added, [e.document for e in report.unreadable]) == (("b.en.md",), ["a.en.md"])


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, settings: Settings, write: Write) -> None:
    write("a.en.md", PRICES)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ClusterQAError, match="--data DIR"):
        sync.update(settings.model_copy(update={"data": tmp_path / "file" / "data"}), WordsEncoder)
