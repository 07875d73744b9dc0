"""
Whether the documents themselves are fit to be quoted: complete metadata, whole pairs, links, dates, typography.

    folder ─documents.read─▶ Document ─check_document─▶ Fault ─┐
                                 └──all of them──check_pairs, check_likeness─▶ Fault ─▶ CorpusReport

Nothing here needs the index or the encoder. A fault should be corrected before the document is published; a remark
is a matter of taste in print (non-breaking spaces) and never fails a check.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote

from clusterqa import documents
from clusterqa.documents.metadata import (
    Metadata,
    front_matter,
    language_of_name,
    parse,
    title_of_name,
    web_address,
)
from clusterqa.errors import UnreadableDocument
from clusterqa.passages import split
from clusterqa.records import Document, Language

Rule = Literal[
    "unreadable", "ignored", "metadata", "pair", "link", "duplicate", "sentence", "date", "unicode", "quotation marks", "space"
]  # fmt: skip

LONGEST_SENTENCE = 400
"""Characters; a longer sentence or table row fills the screen of a phone and cannot be read as an answer."""

LIKE = 0.5
"""
Share of the shorter document's runs of words that also stand in another of the same language: above it one of the two
should go. Documents on neighbouring topics of our corpus reach 0.12.
"""

RUN = 6
"""Words in such a run; runs of common phrases ("kaip nurodyta puslapyje be datos") are shorter."""

_MONTH_NAME = r"sausio|vasario|kovo|balandžio|gegužės|birželio|liepos|rugpjūčio|rugsėjo|spalio|lapkričio|gruodžio"
_WEB = re.compile(r"\bhttps?:/*[^\s<>|„“”\"\\]*|\bwww\.[^\s<>|„“”\"\\]+", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\n]*)\)")
_FIGURE_DATE = re.compile(
    r"(?<![\d./-])(?:\d{4}[./]\d{1,2}[./]\d{1,2}|\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2}))(?![\d/-]|\.\d)"
)
_IMPOSSIBLE = re.compile(
    rf"\b(?P<year>\d{{4}})\s+m\.\s+(?P<month>{_MONTH_NAME})\s+(?P<day>\d{{1,2}})\s+d\.|"
    r"\b(?P<eday>\d{1,2})\s+(?P<emonth>January|February|March|April|May|June|July|August|September|October|November|"
    r"December)\s+(?P<eyear>\d{4})\b"
)
_MONTHS = {
    **{name: number for number, name in enumerate(_MONTH_NAME.split("|"), start=1)},
    **{datetime.date(2000, number, 1).strftime("%B"): number for number in range(1, 13)},
}
_SPACE = re.compile(r"\d (?=\d{3}\b|m\.|d\.|Eur\b|proc\.|mln\.|tūkst\.|psl\.)")
"""Where Lithuanian print has a non-breaking space; English print has no such custom."""
_OPENING: dict[Language, tuple[str, str]] = {"lt": ("„", "“"), "en": ("“", "”")}
_TEXT_TYPES = ("text/markdown", "text/plain")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one document; `remark` when it fails no check. `line` is set for text files only."""

    document: str
    rule: Rule
    detail: str
    """What is wrong, and what to do."""
    line: int | None = None
    remark: bool = False

    @property
    def place(self) -> str:
        return f"{self.document}, line {self.line}" if self.line else self.document


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What was looked at and what was found, in the order of the documents' ids."""

    documents: int
    pairs: int
    found: tuple[Fault, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.found if not fault.remark)

    @property
    def remarks(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.found if fault.remark)


def check_corpus(corpus: Path, today: datetime.date | None = None) -> CorpusReport:
    """
    Look at every document of a folder; never raises for what it finds in one, CorpusError when there is no folder.

    `today` is the day after which a document's date counts as wrong.
    """
    read: list[Document] = []
    found = [
        Fault(name, "ignored", "It is not read: its type is not known, or its name cannot be used. Rename it or take it out.", remark=True)
        for name, _ in documents.ignored_files(corpus)
    ]  # fmt: skip
    for name, path in documents.list_files(corpus):
        try:
            document = documents.read(path, name)
        except UnreadableDocument as error:
            found.append(Fault(name, "unreadable", f"{error.reason} {error.next_step}"))
            continue
        read.append(document)
        found += _check_metadata(document, path, today or datetime.date.today())
        found += check_document(document, corpus)
    pairs, broken = check_pairs(read)
    found += [*broken, *check_likeness(read)]
    return CorpusReport(len(read), pairs, tuple(sorted(found, key=lambda f: (f.document, f.line or 0))))


