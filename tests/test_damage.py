"""
An index that took damage: never a wrong quote, never an exception that is not ours, and whatever changes an answer is found.

How many damages are tried stands in the variable DAMAGES; by hand: DAMAGES=2000 pytest tests/test_damage.py
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from pyotp import TOTP

from clusterqa import journal
from clusterqa.corpus import sync
from clusterqa.doctor import Finding, examine
from clusterqa.errors import ClusterQAError
from clusterqa.journal import JOURNAL, Journal
from clusterqa.records import Quote, Reply
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Home, Settings
from clusterqa.staff import audit, database
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.answers import Answers, Check, Content, Heading
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, DeskUnusable, open_database
from clusterqa.staff.demand import Decisions
from clusterqa.staff.factor import Factors, WrongCode
from clusterqa.staff.history import Event, History
from clusterqa.staff.keys import Keys
from clusterqa.store import open_store
from clusterqa.store.sqlite import DATABASE
from damages import damage
from seed_texts import KAINOS, PRICES
from words_encoder import WordsEncoder, WordTokens

DAMAGES = int(os.environ.get("DAMAGES", "40"))
QUESTIONS = (
    "What is the price of the bronze label?",
    "How many experts does the gold label need?",
    "Kiek kainuoja bronzos ženklas?",
    "Kokia yra klasterio nario kaina?",
    "silver member food",
)
PASSWORD = "debesis neša geltoną lagaminą"
ANSWER = Content(
    {"lt": "Kas?", "en": ""}, {"lt": "Tai.", "en": ""}, (), "2026-11-30", "mes",
    (Heading("lt", "Kas čia?"),), (Heading("lt", "Kas?"),), (("1", "2"),),
)  # fmt: skip


@pytest.fixture
def base(settings: Settings, write: Callable[[str, str], Path]) -> Settings:
    """An index of three generations, the last still in the write-ahead log; one document changed, one is withdrawn."""
    write("prices.en.md", PRICES)
    write("kainos.lt.md", KAINOS)
    write("gone.en.md", "# Gone\n\nThe cluster report of the year.\n")
    for number in range(8):
        write(
            f"food-{number}.en.md",
            f"# Food {number}\n\nA food cluster has {number} silver members.\n\nEach pays a price.\n",
        )
    write("narys.lt.md", "# Narys\n\nKlasterio nario kaina yra 100 eurų.\n")
    encoder = WordTokens()
    sync.update(settings, lambda: encoder)
    (settings.corpus / "gone.en.md").unlink()
    sync.update(settings, lambda: encoder)
    with open_store(settings.home):  # keeps the log from being carried over when the next one closes
        write("narys.lt.md", "# Narys\n\nKlasterio nario kaina yra 200 eurų.\n")
        sync.update(settings, lambda: encoder)
        kept = settings.data.with_name("kept")
        shutil.copytree(settings.data, kept, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
    assert (kept / f"{DATABASE}-wal").stat().st_size
    return settings.model_copy(update={"data": kept})


def asked(settings: Settings) -> list[Reply]:
    with KnowledgeBase(settings, WordTokens()) as kb:
        return [kb.ask(question) for question in QUESTIONS]


def told(replies: list[Reply]) -> list[tuple[object, ...]]:
    """What a person sees; not the number of the generation."""
    return [(r.status, r.confidence, r.quotes, r.nearest) for r in replies]


def looked_at(settings: Settings) -> None:
    """Everything that the pages and the commands read, but for asking."""
    with open_store(settings.home) as store, store.reading():
        for stored in store.documents(state=None):
            for version in store.versions(stored.id):
                store.text(stored.id, version)
                store.structure(stored.id, version)
            store.read(stored.id)
            store.held(stored.id)
        store.counts()
        store.unreadable()
        store.vocabulary()


def found(settings: Settings) -> list[str]:
    """What doctor finds in the database."""
    try:
        with open_store(settings.home) as store:
            return store.damage()
    except ClusterQAError as error:
        return [str(error)]


def is_right(quote: Quote, texts: Mapping[tuple[str, str], str], sources: Mapping[str, object]) -> bool:
    text = texts.get((quote.source.document, quote.source.version))
    around = quote.passage
    return (
        text is not None
        and text[quote.start : quote.end] == quote.text
        and text[around.start : around.end] == around.text
        and sources[quote.source.document] == quote.source
    )


def test_damage_of_any_kind_gives_no_wrong_quote_and_is_found_where_it_changes_an_answer(
    base: Settings, tmp_path: Path
) -> None:
    before = asked(base)
    assert [reply.status for reply in before].count("answered") >= 3
    quotes = {(q.source.document, q.start, q.end): q for reply in before for q in (*reply.quotes, *reply.nearest)}
    with open_store(base.home) as store:
        texts = {(d.id, d.version): store.text(d.id, d.version) or "" for d in store.documents()}
        translations = {"kainos.lt.md": None}
        sources = {d.id: d.source(translations.get(d.id)) for d in store.documents()}
    damaged = base.model_copy(update={"data": tmp_path / "damaged"})
    changed = 0
    for seed in range(DAMAGES):
        shutil.rmtree(damaged.data, ignore_errors=True)
        shutil.copytree(base.data, damaged.data)
        what = damage(damaged.data / DATABASE, seed)
        other = True
        try:
            replies = asked(damaged)
        except ClusterQAError:
            pass
        else:
            other = told(replies) != told(before)
            for quote in (q for reply in replies for q in (*reply.quotes, *reply.nearest)):
                assert is_right(quote, texts, sources), (what, quote)
                same = quotes.get((quote.source.document, quote.start, quote.end))
                assert same is None or (same.heading, same.page) == (quote.heading, quote.page), what
        try:
            looked_at(damaged)
        except ClusterQAError:
            other = True
        faults = found(damaged)
        assert faults or not other, what
        changed += other
        if seed % 10 == 0:
            sync.update(damaged, WordTokens, rebuild=True)
            assert told(asked(damaged)) == told(before), what
            assert found(damaged) == [], what
    assert changed > DAMAGES / 3


def test_damage_to_the_journal_or_to_the_desks_file_is_never_more_than_an_error_of_ours(
    base: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argon2.PasswordHasher", lambda **_: PasswordHasher(1, 8, 1))  # else it takes all of the time
    kept = tmp_path / "beside"
    own = Journal.open(Home(kept), 30)
    for reply in asked(base):
        own.give_feedback(own.record(reply, "chat", 12.5), helpful=False)
    desk = open_database(Home(kept))
    book, history = Accounts(desk, Audit(desk)), History(desk)
    account = book.add("rasa", PASSWORD, "editor", "cli:root")
    factors = Factors(desk, Audit(desk), book)
    factors.confirm(account, TOTP(factors.offer(account)).now())
    with suppress(WrongCode):
        factors.check(account, "wrong", "192.0.2.9")
    secret = Keys(desk, Audit(desk)).add("portal", 600, "https://portal.example.lt", "rasa")[1]
    for number in range(5):
        history.record(Event("rasa", "published", f"{number}.md", "f" * 64, number, {"earlier": None}))
    history.begin("rasa", "withdrawn", "1.md")
    written = Answers(desk, Audit(desk)).begin(ANSWER, "rasa")
    Answers(desk, Audit(desk)).set_state(written, "live", [Check("lt", "Kas?", "answered", True, 1, "a", "b", 0.5)])
    Decisions(desk, Audit(desk)).answer(["1", "2"], "rasa", written.id)
    shutil.copytree(kept, tmp_path / "copy", ignore=shutil.ignore_patterns("*-shm"))
    own.close()
    desk.close()
    data, hurt = tmp_path / "hurt", 0
    for seed in range(DAMAGES):
        for name in (JOURNAL, database.DATABASE):
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(tmp_path / "copy", data)
            damage(data / name, seed)
            hurt += bool(journal.faults(Home(data)) or database.faults(Home(data)))
            for look in (look_at_the_journal, look_at_the_log, *LOOKS):
                with suppress(ClusterQAError):
                    look(data)
            with suppress(ClusterQAError), closing(open_database(Home(data))) as desk:
                Keys(desk, Audit(desk)).check(secret)
    assert hurt > DAMAGES / 8


def look_at_the_journal(data: Path) -> None:
    with closing(Journal.open(Home(data), 36500)) as own:
        own.entries()
        own.unmet()
        own.purge()


def look_at_the_log(data: Path) -> None:
    audit.verify(Home(data))


def looking(look: Callable[[Database, Audit], object]) -> Callable[[Path], None]:
    def at_the_desk(data: Path) -> None:
        with closing(open_database(Home(data))) as desk:
            look(desk, Audit(desk))

    return at_the_desk


def logs_in(desk: Database, log: Audit) -> None:
    book = Accounts(desk, log)
    assert book.session(book.log_in("rasa", PASSWORD, "192.0.2.1").token)
    book.everyone()


def shows_a_code(desk: Database, log: Audit) -> None:
    book = Accounts(desk, log)
    factors = Factors(desk, log, book)
    factors.on(book.find("rasa"))
    with suppress(WrongCode):
        factors.check(book.find("rasa"), "123456", "192.0.2.1")


def reads_what_happened(desk: Database, log: Audit) -> None:
    history = History(desk)
    history.begun()
    history.brought()
    history.of("1.md")


def reads_the_log(desk: Database, log: Audit) -> None:
    log.entries()
    log.end()
    log.record("rasa", "login")


def reads_keys(desk: Database, log: Audit) -> None:
    Keys(desk, log).everyone()
    Keys(desk, log).origins()


def reads_answers(desk: Database, log: Audit) -> None:
    for answer in Answers(desk, log).all():
        assert answer.documents and not answer.missed


LOOKS = [
    looking(look)
    for look in (
        logs_in, shows_a_code, reads_what_happened, reads_the_log, reads_keys, reads_answers,
        lambda desk, log: Decisions(desk, log).all(),
    )
]  # fmt: skip
"""What the desk does, each with the file opened anew."""


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE keys SET value = 5",
        "UPDATE keys SET value = 'x'",
        "UPDATE factors SET last_step = x'00'",
        "UPDATE api_keys SET rate_limit = '600x'",
    ],
)
def test_what_is_of_another_kind_than_was_kept_is_found_by_doctor_and_not_worked_with(
    tmp_path: Path, damage: str
) -> None:
    home = Home(tmp_path)
    with closing(open_database(home)) as desk:
        log = Audit(desk)
        book = Accounts(desk, log)
        account = book.add("rasa", PASSWORD, "editor", "cli:root")
        factors = Factors(desk, log, book)
        factors.confirm(account, TOTP(factors.offer(account)).now())
        Keys(desk, log).add("portal", 600, "", "rasa")
        assert database.faults(home) == []
        with desk.changing() as db:
            db.execute(damage)
    [found] = database.faults(home) or [""]
    assert found.endswith("cannot be read")
    with pytest.raises(DeskUnusable, match="doctor"):
        for look in LOOKS:
            look(tmp_path)


def test_with_a_key_that_anybody_could_guess_nobody_logs_in(tmp_path: Path) -> None:
    with closing(open_database(Home(tmp_path))) as desk:
        Accounts(desk, Audit(desk))
        with desk.changing() as db:
            db.execute("UPDATE keys SET value = x''")
        with pytest.raises(DeskUnusable):
            Accounts(desk, Audit(desk))


def test_doctor_names_the_damaged_file_and_what_to_do(
    settings: Settings, index: Callable[[], object], write: Callable[[str, str], Path]
) -> None:
    write("a.en.md", PRICES)
    index()
    Journal.open(settings.home, 30).close()
    open_database(settings.home).close()

    def states() -> dict[str, Finding]:
        return {finding.what: finding for finding in examine(settings, WordsEncoder)}

    assert states()["journal"].ok and states()["staff"].ok
    for name in (JOURNAL, database.DATABASE):
        (settings.data / name).write_bytes(b"no database " * 1000)
    found = states()
    assert not found["journal"].ok and "Move it away" in found["journal"].detail
    assert not found["staff"].ok and "backup" in found["staff"].detail
