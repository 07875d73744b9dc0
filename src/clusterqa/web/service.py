"""
What the web app keeps alive between requests: the assistant, the journal, the conversations, the limits.

The assistant comes up in the background: encoder, then the index (built when there is none), then the journal's first
cleaning. A question asked meanwhile waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clusterqa import runtime
from clusterqa.clock import today
from clusterqa.corpus import sync
from clusterqa.errors import ClusterQAError, IndexNotFound, StoreError
from clusterqa.journal import DOUBTED, Channel, Journal
from clusterqa.ports import Encoder, Store
from clusterqa.records import Hit, Question, Source, Trace
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.staff import reading
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, open_database
from clusterqa.staff.history import History
from clusterqa.staff.inquiries import Inquiries
from clusterqa.staff.keys import Keys
from clusterqa.staff.publishing import Keeper
from clusterqa.store import exists, open_store, shown
from clusterqa.store.translations import sources
from clusterqa.web.conversations import Answered, Conversations
from clusterqa.web.limits import Limits
from clusterqa.web.metrics import Metrics
from clusterqa.web.suggestions import Suggestions

log = logging.getLogger(__name__)

RETRY_SECONDS = 3.0
"""After a failed start: how long until the next try, so that removing the cause is enough."""
PURGE_SECONDS = 3600.0
OWING_SECONDS = 30.0
"""The same while deleted text may still stand in the journal's files."""
PATIENCE_SECONDS = 120.0
"""How long a question waits for a server that is still starting."""
SUGGESTIONS_SECONDS = 0.2
"""Of each look for a new generation: how long questions that may be offered are tried out."""


class NotReady(ClusterQAError):
    """The assistant is not there yet; the message says what it waits for."""


