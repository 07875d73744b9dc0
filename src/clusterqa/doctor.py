"""What is installed, which encoder is used, whether the index is in step with the corpus, and what is damaged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from clusterqa import __version__, extras, journal
from clusterqa.corpus.change import is_unfinished
from clusterqa.corpus.check import check_corpus
from clusterqa.corpus.folder import corpus_files, removed
from clusterqa.corpus.sync import check_in_step, out_of_step
from clusterqa.documents.formats import KINDS
from clusterqa.documents.samples import broken_readers
from clusterqa.errors import ClusterQAError, IndexNotFound, IndexOutdated
from clusterqa.extras import MODULES
from clusterqa.ports import Encoder, Store
from clusterqa.retrieval.profile import NO_READER
from clusterqa.runtime import find_profile, index_of, load_reader
from clusterqa.settings import IN_MEMORY, Settings
from clusterqa.staff import audit, database
from clusterqa.store import asides, open_store, shown
from clusterqa.store.served import ServedIndex

_PACKAGES = ("openvino", "tokenizers", "faiss-cpu", "PyStemmer", "langdetect", "pypdfium2", "python-docx",
             "trafilatura", "fastapi")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `detail` says what is, and what to do where it is not `ok`."""

    what: str
    ok: bool
    detail: str


def examine(settings: Settings, load_encoder: Callable[[], Encoder]) -> list[Finding]:
    """Look at everything, in the order in which one thing rests on another; never raises for what it finds."""
    findings = [_installed(), _readers(), _corpus(settings)]
    encoder: Encoder | None = None
    try:
        encoder = load_encoder()
        reader = load_reader(settings, encoder)
        name = reader.fingerprint if reader else NO_READER
        fitted = find_profile(settings, encoder, reader).fits(encoder.fingerprint, settings.reranker, name)
        findings.append(
            Finding("encoder", True, f"{settings.encoder} ({encoder.fingerprint}, {encoder.dimension} dimensions)")
        )
        findings.append(
            Finding(
                "confidence",
                fitted,
                "fitted for this encoder" if fitted else "fitted for another encoder; run: clusterqa eval calibrate",
            )
        )
    except ClusterQAError as error:
        findings.append(Finding("encoder", False, str(error)))
    findings += [*_index(settings, encoder), *_kept(settings), *_log(settings)]
    return findings


def examine_corpus(corpus: Path) -> list[Finding]:
    """
    Look at the documents themselves: a finding for each fault and remark, in the order of the documents, and a last
    one that counts them. Needs neither the index nor the encoder. Raises CorpusError when there is no folder.
    """
    report = check_corpus(corpus)
    findings = [
        Finding(f"{fault.place} ({'remark: ' if fault.remark else ''}{fault.rule})", fault.remark, fault.detail)
        for fault in report.found
    ]
    detail = (
        f"{report.documents} documents, {report.pairs} pairs of translations in {corpus}: "
        f"{len(report.faults)} faults, {len(report.remarks)} remarks"
    )
    return [*findings, Finding("corpus", not report.faults and report.documents > 0, detail)]


def _installed() -> Finding:
    found, missing = [f"clusterqa {__version__}"], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("installed", False, f"missing: {', '.join(missing)}. Install again with: pip install clusterqa")
    own = [extra for extra in MODULES if extras.installed(extra)]
    lacking = [extra for extra in MODULES if extra not in own]
    told = f"; extras: {', '.join(own) or 'none'}" + (f" (not {', '.join(lacking)})" if lacking else "")
    return Finding("installed", True, ", ".join(found) + told)


def _readers() -> Finding:
    """Whether a small file of every format can be read here."""
    broken = broken_readers()
    told = "; ".join(f"{name}: {why}" for name, why in broken)
    return Finding("readers", not broken, f"{told}. Install again with: pip install clusterqa" if broken else
                   f"all {len(KINDS)} formats can be read")  # fmt: skip


def _corpus(settings: Settings) -> Finding:
    try:
        files = corpus_files(settings)
    except ClusterQAError as error:
        return Finding("corpus", False, str(error))
    if is_unfinished(settings):
        return Finding("corpus", False, "A change of the documents was broken off. Finish it with: clusterqa index")
    kept = len(removed(settings))
    detail = f"{len(files)} documents in {settings.corpus}" + (f", {kept} removed ones can be restored" if kept else "")
    return Finding("corpus", bool(files), detail if files else f"{detail}. Add some with: clusterqa add FILE")


def _index(settings: Settings, encoder: Encoder | None) -> list[Finding]:
    findings: list[Finding] = []
    try:
        with open_store(settings.home) as store:
            damage = store.damage()
            findings.append(
                Finding("database", not damage, "whole" if not damage else
                        f"damaged: {'; '.join(damage)}. Mend it with: clusterqa index --rebuild")
            )  # fmt: skip
            if damage:
                return findings
            if encoder is not None:
                check_in_step(store, settings, encoder)
            counts = store.counts()
            stale = out_of_step(settings, store) if settings.corpus.is_dir() else []
            detail = f"generation {store.generation()}, {counts['passages']} passages in {shown(settings.home)}"
            if stale:
                detail += f"; {len(stale)} documents changed since ({', '.join(stale[:3])}). Run: clusterqa index"
            findings.append(Finding("index", not stale, detail))
            if encoder is not None and settings.index != IN_MEMORY:
                findings.append(_vectors(settings, encoder, store))
            for name, reason, next_step in store.unreadable():
                findings.append(Finding("document", False, f"{name} could not be read: {reason} {next_step}"))
    except (IndexNotFound, IndexOutdated) as error:
        findings.append(Finding("index", False, str(error)))
    except ClusterQAError as error:
        findings.append(Finding("database", False, f"{error}"))
    with suppress(ClusterQAError):  # was told above
        if names := asides(settings.home):
            findings.append(
                Finding("set aside", True, f"{names[-1]}: a damaged index, kept; delete it when it is not needed")
            )
    return findings


def _vectors(settings: Settings, encoder: Encoder, store: Store) -> Finding:
    """Whether the server that is searched holds what the store holds, counted one by one."""
    try:
        with closing(index_of(settings, encoder)) as index:
            index.refresh()
            held, wanted = index.held() if isinstance(index, ServedIndex) else {}, store.held(None)
    except ClusterQAError as error:
        return Finding("vectors", False, str(error))
    told = ", ".join(f"{held.get(name, 0)} {name}" for name in ("passages", "vectors"))
    same = all(held.get(name) == wanted[name] for name in ("passages", "vectors"))
    detail = f"the server holds {told}, as the store does"
    return Finding("vectors", same, detail if same else f"the server holds {told}, the store "
                   f"{wanted['passages']} and {wanted['vectors']}. Empty its schema, and it is filled anew.")  # fmt: skip


def _kept(settings: Settings) -> list[Finding]:
    """The files beside the index, where there are any."""
    found = []
    for what, faults, advice in (
        ("journal", journal.faults(settings.home), "Move it away; a new one is begun."),
        ("staff", database.faults(settings.home), "Take it from a backup."),
    ):
        if faults is not None:
            detail = f"damaged: {'; '.join(faults)}. {advice}" if faults else "whole"
            found.append(Finding(what, not faults, detail))
    return found


def _log(settings: Settings) -> list[Finding]:
    try:
        verdict = audit.verify(settings.home)
    except ClusterQAError as error:
        return [Finding("activity log", False, str(error))]
    if verdict is None:
        return []
    detail = " ".join(verdict.faults) or f"whole: {verdict.lines} lines"
    return [Finding("activity log", not verdict.faults, detail)]
