"""
Keeping the documents: publish, replace, withdraw, restore, and taking up what was changed in the corpus by hand.

Everything goes through `clusterqa.corpus.sync` under its writer lock. One thread of the server does it, so that changes come
one after another, and answering waits for none of them; two threads read the files that come in, another prepares drafts for
being tried.

    upload ─▶ Drafts ─read─▶ ready ─publish─▶ corpus/ ─sync.update─▶ live

A server that is killed in the middle of a change goes on with it when it is started again: the draft says "publishing", other
changes stand in the history as begun, the file is in the corpus whole or not at all, and the index changes in one transaction.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO

from clusterqa import clock
from clusterqa.corpus import change as corpus_change
from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus import sync
from clusterqa.corpus.lock import writer_lock
from clusterqa.documents.formats import FORMAT_OF_SUFFIX
from clusterqa.documents.metadata import Metadata, parse
from clusterqa.encoders.passing import RememberingPassages
from clusterqa.errors import ClusterQAError, CorpusError, UnreadableDocument
from clusterqa.files import write_whole
from clusterqa.passages import passage_texts, split
from clusterqa.ports import Encoder
from clusterqa.records import Document, Stored
from clusterqa.retrieval.profile import Profile
from clusterqa.settings import Settings
from clusterqa.staff import fetching, reading
from clusterqa.staff.audit import Audit
from clusterqa.staff.changes import Comparison, compare
from clusterqa.staff.drafts import DeskError, Draft, Drafts, Trouble, sidecar_text
from clusterqa.staff.fetching import Fetched
from clusterqa.staff.history import AMENDING, BRINGING, Change, Event, History, What
from clusterqa.staff.jobs import FAULT, Job, Jobs, Stopped
from clusterqa.staff.likeness import Likeness, Likenesses
from clusterqa.staff.marking import Deed, marked, quotations
from clusterqa.staff.names import free_name
from clusterqa.staff.picturing import picture
from clusterqa.staff.queueing import LARGE, WORKERS, Readings
from clusterqa.staff.recognising import recognise
from clusterqa.staff.trials import Trials
from clusterqa.staff.watching import Watch
from clusterqa.store import open_store

log = logging.getLogger(__name__)

EARLIER = corpus_folder.EARLIER
"""Here under the version that a file was read as; what the command line replaces, under a digest of the file."""
WATCH_SHARE = 5
"""Files are looked at so many times less often than the index: every 5 s with the default settings."""


Move = Callable[[Settings, str], object]
Amend = Callable[[Metadata, Stored], Metadata]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The proof: what the index held of a document before and after, and of all documents."""

    before: dict[str, int]
    after: dict[str, int]
    all_before: dict[str, int]
    all_after: dict[str, int]
    generation: int


@dataclass(frozen=True, slots=True)
class Version:
    """
    One text that a document had. `state` is "current", "superseded" or "withdrawn"; `event` the one that brought it,
    None for what was there before the desk; `kept` the file it came in, where that is still there.
    """

    version: str
    state: str
    event: Event | None
    kept: Path | None


