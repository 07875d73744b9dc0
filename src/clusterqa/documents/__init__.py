"""
Reading: one file of the corpus → one Document, or UnreadableDocument with the reason and the next step.

    folder ─list_files─▶ (id, path) ─read─▶ Document

One module a format, each loaded when the first such file comes; `formats` lists them and says which a file is in, `encoding` turns bytes into text, `metadata` reads what is known about a document.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

from clusterqa.documents import marks
from clusterqa.documents.extract import Extract, check, faults, one_line
from clusterqa.documents.formats import FORMAT_OF_SUFFIX, MAX_FILE_BYTES, MEDIA_TYPES, Format, format_of
from clusterqa.documents.metadata import Metadata, language_of_name, parse, title_of_name
from clusterqa.errors import CorpusError, UnreadableDocument
from clusterqa.records import Document

__all__ = ["SUFFIXES", "check", "faults", "ignored_files", "is_long", "list_files", "read", "readers"]

SUFFIXES: tuple[str, ...] = tuple(FORMAT_OF_SUFFIX)
"""File name endings that are read, in lower case, without the dot."""

_SIDECARS = (".yaml", ".yml")
_LONGEST_NAME = 255
"""In bytes, as file systems have it; the name of a sidecar is as long as that of its document and an ending."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TEMPORARY = re.compile(r"~\$.*|.*~|#.*#|.*\.(?:sw[a-p]|tmp|temp|part|crdownload|bak|lock)", re.IGNORECASE)
_SYSTEM = frozenset({"thumbs.db", "desktop.ini"})