def _check_metadata(document: Document, path: Path, today: datetime.date) -> Iterator[Fault]:
    """Whether the front matter, or the sidecar, states what a reader of a quote wants to know."""
    place = "front matter" if document.media_type in _TEXT_TYPES else f"sidecar {path.name}.yaml"
    for warning in document.warnings:
        yield Fault(document.id, "metadata", warning)
    stated = _stated(document, path)
    missing = []
    if stated.title is None and document.title == title_of_name(document.id):
        missing.append("title")
    if stated.language is None and language_of_name(document.id) is None:
        missing.append("language")
    if document.date is None:
        missing.append("date")
    if not document.sources:
        missing.append("sources")
    if missing:
        yield Fault(document.id, "metadata", f"There is no {', no '.join(missing)}; state it in the {place}.")
    if document.date and document.date > today.isoformat()[: len(document.date)]:
        yield Fault(document.id, "date", f"Its date, {document.date}, is still to come; correct it in the {place}.")
    for source in document.sources:
        if re.match(r"\w+:|www\.", source) and web_address(source) is None:
            yield Fault(document.id, "link", f"The source {source} is no address; correct it in the {place}.")


def _stated(document: Document, path: Path) -> Metadata:
    """What the front matter or the sidecar says; nothing is guessed from the text or the name."""
    if document.media_type in _TEXT_TYPES:
        return front_matter(document.text)[0]
    for suffix in (".yaml", ".yml"):
        sidecar = path.with_name(path.name + suffix)
        if sidecar.is_file():
            return parse(sidecar.read_text(encoding="utf-8", errors="replace"), first_line=1, place=sidecar.name)[0]
    return Metadata()


def check_document(document: Document, corpus: Path) -> Iterator[Fault]:
    """What is wrong with the text of one document; `corpus` is where links to other documents lead."""
    composed = unicodedata.normalize("NFC", document.text)
    if document.text != composed:
        place = next(
            (i for i, (a, b) in enumerate(zip(document.text, composed, strict=False)) if a != b), len(composed) - 1
        )
        detail = (
            f"Letters are written as letter and accent apart, first in {_excerpt(document, place)}; save it in NFC."
        )
        yield _fault(document, "unicode", place, detail)
    for passage in split(document, LONGEST_SENTENCE):
        for span in passage.sentences:
            length = span.end - span.start
            if length > LONGEST_SENTENCE:
                detail = (
                    f"A sentence of {length} characters cannot be quoted ({_excerpt(document, span.start)}); "
                    f"write several, of at most {LONGEST_SENTENCE}."
                )
                yield _fault(document, "sentence", span.start, detail)
    for block in document.blocks:
        yield from _check_links(document, block.start, block.end, corpus)
        yield from _check_dates(document, block.start, block.end)
        yield from _check_quotation_marks(document, block.start, block.end)
        # In other formats than text, reading may have made the spaces plain.
        if document.media_type in _TEXT_TYPES and document.language == "lt":
            for space in _SPACE.finditer(document.text, block.start, block.end):
                detail = f"A non-breaking space belongs in {_excerpt(document, space.start(), 12)}."
                yield _fault(document, "space", space.start(), detail, remark=True)


def _check_links(document: Document, start: int, end: int, corpus: Path) -> Iterator[Fault]:
    for found in _WEB.finditer(document.text, start, end):
        address = re.sub(r"[).,;:!?*_\]]+\Z", "", found.group())
        whole = address if "://" in address or not address.startswith("www.") else f"https://{address}"
        if web_address(whole) is None or "." not in whole.split("/")[2]:
            yield _fault(document, "link", found.start(), f"{address} is no whole address; write it in full.")
    if document.media_type != "text/markdown":
        return
    for found in _BRACKETED.finditer(document.text, start, end):
        target = found["target"].split(" ")[0].strip("<>")
        if not target or not found["text"].strip():
            yield _fault(document, "link", found.start(), f"The link {found.group()} lacks a text or a target.")
        elif not re.match(r"[a-z][a-z0-9+.-]*:|#|//", target, re.IGNORECASE):
            file = PurePosixPath(document.id).parent / unquote(target.split("#")[0])
            if not (corpus / file).is_file():
                yield _fault(
                    document, "link", found.start(), f"The link leads to {target}, which is not in the corpus."
                )


def _check_dates(document: Document, start: int, end: int) -> Iterator[Fault]:
    example = {"lt": "2024 m. kovo 5 d.", "en": "5 March 2024"}[document.language]
    text = _WEB.sub(lambda found: " " * len(found.group()), document.text[start:end])
    for found in _FIGURE_DATE.finditer(text):
        detail = f"The date {found.group()} can be read in two ways; write it as {example}"
        yield _fault(document, "date", start + found.start(), detail)
    for found in _IMPOSSIBLE.finditer(text):
        year, month, day = (found[name] or found[f"e{name}"] for name in ("year", "month", "day"))
        try:
            datetime.date(int(year), _MONTHS[month], int(day))
        except ValueError:
            yield _fault(document, "date", start + found.start(), f"There is no such day as {found.group()}")


