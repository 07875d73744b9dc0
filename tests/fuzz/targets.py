"""
Every parser of ours with what is thrown at it.

A target reads one input and raises one of our errors or nothing. Its inputs are built of the pieces that its grammar is made of, so
that they get past the first look, and of damaged samples.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from clusterqa import backup, deceptive, documents
from clusterqa.cli.asking import read_questions
from clusterqa.documents import metadata, samples
from clusterqa.documents.formats import FORMAT_OF_SUFFIX
from clusterqa.errors import ClusterQAError, EvaluationError, UnreadableDocument
from clusterqa.evaluation.beir import read_beir
from clusterqa.evaluation.gate import Baseline
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.pool import read_pool
from clusterqa.evaluation.sets import read_set
from clusterqa.evaluation.trec import score
from clusterqa.passages import passage_texts, sentence_texts, split
from clusterqa.records import LANGUAGES, Question
from clusterqa.retrieval import small_talk, understand
from clusterqa.retrieval.profile import Profile
from clusterqa.text import analysis, answer_types, language, neighbours
from clusterqa.text.sentences import sentences
from words_encoder import WordsEncoder


@dataclass(frozen=True)
class Target:
    """`run` takes an input and a folder of its own for files; `inputs` and `repeated` are what it is given."""

    run: Callable[[Any, Path], object]
    inputs: st.SearchStrategy[Any]
    repeated: Sequence[Any] = ()
    """Short pieces, each repeated to 100 kB and more: where work grows with the square of a text, such a text shows it."""


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────

_WORDS = (
    "klasteris", "ženklas", "ąčęėįšųūž", "the gold label", "2 250 Eur", "EUR 2,250", "2026-11-23", "2026 m. kovo 5 d.", "p. 5", "e.g.", "pvz.",
    "UAB „Įmonė“", "Kas?", "Ne!", "…", "U.S.", "3.14", "§ 2", "1)", "a)", "\u0105\u0301", "\u202e", "\u200b", "\u00ad", "\ufeff", "😀", "ﬁ", "１２", "½", "\x00",
    "\x85", "\u2028", "\ud800", "\uffff", "ß", "İ", "ǅ", "e\u0301\u0301\u0301", "ـ", "שלום", "日本語", "don't", "O‘Brien", "http://a.lt/x?y=1#z", "a@b.lt", "www.a.lt",
)  # fmt: skip
_BLANKS = (" ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "\xa0", "\x0b", "\x0c")
_PUNCTUATION = tuple(".,;:!?()[]{}<>\"'„“”‘’«»–—-_*#|`~^=+&%$@/\\")
_MARKDOWN = (
    "# ", "## ", "###### ", "- ", "* ", "1. ", "> ", "```\n", "~~~\n", "    ", "| a | b |\n", "|---|:-:|\n", "|", "===\n", "---\n", "[a](b)", "![a](b)", "[a]: b\n",
    "[^1]", "[^1]: x\n", "<!-- ", " -->", "<div>\n", "</div>\n", "<b>", "\\", "**", "__", "~~", "$$", "$x$", "\\(", "\\[", "{#id}", ": ", "- [ ] ", "&amp;", "&#x;", "+++\n",
)  # fmt: skip
_MATTER = (
    "---\n", "---", "...\n", "title: ", "language: lt\n", "date: 2024-02-30\n", "tags: [a, b]\n", "tags:\n  - a\n", "translation_of: x\n", "sources: ", "url: javascript:x\n", "&a ", "*a", "!!python/object ",
    "!!binary ", "? ", ": ", "{", "}", "[", "]", "|\n", ">\n", "'", '"', "0x1F", "1e999", "~", "null", "2024-01-01T00:00:00Z", "<<: *a\n", "%YAML 1.1\n", "\t", "12:30:45", ".inf", "!!set {a}",
)  # fmt: skip
_HTML = (
    "<html>", "<body>", "<main>", "<p>", "</p>", "<h1>", "</h1>", "<h7>", "<table>", "<tr>", "<td colspan=9999999>", "<td rowspan=2>", "</table>", "<ul>", "<li>", "<ol start=x>", "<script>", "</script>",
    "<!--", "-->", "<![CDATA[", "]]>", "<br/>", "<a href='", "'>", "<svg>", "<math>", "<meta charset=utf-7>", "<title>", "</title>", "<pre>", "&lt;", "&#0;", "&#x110000;", "&nbsp;", "<details>", "<template>", "<p hidden>",
)  # fmt: skip
_RTF = (
    "{", "}", "\\rtf1", "\\ansi", "\\ansicpg1257", "\\u261?", "\\u-1?", "\\uc2", "\\'e0", "\\par ", "\\pard", "\\trowd", "\\cell ", "\\row ", "\\*", "\\fonttbl", "\\pict", "\\bin99999 ", "\\b", "\\b0 ",
    "\\field", "\\fldinst ", "\\listtext ", "\\'", "\\u", "\\", "\\u99999999999?", "\\ucX",
)  # fmt: skip
_EML = (
    "From: a@b.lt\n", "Subject: ", "=?utf-8?q?=C4=85?=", "=?x?b?!!?=", "Date: Mon, 99 Foo 2024\n", "Content-Type: text/plain; charset=x\n", "Content-Type: multipart/mixed; boundary=b\n", "--b\n", "--b--\n",
    "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "=\n", "=ZZ", "Content-Type: text/html\n", "\n", "Content-Type: message/rfc822\n", "Content-Disposition: attachment; filename*=x''%ff\n", "To: <", ">;", "Date: \n",
)  # fmt: skip
_CSV = (",", ";", "\t", '"', '""', "\n", "a", "1,5", "=1+1", "\r\n", "sep=;\n", "|")
_XML = (
    "<", ">", "/>", "<w:p>", "</w:p>", "<w:r>", "<w:t>", "<w:tbl>", "<a:t>", "<text:p>", "<text:s text:c='999999999'/>", "<table:table-cell table:number-columns-repeated='99999999'/>", "<c r='ZZZ99999999' t='s'>", "<v>", "9999", "-1", "NaN", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;",
    "<w:gridSpan w:val='99999'/>", "<row r='0'>", "<!--", "<m:oMath>", "<w:numPr>", "<w:ilvl w:val='x'/>", "xmlns:w='x'", "\x00", "<mergeCell ref='A1:ZZ9'/>",
)  # fmt: skip
_SAID = (
    "Labas", "Ačiū", "kas tu", "o kiek", "what about", "and then", "kiek kainuoja", "how much", "when", "kada", "Where is it?", "help", "ate", "!", "?", "„", "“", "jis", "it", "hi there", "viso gero", "thanks", "gold",
)  # fmt: skip
_JSON = (
    "{", "}", "[", "]", ",", ":", '"id"', '"question"', '"language"', '"lt"', '"answer"', '"document"', '"quote"', '"history"', "1", "1e999", "-0", "NaN", "null", "true", '""', '"\\ud800"', "\n", "[" * 3000, '{"id": "a", "question": "b", "language": "lt"}\n',
    '{"_id": "1", "text": "x"}\n', "1e400", "9" * 5000, '"short"', '"pair"',
)  # fmt: skip
_LINES = (
    "q1 0 d1 1\n",
    "q1 Q0 d1 1 0.5 tag\n",
    "q1\td1\t1\n",
    "query-id\tcorpus-id\tscore\n",
    " ",
    "\t",
    "\n",
    "nan",
    "inf",
    "-1",
    "1e999",
    "0.5",
    "q2",
    "d2",
    "９",
    "_",
    "1_0",
    "\ufeff",
    "#",
)


def text_of(*pieces: str) -> st.SearchStrategy[str]:
    """Texts of these pieces, of words, blanks and punctuation, of anything; some pieces many times over."""
    piece = st.one_of(
        st.sampled_from(pieces or _WORDS), st.sampled_from(_WORDS), st.sampled_from((*_BLANKS, *_PUNCTUATION)), st.text(max_size=8)
    )  # fmt: skip
    repeated = st.builds(lambda part, times: part * times, piece, st.integers(1, 60))
    return st.lists(st.one_of(piece, piece, repeated), max_size=40).map("".join)


def mutated(sample: bytes) -> st.SearchStrategy[bytes]:
    """The sample with some bytes changed, taken out, put in or doubled."""
    change = st.tuples(st.integers(0, len(sample)), st.integers(0, 30), st.one_of(st.binary(max_size=12), st.none()))

    def apply(changes: Sequence[tuple[int, int, bytes | None]]) -> bytes:
        content = sample
        for at, length, coming in changes:
            middle = content[at : at + length] * 2 if coming is None else coming
            content = content[:at] + middle + content[at + length :]
        return content

    return st.lists(change, min_size=1, max_size=6).map(apply)


def _unpacked(sample: bytes) -> dict[str, bytes]:
    """The parts of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(sample)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def _packed(parts: Mapping[str, bytes], changed: str, content: bytes | None) -> bytes:
    """The archive of these parts, one of them with another content; without it where that is None."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, own in parts.items():
            if (kept := content if name == changed else own) is not None:
                archive.writestr(name, kept)
    return file.getvalue()


def repacked(sample: bytes) -> st.SearchStrategy[bytes]:
    """The zip archive with one of its parts damaged, lost, or with foreign pieces in it; it can still be unpacked."""
    parts = _unpacked(sample)

    def damaged(name: str) -> st.SearchStrategy[bytes | None]:
        own = parts[name]
        inserted = st.builds(
            lambda at, pieces: own[:at] + "".join(pieces).encode("utf-8", "surrogatepass") + own[at:],
            st.integers(0, len(own)), st.lists(st.sampled_from(_XML), min_size=1, max_size=4),
        )  # fmt: skip
        return st.one_of(st.none(), mutated(own), inserted)

    return st.sampled_from(sorted(parts)).flatmap(
        lambda name: damaged(name).map(lambda content: _packed(parts, name, content))
    )


# ── what reads them ─────────────────────────────────────────────────────────────────────────────────────────────


def reading(suffix: str) -> Callable[[bytes | str, Path], object]:
    """A file of this format through `documents.read`, on to its passages; a reader that broke down is a fault of ours."""

    def run(content: bytes | str, folder: Path) -> object:
        path = folder / f"file.{suffix}"
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        try:
            document = documents.read(path, path.name)
        except UnreadableDocument as error:
            assert "broke down" not in error.reason, error.reason
            return None
        assert documents.faults(document) == []
        for passage in split(document, 600):
            assert document.text[passage.start : passage.end] == passage.text
            sentence_texts(passage)
            passage_texts(document.title, passage)
        return document

    return run


def on_text(function: Callable[[str], object]) -> Callable[[str, Path], object]:
    return lambda text, _: function(text)


def on_file(name: str, read: Callable[[Path], object]) -> Callable[[str, Path], object]:
    def run(text: str, folder: Path) -> object:
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        return read(folder / name)

    return run


def _sentences(text: str) -> None:
    for tongue in LANGUAGES:
        end = 0
        for span in sentences(text, language=tongue):
            assert end <= span.start < span.end <= len(text)
            end = span.end


def _analysis(text: str) -> None:
    for word in analysis.words(text):
        analysis.terms(word)
        analysis.is_stop_word(word)
        for tongue in LANGUAGES:
            analysis.term_in(word, tongue)
    analysis.content_words(text)
    found = analysis.searchable(text)
    analysis.origin(text, 0, len(found))


def _language(text: str) -> None:
    language.detect(text)
    language.detect_document(text)
    assert 0 <= language.lithuanian_probability(text) <= 1


def _metadata(text: str) -> None:
    _, length, _ = metadata.front_matter(text)
    assert 0 <= length <= len(text)
    metadata.parse(text, 1, "here")
    for function in (
        metadata.language_of,
        metadata.language_of_name,
        metadata.iso_date,
        metadata.web_address,
        metadata.document_id,
        metadata.title_of_name,
    ):
        function(text)


def _question(text: str) -> None:
    encoder = WordsEncoder()
    understand.understand(Question(text, (text, "Kiek kainuoja aukso ženklas?")), encoder, 0.8)
    understand.understand(Question("o sidabro?", (text,)), encoder, 0.8)
    understand.is_follow_up(text)
    small_talk.recognised(text)
    small_talk.question_in(text)
    answer_types.expected(text)
    answer_types.holds(text, "money")
    neighbours.neighbour(text)


def _qrels(text: str, folder: Path) -> None:
    (folder / "good.run").write_text("q1 Q0 d1 1 0.5 tag\n")
    (folder / "qrels").write_bytes(text.encode("utf-8", "surrogatepass"))
    score(folder / "good.run", folder / "qrels")


def _run_file(text: str, folder: Path) -> None:
    (folder / "good.qrels").write_text("q1 0 d1 1\n")
    (folder / "run").write_bytes(text.encode("utf-8", "surrogatepass"))
    score(folder / "run", folder / "good.qrels")


def _beir(parts: tuple[str, str, str], folder: Path) -> None:
    (folder / "qrels").mkdir(exist_ok=True)
    for name, text in zip(("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"), parts, strict=True):
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    read_beir(folder)


def _settings(text: str, folder: Path) -> None:
    import os

    from clusterqa.settings import Settings

    here = os.getcwd()
    os.chdir(folder)
    try:
        Path("clusterqa.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        Settings.load()
    finally:
        os.chdir(here)


_TOML = (
    'corpus = "a"\n', 'data = ""\n', "port = 0\n", "port = '7'\n", "threads = 1e9\n", "[contact.lt]\n", 'name = "x"\n', "[contact]\n", "contact = 3\n", "proxy = '*'\n", "hosts = 'a b'\n", "= ", '"', "'''", "[[x]]\n", "1979-05-27", "nan", "\\u0000", "rate_limit = -1\n", "mcp_key = ''\n", "x.y.z = 1\n", "unknown = 1\n",
    "retention_days = 99999999999999999999\n", "session_hours = inf\n", 'frame_ancestors = "https://a.lt "\n',
)  # fmt: skip
_PROFILE = json.dumps(
    {"encoder": "e", "reranker": "r", "reader": "none", "search": {}, "calibration": {"weights": {}, "outcomes": []}}
)

_BASELINE = json.dumps(
    {"questions_sha256": "q", "encoder": "e", "floors": {"lt→lt hit@1": {"value": 0.5, "questions": 2}}}
)


def _saved() -> bytes:
    """A backup of one document."""
    content = b"# Title\n\nText.\n"
    member = {
        "path": "corpus/a.md",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "mtime_ns": 1,
        "mode": 0o600,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("corpus/a.md", content)
        archive.writestr(
            "manifest.json", json.dumps({"format": 1, "clusterqa": "x", "made_at": "x", "files": [member]})
        )
    return file.getvalue()


def _backup(content: bytes, folder: Path) -> None:
    (folder / "saved.zip").write_bytes(content)
    backup.check(folder / "saved.zip")


_LONG = (
    "a", "ą", " ", "\n", "a ", "a.", "a. ", ". ", "„", "“", "(", ")", "[", "]", "[a", "](", "![", "<", "<a", "<!--", "&", "&amp;", "#", "# a\n", "- ", "- a\n", "  - a\n", "1. a\n", "> ", ">", "|", "| a ", "|a|\n", "|-", "`", "``a", "*", "**a", "_a", "~", "\\", "$", "$a", ":", "a:", "---\n", "===\n",
    "\u0301", "\u200b", "\u202e", "1", "1 ", "1.", "1,", "2026-", "A.", "A. ", "p. ", "pvz. ", "a-", "-", "–", "'", '"', "\r", "\t", "\x00", "a\n", "a\n\n", "http://", "www.", "a@", "@", "/", "EUR ", "1 000 ", "Eur ", "o ", "ir ", "what about ", "kas tu ", "labas ", "thanks ", "[^1]: a\n", "[a]: b\n", "```\n", "x, ",
)  # fmt: skip


def documents_of(suffix: str, *pieces: str) -> Target:
    sample = samples.SAMPLES[FORMAT_OF_SUFFIX[suffix]]()
    kinds: list[st.SearchStrategy[Any]] = [mutated(sample)]
    if pieces:
        kinds.append(text_of(*pieces))
    if sample.startswith(b"PK"):
        kinds.append(repacked(sample))
    head = {
        "rtf": r"{\rtf1\ansi ",
        "html": "<html><body><main><p>Klasteris yra įmonių grupė.</p>",
        "eml": "From: a@b.lt\nSubject: x\n\n",
    }.get(suffix, "")
    if head:
        kinds.append(text_of(*pieces).map(lambda text: head + text))
    return Target(reading(suffix), st.one_of(kinds), [(head, piece) for piece in (*pieces, *_LONG)] if pieces else [])


TARGETS: dict[str, Target] = {
    "markdown": documents_of("md", *_MARKDOWN, *_MATTER[:8]),
    "plain": documents_of("txt", *_MARKDOWN[:12]),
    "html": documents_of("html", *_HTML),
    "rtf": documents_of("rtf", *_RTF),
    "eml": documents_of("eml", *_EML),
    "csv": documents_of("csv", *_CSV),
    "docx": documents_of("docx"),
    "odt": documents_of("odt"),
    "pptx": documents_of("pptx"),
    "xlsx": documents_of("xlsx"),
    "epub": documents_of("epub"),
    "pdf": documents_of("pdf"),
    "metadata": Target(on_text(_metadata), text_of(*_MATTER), [*_MATTER, *_LONG]),
    "sentences": Target(on_text(_sentences), text_of(), [*_WORDS, *_LONG]),
    "analysis": Target(on_text(_analysis), text_of(), [*_WORDS, *_LONG]),
    "language": Target(on_text(_language), text_of(), [*_WORDS, *_LONG]),
    "question": Target(on_text(_question), text_of(*_SAID), [*_SAID, *_LONG]),
    "deceptive": Target(on_text(deceptive.warnings), text_of(), [*_WORDS, *_LONG]),
    "question set": Target(on_file("set.jsonl", read_set), text_of(*_JSON), _JSON),
    "qrels": Target(_qrels, text_of(*_LINES), _LINES),
    "run file": Target(_run_file, text_of(*_LINES), _LINES),
    "beir": Target(_beir, st.tuples(text_of(*_JSON), text_of(*_JSON), text_of(*_LINES))),
    "run": Target(
        on_file("run.json", Run.read),
        st.one_of(text_of(*_JSON), text_of(*_JSON).map(lambda text: "{" + text + "}")),
        _JSON,
    ),
    "profile": Target(
        on_file("profile.json", Profile.read),
        st.one_of(text_of(*_JSON), mutated(_PROFILE.encode()).map(lambda raw: raw.decode("latin-1"))),
        _JSON,
    ),
    "settings": Target(_settings, text_of(*_TOML), _TOML),
    "baseline": Target(
        on_file("baseline.json", Baseline.read),
        st.one_of(text_of(*_JSON), mutated(_BASELINE.encode()).map(lambda raw: raw.decode("latin-1"))),
        _JSON,
    ),
    "pool": Target(on_file("pool.jsonl", read_pool), text_of(*_JSON), _JSON),
    "questions": Target(on_file("asked.jsonl", lambda path: read_questions(path, None)), text_of(*_JSON), _JSON),
    "backup": Target(_backup, st.one_of(mutated(_saved()), repacked(_saved()))),
}
ERRORS = (ClusterQAError, EvaluationError)


def with_something_missing(sample: bytes) -> Iterator[tuple[str, bytes]]:
    """The zip archive without one of its parts, with an empty one, and without one kind of element or attribute of one; with what it is."""
    parts = _unpacked(sample)
    for name, own in parts.items():
        for told, content in (
            ("gone", None),
            ("empty", b""),
            ("another root", b"<a/>"),
            ("cut off", own[: len(own) // 2]),
        ):
            yield f"{name}: {told}", _packed(parts, name, content)
        yield f"{name}: no numbers", _packed(parts, name, re.sub(rb'="-?\d+"', b'="x"', own))
        yield f"{name}: no relations", _packed(parts, name, re.sub(rb' r:\w+="[^"]*"', b"", own))
        if "/theme/" in name:  # nothing of it is read
            continue
        for element in sorted(set(re.findall(rb"<([A-Za-z][\w:.-]*)", own))):
            tag = re.escape(element) + rb"(?=[\s/>])"
            less = re.sub(rb"<" + tag + rb"[^>]*/>|<" + tag + rb"[^>]*>.*?</" + tag + rb">", b"", own, flags=re.DOTALL)
            yield f"{name}: no {element.decode()}", _packed(parts, name, less)
        for attribute in sorted(set(re.findall(rb'\s([A-Za-z][\w:.-]*)="', own))):
            less = re.sub(rb"\s" + re.escape(attribute) + rb'="[^"]*"', b"", own)
            yield f"{name}: no attribute {attribute.decode()}", _packed(parts, name, less)