@cache
def readers() -> str:
    """A fingerprint of the code that reads documents: with another one a file may read otherwise."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def read(path: Path, document_id: str) -> Document:
    """
    Read the file at `path` as the document called `document_id` (its path below the corpus folder).

    Metadata come from, in this order: a sidecar (`report.pdf.yaml` beside `report.pdf`), the file itself, its
    name, its text. A document always has a title and a language. Raises UnreadableDocument, also when a parser
    breaks down over the file: one file never stops the rest.
    """
    document_id = unicodedata.normalize("NFC", document_id)
    raw = _bytes(path, document_id)
    format = format_of(raw, path.name, document_id)
    try:
        extract = _extract(format, raw, document_id)
    except RecursionError as error:
        raise UnreadableDocument(
            document_id, "Its parts lie in each other too deeply.", "Save it again in a simpler form."
        ) from error
    except (UnreadableDocument, MemoryError):
        raise
    except ImportError as error:
        raise UnreadableDocument(
            document_id, f"What reads such files is not installed ({error}).", "Install it: pip install clusterqa"
        ) from error
    except Exception as error:
        raise UnreadableDocument(
            document_id,
            f"The program that reads it broke down ({type(error).__name__}: {one_line(str(error))[:120]}).",
            "Save it from its source in another format, and report the file.",
        ) from error
    sidecar, warnings = _sidecar(path)
    found = _without_nul(sidecar.over(extract.metadata))
    named = language_of_name(document_id)
    warnings = [*extract.warnings, *warnings]
    if named and found.language and named != found.language:
        warnings.append(f"Its name says “{named}”, its metadata say “{found.language}”; the metadata count.")
    if not extract.blocks:
        why = " ".join(["There is no text in it.", *extract.warnings])
        raise UnreadableDocument(document_id, why, "Put text into it or remove it.")
    document = Document(
        id=document_id,
        text=extract.text,
        title=found.title or title_of_name(document_id),
        language=found.language or named or _detect(extract),
        blocks=extract.blocks,
        media_type=MEDIA_TYPES[format],
        url=found.url,
        date=found.date,
        publisher=found.publisher,
        tags=found.tags,
        sources=found.sources,
        translation_of=found.translation_of,
        valid_until=found.valid_until,
        review_by=found.review_by,
        pages=extract.pages,
        warnings=tuple(warning.replace("\0", " ") for warning in warnings),
    )
    return marks.applied(document, sidecar.left_out)


def list_files(corpus: Path) -> list[tuple[str, Path]]:
    """
    The files below a folder that can be read, as (id, path), in the order of their ids.

    An id is the path below the folder with forward slashes, in NFC. Left out: hidden files and folders,
    sidecars, what editors leave behind, links that lead out of the folder. Raises CorpusError when the folder
    is not there.
    """
    return [(name, path) for name, path, wanted in _walk(corpus) if wanted]


def ignored_files(corpus: Path) -> list[tuple[str, Path]]:
    """
    The files that a person may have meant to be read but that are not, as (id, path), in the order of their
    ids.

    Those with another suffix, those whose name is not valid Unicode or too long, and the second of two whose names
    differ only in how Unicode writes their letters. Hidden, temporary and sidecar files are not among them.
    """
    return [(name, path) for name, path, wanted in _walk(corpus) if not wanted]


def _walk(corpus: Path) -> list[tuple[str, Path, bool]]:
    """
    (id, path, whether it is read) of every file that is not hidden, temporary, a sidecar or outside the
    folder.
    """
    if not corpus.is_dir():
        raise CorpusError(
            f"There is no folder {corpus}. Make it and put documents into it, or name another: --corpus DIR"
        )
    root = corpus.resolve()
    found: list[tuple[str, Path, bool]] = []
    taken: set[str] = set()
    for folder, folders, files in os.walk(corpus, onerror=_raise_unlistable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        present = set(files)
        # A name already in NFC comes before one that becomes the same by normalising.
        for file in sorted(files, key=lambda name: (unicodedata.normalize("NFC", name) != name, name)):
            path = Path(folder, file)
            if file.startswith(".") or _TEMPORARY.fullmatch(file) or file.lower() in _SYSTEM:
                continue
            stem, dot, suffix = file.rpartition(".")
            if dot + suffix.lower() in _SIDECARS and stem in present and _is_read(stem):
                continue
            if not _is_file_inside(path, root):
                continue
            name = unicodedata.normalize("NFC", path.relative_to(corpus).as_posix())
            wanted = _is_read(file) and not is_long(file) and name not in taken
            try:
                name.encode()
            except UnicodeEncodeError:
                name, wanted = os.fsencode(name).decode("utf-8", "backslashreplace"), False
            if _CONTROL.search(name):  # a terminal would obey them, and no address leads to a line break
                name, wanted = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", name), False
            if wanted:
                taken.add(name)
            found.append((name, path, wanted))
    return sorted(found, key=lambda item: (item[0], str(item[1])))


def _raise_unlistable(error: OSError) -> None:
    raise CorpusError(
        f"The folder {error.filename} cannot be listed: {error.strerror}. Check its permissions."
    ) from error


def is_long(file: str) -> bool:
    """Whether a name leaves no room for that of a sidecar."""
    return len(os.fsencode(file + _SIDECARS[0])) > _LONGEST_NAME


def _is_read(file: str) -> bool:
    return file.rpartition(".")[2].lower() in FORMAT_OF_SUFFIX and "." in file


def _is_file_inside(path: Path, root: Path) -> bool:
    if not path.is_symlink():
        return path.is_file()  # leaves out sockets, pipes and devices
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # it leads nowhere, or round in a circle
        return False
    return target.is_file() and target.is_relative_to(root)


def _bytes(path: Path, document: str) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableDocument(
                document,
                f"It is larger than {MAX_FILE_BYTES // 1_000_000} MB.",
                "Split it into several documents.",
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableDocument(document, "The file is not there.", "Check its name.") from error
    except IsADirectoryError as error:
        raise UnreadableDocument(document, "It is a folder.", "Name the files in it.") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UnreadableDocument(
            document, f"It cannot be opened: {why}.", "Check its permissions and the disk."
        ) from error


def _extract(format: Format, raw: bytes, document: str) -> Extract:
    """
    Hand the bytes to the module of the format; each is imported when it is needed, as the libraries are
    heavy.
    """
    if format in ("markdown", "plain"):
        return _extract_text(format, raw, document)
    module = importlib.import_module(f"clusterqa.documents.{format}")
    extract: Callable[[bytes, str], Extract] = module.extract
    return extract(raw, document)


def _extract_text(format: Format, raw: bytes, document: str) -> Extract:
    from clusterqa.documents import encoding, markdown, plain

    text, warnings = encoding.decode(raw, document)
    extract = markdown.extract(text) if format == "markdown" else plain.extract(text)
    return replace(extract, warnings=(*warnings, *extract.warnings))


def _sidecar(path: Path) -> tuple[Metadata, list[str]]:
    """
    What the file beside a document says about it; a broken one is a warning, as the document itself is whole.
    """
    for suffix in _SIDECARS:
        sidecar = path.with_name(path.name + suffix)
        if not sidecar.is_file():
            continue
        try:
            text = sidecar.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            return Metadata(), [f"{sidecar.name} cannot be read ({why}); its fields are left out."]
        return parse(re.sub(r"\A---[ \t]*\r?\n", "\n", text), first_line=1, place=sidecar.name)
    return Metadata(), []


def _without_nul(found: Metadata) -> Metadata:
    """YAML can write the character NUL, and e-mail can hide it; not every database keeps it."""

    def plain(text: str) -> str:
        return text.replace("\0", " ").strip()

    told = {field.name: getattr(found, field.name) for field in fields(found)}
    for name, value in told.items():
        told[name] = tuple(filter(None, map(plain, value))) if isinstance(value, tuple) else value and plain(value)
    return Metadata(**told)


def _detect(extract: Extract):  # type: ignore[no-untyped-def]
    from clusterqa.text.language import detect_document

    return detect_document("\n".join(extract.text[b.start : b.end] for b in extract.blocks))
