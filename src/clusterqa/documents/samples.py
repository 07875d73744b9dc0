"""One small file of every format, to try out the readers: which of them work here?"""

from __future__ import annotations

import importlib
import io
import zipfile
from collections.abc import Callable

from clusterqa.documents.formats import KINDS, Format
from clusterqa.errors import UnreadableDocument

WORD = "klasteris"
"""Stands in every sample."""


def broken_readers() -> list[tuple[str, str]]:
    """(name of the format, what is wrong) for each format whose sample cannot be read here; empty when all can."""
    broken = []
    for kind in KINDS:
        try:
            made = SAMPLES[kind.format]()
            if kind.format in ("markdown", "plain"):
                text = importlib.import_module(f"clusterqa.documents.{kind.format}").extract(made.decode()).text
            else:
                text = importlib.import_module(f"clusterqa.documents.{kind.format}").extract(made, "sample").text
            if WORD not in text:
                broken.append((kind.label, f"it reads {text[:40]!r}"))
        except UnreadableDocument as error:
            broken.append((kind.label, error.reason))
        except Exception as error:  # whatever a library does when it is broken or missing
            broken.append((kind.label, f"{type(error).__name__}: {error}"))
    return broken


def _zipped(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _pdf() -> bytes:
    drawn = f"BT /F1 12 Tf 72 700 Td ({WORD}) Tj ET"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(drawn)}>>\nstream\n{drawn}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    text = "%PDF-1.4\n" + "".join(f"{n} 0 obj\n{content}\nendobj\n" for n, content in enumerate(objects, start=1))
    return f"{text}trailer\n<</Root 1 0 R>>\n%%EOF\n".encode("ascii")


def _docx() -> bytes:
    import docx

    document = docx.Document()
    document.add_paragraph(WORD)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _pptx() -> bytes:
    import pptx

    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = WORD
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def _xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append((WORD, 1))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _odt() -> bytes:
    spaces = 'xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = f"<o:document-content {spaces}><o:body><o:text><t:p>{WORD}</t:p></o:text></o:body></o:document-content>"
    return _zipped(mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": content})


def _epub() -> bytes:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="a"/></spine></package>'
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="p.opf"/></rootfiles>'
        "</container>"
    )
    return _zipped(
        mimetype="application/epub+zip",
        **{
            "META-INF/container.xml": container,
            "p.opf": package,
            "a.xhtml": f"<html><body><p>{WORD}</p></body></html>",
        },
    )


SAMPLES: dict[Format, Callable[[], bytes]] = {
    "markdown": lambda: f"# {WORD}\n".encode(),
    "plain": lambda: f"{WORD}\n".encode(),
    "html": lambda: (
        f"<html><body><main><p>{WORD} yra įmonių grupė, kuri dirba kartu.</p></main></body></html>".encode()
    ),
    "pdf": _pdf,
    "docx": _docx,
    "odt": _odt,
    "rtf": lambda: rb"{\rtf1\ansi " + WORD.encode() + rb"\par}",
    "pptx": _pptx,
    "xlsx": _xlsx,
    "csv": lambda: f"{WORD},1\n".encode(),
    "epub": _epub,
    "eml": lambda: f"From: a@b.lt\nSubject: x\n\n{WORD}\n".encode(),
}
"""Format → what makes the bytes of a small file of it."""