class Keeper:
    """Lives as long as the server; `start` and `stop` bracket its life. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        encoder: Encoder,
        history: History,
        audit: Audit,
        profile: Profile | None = None,
        read: corpus_folder.Reader = reading.read,
        today: Callable[[], datetime.date] = clock.today,
        fetch: Callable[[str, int], Fetched] = fetching.fetch,
    ) -> None:
        self.settings = settings
        self.drafts = Drafts(settings.data)
        self.history = history
        self.likenesses = Likenesses()
        self._audit = audit
        self._encoder = RememberingPassages(encoder)
        self._read = read
        self._today = today
        self._fetch = fetch
        self._day: datetime.date | None = None
        self._changes: queue.Queue[Callable[[], None]] = queue.Queue()
        self.readings = Readings()
        self._drawing = threading.Lock()
        self._preparings: queue.Queue[Callable[[], None]] = queue.Queue()
        self._stop = threading.Event()
        self.jobs = Jobs(self._stop)
        self.trials = Trials(settings, self.drafts, self._encoder, profile, self.jobs, self._preparings.put)
        self.watch = Watch(
            settings, history, partial(self._update, progress=self.jobs.check_stopped), self._changes.put
        )
        self._threads: list[threading.Thread] = []

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Index at once what changed while no server ran, and finish what a killed one left."""
        self._resume()
        for name, work in (
            ("changes", self._changes),
            *((f"readings-{number}", self.readings) for number in range(1, WORKERS + 1)),
            ("preparings", self._preparings),
        ):
            thread = threading.Thread(target=self._work, args=(work,), name=f"clusterqa-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _resume(self) -> None:
        self.drafts.clean()
        for change in self.history.begun():
            self._changes.put(partial(self._finish, change))
        for draft in self.drafts.all():
            if draft.state == "reading":
                self._later_read(draft.id)
            elif draft.state == "publishing":
                self._later_publish(draft.id, draft.changed_by)
        self._changes.put(self._look)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=20)
        self.trials.clear()

    def _work(self, work: queue.Queue[Callable[[], None]] | Readings) -> None:
        changes = work is self._changes
        watch = WATCH_SHARE * self.settings.refresh_seconds
        due = time.monotonic() + watch
        while not self._stop.is_set():
            try:
                task = work.get(timeout=max(0.05, min(0.5, due - time.monotonic())) if changes else 0.5)
            except queue.Empty:
                if not changes or time.monotonic() < due:
                    continue
                task = self._look
            try:
                task()
            except Stopped:
                return
            except ClusterQAError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("a task of the staff desk failed")
            if changes and time.monotonic() >= due:
                due = time.monotonic() + watch

    def _look(self) -> None:
        """What is done every few seconds, and at the start: files changed by hand, and what this day was planned for."""
        self.watch.look()
        if (today := self._today()) != self._day:
            due = [draft for draft in self.drafts.all() if draft.publish_on and draft.publish_on <= today.isoformat()]
            for draft in due:
                if draft.state == "ready":
                    self._publish_planned(draft)
            if not any(draft.state == "reading" for draft in due):  # else they are looked at again when they are read
                self._day = today

    def _publish_planned(self, draft: Draft) -> None:
        with suppress(DeskError):  # somebody changed or discarded it a moment before
            try:
                self.publish(draft.id, draft.changed_by)
            except DeskError as error:  # somebody must look at it: it waits with the reason
                self.drafts.change(draft.id, None, only=("ready",), publish_on=None, trouble=Trouble.of(error))

    # ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────

    def take_in(
        self, name: str, file: BinaryIO, who: str, limit: int, replaces: str | None = None, fetched_from: str = ""
    ) -> tuple[Draft, bool]:
        """
        Keep an uploaded file as a draft and read it in the background; gives the draft, and whether it was there already.
        A draft of the same file that could not be read, under another name perhaps, makes way for it.

        `replaces` is the id of the document that it is a new version of, `fetched_from` the address it was fetched from today.
        Raises DeskError.
        """
        base, metadata = None, Metadata()
        if replaces is not None:
            base = self.digest(replaces)
            if base is None:
                raise DeskError("gone", f"{replaces} is no longer among the documents.", document=replaces)
            if Path(name).suffix.lower() != Path(replaces).suffix.lower():
                raise DeskError(
                    "other_format",
                    f"A new version must end in {Path(replaces).suffix}, as {replaces} does. Upload this file as a new document, "
                    "then withdraw the old one.",
                    document=replaces,
                    suffix=Path(replaces).suffix,
                )
            metadata = replace(self._sidecar_of(replaces), date=None, valid_until=None, review_by=None)
        draft, again = self.drafts.take_in(name, file, who, limit, replaces, base)
        if again:
            return draft, True
        values: dict[str, Any] = {}
        if replaces is None and draft.document in (taken := self._taken()):
            # Nobody has said yet whether it is a new version of the one there or another document of the same name.
            values = {"intent": "ask", "document": free_name(draft.document, taken)}
        if fetched_from:
            values["fetched_on"] = self._today().isoformat()
            metadata = replace(metadata, url=fetched_from)
        if metadata != Metadata():
            values["metadata"] = metadata
        if values:
            draft = self.drafts.change(draft.id, None, **values)
        self._audit.record(who, "document.uploaded", draft.document, draft.uploaded_as)
        for failed in self.drafts.all():
            if failed.state == "unreadable" and failed.sha256 == draft.sha256:
                with suppress(DeskError):  # somebody discarded it a moment before
                    self.discard(failed.id, who)
        self._later_read(draft.id)
        return draft, False

    def recognise(self, identifier: str, who: str) -> Draft:
        """
        Recognise the text of a scanned draft, in the background; afterwards it is read again and shows how sure that is.

        Of a PDF that was read, only pages without text. Raises DeskError.
        """
        draft = self.drafts.get(identifier)
        document = self.drafts.found(draft)
        empty = (
            [page.number for page in document.pages if not document.text[page.start : page.end].strip()]
            if document
            else []
        )
        if document and not empty:
            raise DeskError("nothing_to_recognise", "Every page of it has text already.")
        draft = self.drafts.change(identifier, who, only=("ready", "unreadable"), state="reading", trouble=None)
        self._audit.record(who, "document.recognised", draft.document, draft.uploaded_as)
        self.readings.put(identifier, max(draft.size, LARGE), lambda: self._recognise(identifier, empty))
        return draft

    def _recognise(self, identifier: str, pages: Sequence[int]) -> None:
        draft = self.drafts.get(identifier)
        box = self.drafts.folder / identifier / "recognising"
        shutil.rmtree(box, ignore_errors=True)
        box.mkdir()
        try:
            told = self.jobs.progress(identifier)
            found = recognise(
                self.drafts.path(draft), draft.file, pages, box / "made.pdf", lambda done, total: told("recognise", done, total)
            )  # fmt: skip
            shutil.rmtree(self.drafts.folder / identifier / "pages", ignore_errors=True)
            draft = self.drafts.keep_recognised(identifier, box / "made.pdf", found)
            if draft.intent == "new" and draft.document in (taken := self._taken()):
                self.drafts.change(identifier, None, intent="ask", document=free_name(draft.document, taken))
        except UnreadableDocument as error:
            if pages:  # its other pages were read, and still are
                trouble = Trouble("not_recognised", f"{error.reason} {error.next_step}")
                self.drafts.change(identifier, None, only=("reading",), state="ready", trouble=trouble)
            else:
                self._unreadable(identifier, error)
            return
        except Stopped:
            raise
        except Exception:
            with suppress(ClusterQAError):  # it may have been discarded meanwhile
                state = "ready" if pages else "unreadable"
                self.drafts.change(identifier, None, only=("reading",), state=state, trouble=FAULT)
            raise
        finally:
            shutil.rmtree(box, ignore_errors=True)
            self.jobs.set(identifier, Job("done"))
        self._read_draft(identifier)

    def _unreadable(self, identifier: str, error: UnreadableDocument) -> None:
        values: dict[str, object] = {"reason": error.reason, "next_step": error.next_step}
        trouble = Trouble("unreadable", f"{error.reason} {error.next_step}", values)
        self.drafts.change(identifier, None, only=("reading",), state="unreadable", trouble=trouble)

    def picture(self, draft: Draft, page: int) -> bytes | None:
        """A page of a draft's PDF as JPEG, drawn when it is first asked for; None for what cannot be drawn."""
        path = self.drafts.path(draft)
        if path.suffix.lower() != ".pdf":
            return None
        kept = self.drafts.folder / draft.id / "pages" / f"{page}.jpg"
        if not kept.is_file():
            with self._drawing:  # one at a time: answering comes first
                made = picture(path, page)
            if made is None:
                return None
            with suppress(OSError):  # discarded meanwhile, or a full disk: then it is drawn again
                kept.parent.mkdir(exist_ok=True)
                write_whole(kept, made)
            return made
        return kept.read_bytes()

    def fetch(self, url: str, who: str, limit: int, replaces: str | None = None) -> tuple[Draft, bool]:
        """
        Take in the page at an address, as it is now, like an uploaded file; waits for it. Its address and this day are kept
        with it. Raises DeskError, also where the settings do not allow it.
        """
        if not self.settings.fetch_urls:
            raise DeskError("fetch_off", "The server fetches nothing. Its setting `fetch_urls` would allow it.")
        found = self._fetch(url, limit)
        self._audit.record(who, "document.fetched", replaces or found.name, found.url)
        name = found.name
        if replaces is not None and _format(name) == _format(replaces):  # another one is refused with the reason
            name = str(Path(name).with_suffix(Path(replaces).suffix))
        return self.take_in(name, io.BytesIO(found.content), who, limit, replaces, found.url)

    def _later_read(self, identifier: str) -> None:
        self.readings.put(identifier, self.drafts.get(identifier).size, lambda: self._read_draft(identifier))

    def _read_draft(self, identifier: str) -> None:
        draft = self.drafts.get(identifier)
        try:
            # Without the sidecar: what the editor corrects is laid over what the file itself says.
            alone = self.drafts.folder / identifier / "alone"
            alone.mkdir(exist_ok=True)
            path = alone / draft.file
            try:
                shutil.copyfile(self.drafts.path(draft), path)
                document = corpus_folder.read_file(path, draft.file, self._read)
            finally:
                shutil.rmtree(alone, ignore_errors=True)
            self.drafts.keep_read(identifier, document)
            draft = self.drafts.get(identifier)
            if draft.fetched_on and not (document.date or draft.metadata.date):
                self.drafts.change(identifier, None, metadata=replace(draft.metadata, date=draft.fetched_on))
            with suppress(ClusterQAError):
                self.likeness(document)  # remembered, so that the page of the draft need not wait
            self.drafts.change(identifier, None, only=("reading",), state="ready", trouble=None)
        except UnreadableDocument as error:
            self._unreadable(identifier, error)
        except Exception:
            with suppress(ClusterQAError):  # it may have been discarded meanwhile
                self.drafts.change(identifier, None, only=("reading",), state="unreadable", trouble=FAULT)
            raise

    def likeness(self, document: Document) -> list[Likeness]:
        """The live documents that much of this one stands in already."""
        with open_store(self.settings.home) as store:
            return self.likenesses.of(document, store)

    def correct(self, identifier: str, who: str, seen: int, metadata: Metadata, intent: str | None = None) -> Draft:
        """
        Keep corrected metadata, and whether the file is a new document or a new version ("new", "replace").

        Raises DeskError when the draft is not to be changed any more, or was changed meanwhile by another editor.
        """
        draft = self.drafts.get(identifier)
        values: dict[str, object] = {"metadata": metadata}
        if intent == "replace" and intent != draft.intent and draft.file in self._taken():
            values |= {"intent": intent, "document": draft.file, "base": self.digest(draft.file)}
        elif intent == "new" and (intent != draft.intent or draft.document in self._taken()):
            values |= {"intent": intent, "document": free_name(draft.file, self._taken()), "base": None}
        changed = self.drafts.change(
            identifier, who, seen=seen, only=("ready", "reading", "unreadable"), trouble=None, **values
        )
        self._audit.record(who, "document.corrected", changed.document, self._called(changed))
        return changed

    def _called(self, draft: Draft) -> str:
        """A draft's title and what its file was called, for the log; only the latter while it is not read."""
        document = self.drafts.read(draft)
        return f"{document.title} ({draft.uploaded_as})" if document else draft.uploaded_as

    def other_name(self, draft: Draft) -> str:
        """The id that this draft would get as a document of its own."""
        return free_name(draft.file, self._taken())

    def carry_metadata(self, draft: Draft, file: Path) -> None:
        """Give a draft the metadata that stand in the sidecar of the file that it was made from."""
        metadata = _sidecar(file)
        if metadata != draft.metadata and draft.state in ("reading", "ready"):
            self.drafts.change(draft.id, None, metadata=metadata)

    def discard(self, identifier: str, who: str) -> Draft:
        """Delete a draft with its file. Raises DeskError when it is published or about to be."""
        called = self._called(self.drafts.get(identifier))
        draft = self.drafts.discard(identifier)
        self._audit.record(who, "document.discarded", draft.document, called)
        return draft

    # ── publishing ──────────────────────────────────────────────────────────────────────────────────────────────

    def conflict(self, draft: Draft) -> DeskError | None:
        """
        What keeps this draft from being published as it is meant to be: the corpus has changed since it was made.

        "changed": the document that it replaces was changed by somebody else; "gone": that document is no longer there;
        "taken": a new document, but one of this name came meanwhile; "ask": nobody has said which of the two it is.
        """
        if draft.state not in ("reading", "ready", "publishing"):
            return None
        name = draft.document
        if draft.intent == "ask":
            return DeskError(
                "ask", f"There is a document {draft.file} already. Say what this file is to be.", document=draft.file
            )
        there = self.digest(name)
        if there is not None and there == self._own_digest(draft):
            return None  # it is in its place already: a killed server had come so far
        if draft.intent == "new" and there is not None:
            return DeskError("taken", f"A document {name} came meanwhile. Say what this file is to be.", document=name)
        if draft.intent == "replace" and there is None:
            return DeskError("gone", f"{name} is no longer among the documents.", document=name)
        if draft.intent == "replace" and there != draft.base:
            return DeskError(
                "changed", f"{name} was changed by somebody else after this draft was made.", document=name
            )
        return None

    def resolve(self, identifier: str, who: str, seen: int) -> Draft:
        """
        Go on with a draft in spite of its conflict, knowing the present document: replace what is there now, whatever it
        is; bring in again what is gone. What is replaced is kept as an earlier version.
        """
        draft = self.drafts.get(identifier)
        there = self.digest(draft.document)
        values = {"intent": "new", "base": None} if there is None else {"intent": "replace", "base": there}
        changed = self.drafts.change(identifier, who, seen=seen, only=("ready",), trouble=None, **values)
        self._audit.record(who, "document.resolved", changed.document, self._called(changed))
        return changed

    def publish(self, identifier: str, who: str, seen: int | None = None) -> Draft:
        """
        Make a draft live, in the background; its job, under the draft's id, says how far it is.

        Raises DeskError when it is not ready, is being published already, or the corpus has changed under it.
        """
        draft = self.drafts.get(identifier)
        if draft.state == "ready" and (conflict := self.conflict(draft)):
            raise conflict
        draft = self.drafts.change(
            identifier, who, seen=seen, only=("ready",), state="publishing", publish_on=None, trouble=None
        )
        self._later_publish(identifier, who)
        return draft

    def plan(self, identifier: str, who: str, day: datetime.date | None, seen: int | None = None) -> Draft:
        """
        Publish a draft by itself on a day to come, or, with None, no longer; it can be changed until then.

        Raises DeskError as `publish` does, and for a day that is not to come.
        """
        draft = self.drafts.get(identifier)
        if day is not None and day <= self._today():
            raise DeskError("not_to_come", "The day must be one to come. To publish now, choose to publish.")
        if day is not None and draft.state == "ready" and (conflict := self.conflict(draft)):
            raise conflict
        planned = day.isoformat() if day else None
        changed = self.drafts.change(identifier, who, seen=seen, only=("ready",), publish_on=planned, trouble=None)
        self._day = None  # it may have become that day at this moment
        what = "document.planned" if day else "document.unplanned"
        self._audit.record(who, what, changed.document, f"{self._called(changed)} {planned or ''}".strip())
        return changed

    def comparison(self, draft: Draft, document: Document) -> Comparison | None:
        """What a draft changes of the live document that it replaces; None where there is none."""
        with open_store(self.settings.home) as store:
            stored = store.document(draft.document)
            before = store.read(draft.document) if stored and stored.state == "live" else None
        return compare(before, document, split(before, self.settings.passage_chars)) if before else None

    def _later_publish(self, identifier: str, who: str) -> None:
        self.jobs.set(identifier, Job())
        self._changes.put(lambda: self._publish(identifier, who))

    def _publish(self, identifier: str, who: str) -> None:
        draft = self.drafts.get(identifier)
        try:
            with self.jobs.running(identifier), self._encoded(identifier, self.drafts.read(draft)):
                if conflict := self.conflict(draft):
                    raise conflict
                name = draft.document
                sidecar = self.drafts.sidecar(draft)
                own = self._own_digest(draft)
                earlier = self._to_keep(name, unless=own)
                aside = self._aside(name, earlier) if earlier else None
                if earlier is None and draft.intent == "replace":
                    earlier = self._put_aside(name, own)
                file = self.drafts.path(draft)
                corpus_folder.place(self.settings, name, file, sidecar if sidecar.is_file() else None, aside)
                with self._undone(name, earlier):
                    report = self._update([name], self.jobs.progress(identifier))
                    for error in report.unreadable:
                        if error.document == name:
                            raise error
                    stored = self._stored(name)
                what: What = "replaced" if draft.intent == "replace" else "published"
                detail = {"draft": identifier, "file": draft.uploaded_as, "sha256": draft.sha256, "earlier": earlier}
                if draft.metadata.left_out:
                    detail["left_out"] = str(len(draft.metadata.left_out))
                event = Event(who, what, name, stored.version, report.generation, detail)
                # A server killed a moment later finds it told already.
                if not any(told.detail.get("draft") == identifier for told in self.history.of(name)):
                    self.history.record(event, self._audit, draft.uploaded_as)
                self.drafts.change(identifier, None, state="published", generation=report.generation)
                for derived in ("trial", "pages"):
                    shutil.rmtree(self.drafts.folder / identifier / derived, ignore_errors=True)
        except ClusterQAError as error:
            trouble = Trouble.of(error)
            self.drafts.change(identifier, None, only=("publishing",), state="ready", trouble=trouble)
            raise

    @contextmanager
    def _encoded(self, key: str, document: Document | None) -> Iterator[None]:
        """
        The writer lock, taken only when the document is encoded and the encoder remembers it: a long one keeps nobody else
        from withdrawing or publishing another.
        """
        told = self.jobs.progress(key)
        if document is not None:
            texts = [passage_texts(document.title, passage) for passage in self.trials.passages(document)]
            wholes = [text.whole for text in texts]
            sentences = [sentence for text in texts for sentence in text.sentences]
            total, done = len(wholes) + len(sentences), 0

            def counted(number: int) -> None:
                nonlocal done
                done += number
                told("encode", done, total)

            told("encode", 0, total)
            self._encoder.read_passages(wholes, counted)
            self._encoder.encode_passages(sentences, counted)
        with self._writing():
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The writer lock; what another process or an earlier start of this one left by half in the corpus is whole then."""
        with writer_lock(self.settings.home):
            corpus_change.finish(self.settings)
            yield

    def put_text(self, document: str, text: str, who: str) -> int:
        """
        Make a text that was written at the desk the document of this id, and live; gives the generation. Waits for it.

        For documents of the desk's own making (answers); a file that somebody changed by hand meanwhile is kept as an
        earlier version. Raises ClusterQAError.
        """
        content = text.encode()
        digest = hashlib.sha256(content).hexdigest()
        with self.jobs.running(document), self._writing():
            what: What = "published" if self.digest(document) is None else "replaced"
            earlier = self._to_keep(document, unless=digest)
            change = self.history.begin(who, what, document, {"earlier": earlier, "file_sha256": digest})
            try:
                aside = self._aside(document, earlier) if earlier else None
                corpus_folder.place(self.settings, document, content, None, aside)
                with self._undone(document, earlier):
                    return self._put_text(change)
            except ClusterQAError:
                self.history.give_up(change)
                raise

    def _put_text(self, change: Change) -> int:
        report = self._update([change.document], self.jobs.progress(change.document))
        version = self._stored(change.document).version
        event = Event(change.who, change.what, change.document, version, report.generation, change.detail)
        self.history.end(change, event, self._audit)
        return report.generation

    # ── what a killed server began ──────────────────────────────────────────────────────────────────────────────

    def _finish(self, change: Change) -> None:
        """Go on with a change in the name of whoever began it, or give it up where nothing of it was done."""
        with self._writing():
            try:
                if change.what == "withdrawn":
                    self._withdraw(change)
                elif change.what == "restored":
                    self._restore(change)
                elif change.what in AMENDING:
                    there = sidecar_text(self._sidecar_of(change.document))
                    if there in (change.detail["before"], change.detail["after"]):
                        self._amended(change)
                    else:  # somebody changed it by hand meanwhile
                        self.history.give_up(change)
                elif self.digest(change.document) == change.detail["file_sha256"]:
                    self._put_text(change)
                else:  # its text is still where it was written
                    self.history.give_up(change)
            except CorpusError as error:  # the file is in neither place: somebody took it away meanwhile
                log.warning("%s", error)
                self.history.give_up(change)

    def amend(
        self, document: str, who: str, change: Amend, what: What = "corrected", detail: Mapping[str, Any] | None = None
    ) -> None:
        """
        Change what is said of a live document, in the background, its file staying as it is; its job is under its id.

        `change` gets what is said beside the file and what is known of the document. Raises DeskError when it is not live.
        """
        with open_store(self.settings.home) as store:
            stored = store.document(document)
        if stored is None or stored.state != "live" or self.digest(document) is None:
            raise DeskError("gone", f"{document} is no longer among the documents.", document=document)
        self.jobs.set(document, Job())
        self._changes.put(lambda: self._amend(document, who, change, what, detail or {}))

    def _amend(self, document: str, who: str, change: Amend, what: What, detail: Mapping[str, Any]) -> None:
        with self.jobs.running(document), self._writing():
            before = self._sidecar_of(document)
            after = change(before, self._stored(document))
            texts = {"before": sidecar_text(before), "after": sidecar_text(after)}
            self._amended(self.history.begin(who, what, document, {**detail, **texts}))

    def _amended(self, change: Change) -> None:
        detail = dict(change.detail)
        before, after = detail.pop("before"), detail.pop("after")
        try:
            self._describe(change.document, after)
            try:
                report = self._update([change.document], self.jobs.progress(change.document))
                stored = self._stored(change.document)
            except ClusterQAError:
                self._describe(change.document, before)
                raise
        except ClusterQAError:
            self.history.give_up(change)
            raise
        event = Event(change.who, change.what, change.document, stored.version, report.generation, detail)
        self.history.end(change, event, self._audit, str(detail.get("said", "")))

    def _describe(self, document: str, text: str) -> None:
        """Put what is said of a document beside its file in the corpus, as a sidecar of this text; none for ""."""
        file = dict(corpus_folder.corpus_files(self.settings)).get(document)
        if file is None:
            raise DeskError("gone", f"{document} is no longer among the documents.", document=document)
        corpus_folder.place(self.settings, document, file, text.encode() or None)

    # ── passages that are left out, and notes ───────────────────────────────────────────────────────────────────

    def marks(self, document: str) -> Metadata:
        """What is left out of answers of a document in the corpus, and what is noted on its passages."""
        return self._sidecar_of(document)

    def mark(self, document: str, who: str, deed: Deed, keys: Sequence[str], said: str = "") -> None:
        """
        Leave passages of a live document out of answers, put them back, or note something on them (nothing takes a note
        away), in the background; its job is under its id. `keys` name them as `documents.marks` does. Raises DeskError.
        """
        with open_store(self.settings.home) as store:
            read = store.read(document)
        if read is None:
            raise DeskError("gone", f"{document} is no longer among the documents.", document=document)
        quoted = quotations(read, keys)
        marked(self._sidecar_of(document), deed, keys, said)  # what is wrong with it is told now
        detail = {"passages": quoted, "said": said}
        self.amend(document, who, lambda metadata, _: marked(metadata, deed, keys, said), deed, detail)

    def mark_draft(self, identifier: str, who: str, deed: Deed, keys: Sequence[str], said: str = "") -> Draft:
        """As `mark`, of a draft that is not published yet."""
        draft = self.drafts.get(identifier)
        document = self.drafts.found(draft)
        if document is None:
            raise DeskError("wrong_state", "The draft is not read yet.", state=draft.state)
        quotations(document, keys)
        metadata = marked(draft.metadata, deed, keys, said)
        changed = self.drafts.change(identifier, who, seen=draft.revision, only=("ready",), metadata=metadata)
        self._audit.record(who, f"document.{deed}", changed.document, said)
        return changed

    # ── withdrawing and restoring ───────────────────────────────────────────────────────────────────────────────

    def withdraw(self, document: str, who: str) -> Withdrawal:
        """
        Take a document out of every answer, at once; gives the proof. Its file is kept, and `restore` brings it back.

        Raises CorpusError when it is not there.
        """
        with self._writing():
            with open_store(self.settings.home) as store:
                stored = store.document(document)
                before = {"before": store.held(document), "all_before": store.held(None)}
            version = stored.version if stored else None
            if document in corpus_folder.removed(self.settings) and self.digest(document) is None:
                raise CorpusError(f"{document} is withdrawn already.")
            return self._withdraw(self.history.begin(who, "withdrawn", document, {**before, "version": version}))

    def _withdraw(self, change: Change) -> Withdrawal:
        document, detail = change.document, dict(change.detail)
        with self._moved(change, corpus_folder.remove, corpus_folder.restore):
            report = self._update([document], self.jobs.check_stopped)
        with open_store(self.settings.home) as store:
            detail |= {"after": store.held(document), "all_after": store.held(None)}
        version = detail.pop("version")
        self.history.end(
            change, Event(change.who, change.what, document, version, report.generation, detail), self._audit
        )
        return Withdrawal(**detail, generation=report.generation)

    def restore(self, document: str, who: str) -> None:
        """Bring a withdrawn document back, in the background; its job is under the document's id. Raises CorpusError."""
        if document not in corpus_folder.removed(self.settings):
            raise DeskError(
                "not_kept", f"The file of {document} is not kept, so it cannot be restored.", document=document
            )
        if self.digest(document) is not None or document in {change.document for change in self.history.begun()}:
            raise DeskError("taken", f"There is a document {document} again.", document=document)
        self.jobs.set(document, Job())
        change = self.history.begin(who, "restored", document)
        self._changes.put(lambda: self._restore(change))

    def _restore(self, change: Change) -> None:
        document = change.document
        with open_store(self.settings.home) as store:
            known = store.read(document)
        with self.jobs.running(document), self._encoded(document, known):
            with self._moved(change, corpus_folder.restore, corpus_folder.remove):
                report = self._update([document], self.jobs.progress(document))
                version = self._stored(document).version
            event = Event(change.who, change.what, document, version, report.generation)
            self.history.end(change, event, self._audit)

    @contextmanager
    def _moved(self, change: Change, do: Move, undo: Move) -> Iterator[None]:
        """The file moved by `do`, and back by `undo` where the index cannot take it; not when the server merely stops."""
        try:
            do(self.settings, change.document)
        except ClusterQAError:
            self.history.give_up(change)
            raise
        try:
            yield
        except ClusterQAError:
            undo(self.settings, change.document)  # where that fails too, it is tried again at the next start
            self.history.give_up(change)
            raise

    # ── what there is ───────────────────────────────────────────────────────────────────────────────────────────

    def digest(self, document: str) -> str | None:
        """The digest of a document's file and sidecar as they lie in the corpus; None when it is not there."""
        path = dict(corpus_folder.corpus_files(self.settings)).get(document) if self.settings.corpus.is_dir() else None
        return corpus_folder.file_state(path, document).sha256 if path else None

    def original(self, document: str) -> Path | None:
        """The file of a document, in the corpus or, when it is withdrawn, where it is kept."""
        path = dict(corpus_folder.corpus_files(self.settings)).get(document)
        if path is None and document in corpus_folder.removed(self.settings):
            path = self.settings.data / corpus_folder.REMOVED / document
        return path

    def versions(self, document: str) -> list[Version]:
        """The texts that a document had, the newest first."""
        with open_store(self.settings.home) as store:
            stored = store.document(document)
            known = store.versions(document)
        if stored is None:
            return []
        events = self.history.of(document)
        found = []
        for version in reversed([*(v for v in known if v != stored.version), stored.version]):
            brought = next((e for e in events if e.version == version and e.what in (*BRINGING, "restored")), None)
            state = "superseded" if version != stored.version else "current" if stored.state == "live" else "withdrawn"
            kept = self.original(document) if version == stored.version else self._kept(document, version, brought)
            found.append(Version(version, state, brought, kept))
        return found

    def _kept(self, document: str, version: str, event: Event | None) -> Path | None:
        """The file of an earlier version: put aside when it was replaced here, else as it was uploaded."""
        path = self._aside(document, version) / Path(document).name
        if not path.is_file() and event is not None and "draft" in event.detail:
            with suppress(DeskError):
                path = self.drafts.path(self.drafts.get(str(event.detail["draft"])))
        return path if path.is_file() else None

    def export(self, target: IO[bytes]) -> None:
        """Write a zip archive with every document, withdrawn and earlier ones too, and a list of them."""
        from clusterqa.staff.exporting import write_archive

        write_archive(self.settings, self.history, self.drafts, target)

    def _taken(self) -> set[str]:
        present = (
            {name for name, _ in corpus_folder.corpus_files(self.settings)} if self.settings.corpus.is_dir() else set()
        )
        coming = {draft.document for draft in self.drafts.all() if draft.state == "publishing"}
        return present | coming

    def _own_digest(self, draft: Draft) -> str:
        return corpus_folder.file_state(self.drafts.path(draft), draft.document).sha256

    def _sidecar_of(self, document: str) -> Metadata:
        path = dict(corpus_folder.corpus_files(self.settings)).get(document)
        return _sidecar(path) if path else Metadata()

    def _to_keep(self, document: str, unless: str) -> str | None:
        """The version that a document's present file was read as, where it is to be kept: unless it is the one that comes."""
        path = dict(corpus_folder.corpus_files(self.settings)).get(document)
        if path is None or corpus_folder.file_state(path, document).sha256 == unless:
            return None
        with open_store(self.settings.home) as store:
            stored = store.document(document)
            held = stored is not None and stored.file_sha256 == corpus_folder.file_state(path, document).sha256
        return stored.version if stored and held else corpus_folder.file_state(path, document).sha256

    def _aside(self, document: str, version: str) -> Path:
        """The folder where the file of an earlier version is kept."""
        return self.settings.data / EARLIER / document / version[:16]

    def _put_aside(self, document: str, own: str) -> str | None:
        """What `_to_keep` gave before a server was killed: the newest version put aside, but that of the file that came."""
        with open_store(self.settings.home) as store:
            stored, known = store.document(document), store.versions(document)
        if stored is None:
            return None
        came = stored.version if stored.file_sha256 == own else ""
        versions = reversed([*(v for v in known if v != stored.version), stored.version])
        return next((v for v in versions if v != came and self._aside(document, v).is_dir()), None)

    @contextmanager
    def _undone(self, document: str, earlier: str | None) -> Iterator[None]:
        """Put the corpus back as it was when the index cannot take the change; not when the server merely stops."""
        try:
            yield
        except ClusterQAError:
            if earlier is not None:
                kept = self._aside(document, earlier) / Path(document).name
                beside = [side for s in corpus_folder.SIDECARS if (side := kept.with_name(kept.name + s)).is_file()]
                corpus_folder.place(self.settings, document, kept, beside[0] if beside else None)
            else:
                corpus_folder.drop(self.settings, document)
            raise

    def _update(self, names: Sequence[str], progress: sync.Progress) -> sync.Report:
        report = sync.update(
            self.settings, lambda: self._encoder, progress=progress, read=self._read, only=frozenset(names)
        )
        log.info("index updated", extra={"generation": report.generation, "documents": len(names)})
        return report

    def _stored(self, document: str) -> Stored:
        with open_store(self.settings.home) as store:
            stored = store.document(document)
        if stored is None or stored.state != "live":
            raise CorpusError(
                f"{document} is not live, although it was just put into the corpus. Look at: clusterqa doctor"
            )
        return stored


def _format(name: str) -> str | None:
    return FORMAT_OF_SUFFIX.get(Path(name).suffix.lower().lstrip("."))


def _sidecar(path: Path) -> Metadata:
    for suffix in corpus_folder.SIDECARS:
        beside = path.with_name(path.name + suffix)
        if beside.is_file():
            with suppress(OSError, UnicodeDecodeError):
                return parse(beside.read_text(encoding="utf-8-sig"), 1, beside.name)[0]
    return Metadata()