class Service:
    """Everything the pages and the API share. `start` and `stop` bracket its life; the rest is thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.conversations = Conversations(settings)
        self.limits = Limits(settings)
        self.suggestions = Suggestions()
        self.problem = "The encoder and the index are being loaded. Try again in a few seconds."
        """Why questions are not answered, while they are not; "" when they are."""
        self.journal: Journal | None = None
        self._journal_fails = True
        self._failing = False
        self._assistant: KnowledgeBase | None = None
        self._keeper: Keeper | None = None
        self._inquiries: Inquiries | None = None
        self._staff_file: Database | None = None
        self._keys: Keys | None = None
        self._keys_file: Database | None = None
        self._opening = threading.Lock()
        self._sources: tuple[str | None, dict[str, Source]] | None = None
        self._asking: set[object] = set()
        """A token for each question that somebody waits for; what is tried in the background gives way to them."""
        self._up = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._live, name="clusterqa-background", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
        self._up.clear()
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        if self._inquiries is not None:
            self._inquiries.stop()
            self._inquiries = None
        if self._staff_file is not None:
            self._staff_file.close()
            self._staff_file = None
        with self._opening:
            if self._keys_file is not None:
                self._keys_file.close()
            self._keys = self._keys_file = None
        if self._assistant is not None:
            self._assistant.close()
            self._assistant = None
        if self.journal is not None:
            self.journal.close()
            self.journal = None

    def _live(self) -> None:
        """The background thread: come up, then keep in step until told to stop."""
        while not self._stop.is_set():
            try:
                self._come_up()
                break
            except ClusterQAError as error:
                self._say(str(error))
            except Exception:
                log.exception("the start failed")
                self.problem, self._failing = "The server could not start. Its log says why.", True
            self._stop.wait(RETRY_SECONDS)
        purged = time.monotonic()
        while not self._stop.wait(self.settings.refresh_seconds):
            self._keep_in_step()
            owing = self.journal is not None and self.journal.owing
            if time.monotonic() - purged > (OWING_SECONDS if owing else PURGE_SECONDS):
                purged = time.monotonic()
                self._purge()

    def _come_up(self) -> None:
        begin = time.perf_counter()
        self._open_journal()
        encoder = runtime.load_encoder(self.settings)
        encoder.encode_queries(["Kas yra klasteris?"])  # the first call is the slow one
        if not self._has_index():
            self.problem = "The documents are being indexed for the first time. This takes a few minutes."
            with reading.Reader() as read:
                sync.update(self.settings, lambda: encoder, read=read)
        self._assistant = KnowledgeBase(self.settings, encoder)
        self._ready(True)
        log.info("ready", extra={"seconds": round(time.perf_counter() - begin, 2)})
        self._keep(encoder)

    def _has_index(self) -> bool:
        try:
            with open_store(self.settings.home) as store:
                return store.generation() > 0
        except IndexNotFound:
            return False

    def _keep(self, encoder: Encoder) -> None:
        """From now on documents come, change and go while questions are answered."""
        assert self._assistant is not None
        try:
            self._staff_file = open_database(self.settings.home)
            history, audit = History(self._staff_file), Audit(self._staff_file)
            log.info("activity log", extra={"end": audit.end()})  # a witness outside the file
            keeper = Keeper(self.settings, encoder, history, audit, profile=self._assistant.profile)
        except ClusterQAError as error:  # no desk then, but what changed while no server ran is taken up all the same
            log.error("%s", error)
            self._update(encoder)
            return
        keeper.start()
        self._keeper = keeper
        if self.journal is None:  # its error is in the log already
            return
        try:
            inquiries = Inquiries(
                self._staff_file, audit, self.journal, self.settings.home, keeper.put_text, self.assistant
            )
            inquiries.start()
        except ClusterQAError as error:
            log.error("%s", error)
            return
        self._inquiries = inquiries

    def _update(self, encoder: Encoder) -> None:
        """
        Index what changed in the corpus while no server ran, and what is read otherwise now; questions are answered meanwhile.
        """
        if not self.settings.corpus.is_dir():
            return
        try:
            with open_store(self.settings.home) as store:
                is_stale = bool(sync.to_look_at(self.settings, store)) or sync.read_by_others(store)
            if is_stale:
                with reading.Reader() as read:
                    report = sync.update(self.settings, lambda: encoder, read=read)
                log.info("index updated", extra={"generation": report.generation})
        except ClusterQAError as error:
            log.warning("The index stays as it is: %s", error)

    def _keep_in_step(self) -> None:
        assert self._assistant is not None
        try:
            if self._assistant.refresh():
                log.info("new generation", extra={"generation": self._assistant.generation})
            self._ready(True)
        except ClusterQAError as error:
            self._say(str(error))
            self._ready(False)
        except Exception:
            log.exception("looking for a new generation failed")
        else:
            self._try_suggestions(self._assistant)

    def _try_suggestions(self, assistant: KnowledgeBase) -> None:
        day = today() if self.settings.expired == "leave_out" else None
        try:
            until = time.monotonic() + SUGGESTIONS_SECONDS
            self.suggestions.work(
                self.store,
                assistant.generation,
                assistant.ask,
                lambda: not self._asking and time.monotonic() < until,
                day,
            )
        except ClusterQAError as error:  # questions are answered all the same
            log.error("%s", error)
        except Exception:
            log.exception("questions to be offered could not be tried out")

    def _ready(self, ready: bool) -> None:
        if ready and self._assistant is not None:
            self.problem, self._failing = "", False
            self.metrics.generation.set(self._assistant.generation)
            self._up.set()
        elif not ready:
            self._up.clear()
        self.metrics.ready.set(int(ready))

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            log.error("%s", problem)
        self.problem, self._failing = problem, True

    def _open_journal(self) -> None:
        if self.journal is None:
            try:
                settings = self.settings
                self.journal = Journal.open(settings.home, settings.retention_days, settings.journal_mb)
                self._journal_fails = False
                _tell_doubt(self.journal)
            except ClusterQAError as error:  # answering goes on without it
                log.error("%s", error)

    def _purge(self) -> None:
        self._open_journal()
        if self.journal is not None:
            try:
                self.journal.purge()
                _tell_doubt(self.journal)
            except ClusterQAError as error:
                log.error("%s", error)

    # ── what the pages and the API ask of it ────────────────────────────────────────────────────────────────────

    @property
    def ready(self) -> bool:
        return self._up.is_set()

    def assistant(self, patience: float = 0.0) -> KnowledgeBase:
        """The assistant, waiting up to `patience` seconds for it while the server is starting; raises NotReady."""
        if not self._up.wait(min(patience, RETRY_SECONDS) if self._failing else patience) or self._assistant is None:
            raise NotReady(self.problem or "The server is starting. Try again in a few seconds.")
        return self._assistant

    @property
    def journalling(self) -> bool:
        """Whether what is asked is kept; answering goes on without."""
        return self.journal is not None and not self._journal_fails and self.journal.there()

    def check(self) -> KnowledgeBase:
        """The assistant, when it is there and what it answers from is too; raises NotReady."""
        assistant = self.assistant()
        try:
            there = exists(self.settings.home)
        except StoreError as error:
            raise NotReady(str(error)) from error
        if not there:
            raise NotReady(f"The index in {shown(self.settings.home)} is gone. Put it back, or start the server again.")
        return assistant

    def keeper(self) -> Keeper:
        """What keeps the documents; raises NotReady while the server is starting, or when its file cannot be used."""
        if self._keeper is None:
            raise NotReady(self.problem or "Documents cannot be changed at the moment. The server's log says why.")
        return self._keeper

    def inquiries(self) -> Inquiries:
        """What people asked in vain; raises NotReady while the server is starting, or when its files cannot be used."""
        if self._inquiries is None:
            raise NotReady(self.problem or "The questions cannot be shown at the moment. The server's log says why.")
        return self._inquiries

    def keys(self) -> Keys:
        """The API keys, whether there is a desk or not; raises StoreError as long as its file cannot be opened."""
        with self._opening:
            if self._keys is None:
                database = open_database(self.settings.home)
                try:
                    self._keys = Keys(database, Audit(database))
                except ClusterQAError:
                    database.close()
                    raise
                self._keys_file = database
            return self._keys

    def ask(self, question: Question, channel: Channel, patience: float = 0.0) -> Answered:
        """Answer a question and keep it in the journal. Raises NotReady and the errors of the store."""
        assistant = self.assistant(patience)
        try:
            with self._somebody_waits():
                trace = assistant.trace(question)
        except Exception:
            self.metrics.errors.inc()
            raise
        reply = trace.reply
        self.metrics.questions.labels(channel, reply.language, reply.status).inc()
        for stage, milliseconds in trace.milliseconds.items():
            self.metrics.seconds.labels(stage).observe(milliseconds / 1000)
        log.info(
            "answered",
            extra={
                "channel": channel,
                "language": reply.language,
                "status": reply.status,
                "confidence": round(reply.confidence, 3),
                "generation": reply.generation,
                **{f"{stage}_ms": round(value, 2) for stage, value in trace.milliseconds.items()},
            },
        )
        return Answered(reply, self._record(trace, channel), trace.milliseconds)

    def search(self, question: Question, k: int) -> tuple[Hit, ...]:
        """At most `k` passages, best first."""
        with self._somebody_waits():
            return self.assistant().trace(question, k).hits

    @contextmanager
    def _somebody_waits(self) -> Iterator[None]:
        waits = object()
        self._asking.add(waits)
        try:
            yield
        finally:
            self._asking.discard(waits)

    def store(self) -> Store:
        """A connection of one's own, for one request."""
        return open_store(self.settings.home)

    def sources(self, store: Store) -> dict[str, Source]:
        """The live documents of this store as sources, each with its translation: read once for every state of the store."""
        state, known = store.meta("seal"), self._sources
        if known is None or known[0] != state:
            known = self._sources = (state, sources(store.documents()))
        return known[1]

    def _record(self, trace: Trace, channel: Channel) -> str | None:
        if self.journal is None or trace.reply.status in ("small_talk", "empty"):
            return None
        try:
            identifier = self.journal.record(trace.reply, channel, sum(trace.milliseconds.values()))
            self._journal_fails = False
            return identifier
        except ClusterQAError as error:
            self._journal_fails = True
            log.error("%s", error)
            return None


def _tell_doubt(journal: Journal) -> None:
    if journal.doubted is not None:
        log.warning(
            "The clock has leapt to %s, so no question is deleted by it before it has gone on for %d days. Correct it if it is wrong.",
            journal.doubted.date(), DOUBTED.days,
        )  # fmt: skip