def _check_quotation_marks(document: Document, start: int, end: int) -> Iterator[Fault]:
    """Marks in pairs, of the document's language; those of the other language may stand inside an English text."""
    opening, closing = _OPENING[document.language]
    text = document.text[start:end]
    wrong = '"«»' + ("”‟" if document.language == "lt" else "")
    for place, char in enumerate(text):
        if char in wrong and not (char == '"' and re.search(r"\d\Z", text[:place])):  # 5" is inches
            detail = f"The mark {char} in {_excerpt(document, start + place, 20)}; write {opening}…{closing}"
            yield _fault(document, "quotation marks", start + place, detail)
    if document.language == "en":
        text = re.sub("„[^“”]*[“”]", lambda found: " " * len(found.group()), text)
    depth = 0
    for place, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if depth < 0 or (char == "„" and document.language == "en"):
            detail = (
                f"The mark {char} in {_excerpt(document, start + place, 20)} has no partner; write {opening}…{closing}"
            )
            yield _fault(document, "quotation marks", start + place, detail)
            return
    if depth:
        place = start + text.rindex(opening)
        yield _fault(
            document, "quotation marks", place, f"Nothing closes {_excerpt(document, place, 20)}; add {closing}"
        )


def check_pairs(read: Iterable[Document]) -> tuple[int, list[Fault]]:
    """
    How many pairs of translations there are, and what is wrong with those that are promised.

    A name such as `ženklai.lt.md` promises its translation; so does `translation_of`. A document named without a language
    stands alone.
    """
    by_id = {document.id: document for document in read}
    by_topic: defaultdict[str, set[str]] = defaultdict(set)
    for name in by_id:
        if language_of_name(name):
            by_topic[_topic(name)].add(name)
    translated = {document.translation_of for document in by_id.values()}
    faults: list[Fault] = []
    pairs: set[frozenset[str]] = set()
    for name, document in by_id.items():
        original = document.translation_of
        if original:
            beside = PurePosixPath(name).with_name(original).as_posix() if "/" not in original else original
            original = beside if beside in by_id else original
            other = by_id.get(original)
            if other is None:
                faults.append(
                    Fault(name, "pair", f"It translates {original}, which is not there; add it or correct the name.")
                )
            elif other.language == document.language:
                faults.append(Fault(name, "pair", f"It translates {original}, but both are in the same language."))
            else:
                pairs.add(frozenset((name, original)))
                continue
        twins = [twin for twin in by_topic.get(_topic(name), ()) if language_of_name(twin) != language_of_name(name)]
        if twins and language_of_name(name):
            pairs.add(frozenset((name, sorted(twins)[0])))
        elif language_of_name(name) and name not in translated:
            wanted = {"lt": ".en.", "en": ".lt."}[language_of_name(name) or "lt"]
            twin = re.sub(r"\.(lt|en)\.(?=[^.]*\Z)", wanted, name, flags=re.IGNORECASE)
            faults.append(
                Fault(
                    name, "pair", f"Its translation {twin} is missing; write it, or name the file without a language."
                )
            )
    return len(pairs), faults


def _topic(name: str) -> str:
    """The name without language and suffix: "a/ženklai.lt.md" and "a/ženklai.en.pdf" are one topic."""
    return re.sub(r"\.(?:lt|en)\.[^./]*\Z", "", name, flags=re.IGNORECASE)


def check_likeness(read: Iterable[Document]) -> Iterator[Fault]:
    """Documents of one language that say nearly the same, each pair once, reported at the second of the two."""
    for language in ("lt", "en"):
        runs = {d.id: _runs(d) for d in read if d.language == language}
        for (one, its), (other, others) in combinations(sorted(runs.items()), 2):
            if its and others and (share := len(its & others) / min(len(its), len(others))) > LIKE:
                yield Fault(
                    other, "duplicate", f"{share:.0%} of its text also stands in {one}; keep one of the two, or merge them."
                )  # fmt: skip


def _runs(document: Document) -> frozenset[int]:
    words = re.findall(r"\w+", " ".join(document.text[b.start : b.end] for b in document.blocks).casefold())
    return frozenset(hash(tuple(words[i : i + RUN])) for i in range(max(0, len(words) - RUN + 1)))


def _fault(document: Document, rule: Rule, place: int, detail: str, remark: bool = False) -> Fault:
    line = document.text.count("\n", 0, place) + 1 if document.media_type in _TEXT_TYPES else None
    return Fault(document.id, rule, detail, line, remark)


def _excerpt(document: Document, place: int, around: int = 30) -> str:
    """The words around a place, to find it by."""
    return f"[{' '.join(document.text[max(0, place - around) : place + around].split())}]"
