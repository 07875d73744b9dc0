"""
Real files for the tests of reading: PDFs drawn letter by letter, Word documents, broken and locked ones.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import docx
import reportlab
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from clusterqa.documents import check, read
from clusterqa.documents.extract import Extract
from clusterqa.records import Document

FONT = "Lithuanian"
BOLD = "Lithuanian-Bold"


def reading(folder: Path, name: str, content: bytes | str) -> Document:
    """Write a file, read it, and hold the promises that every document keeps."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    document = read(path, name)
    check(document)
    return document


def shown(document: Document | Extract) -> list[tuple[str, str]]:
    """The blocks as (kind, text)."""
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def rows(document: Document | Extract) -> list[tuple[str, str]]:
    """The table rows as (header, text)."""
    return [(b.header, document.text[b.start : b.end]) for b in document.blocks if b.kind == "table_row"]


def _register(name: str, file: str) -> None:
    """
    Register reportlab's own Vera for Lithuanian text.

    Vera lacks most Lithuanian letters, so they borrow the shape of their plain ones. What a PDF reader gives
    back comes from the code points, not from the shapes, and those are right; so no font has to be installed
    for the tests.
    """
    font = TTFont(name, str(Path(reportlab.__file__).parent / "fonts" / file))
    borrowed = zip("ąčęėįšųūžĄČĘĖĮŠŲŪŽ„“–•\u0307\u030c", 'aceeisuuzACEEISUUZ""-o..', strict=True)
    for char, plain in borrowed:
        for table in (font.face.charToGlyph, font.face.charWidths):
            table.setdefault(ord(char), table[ord(plain)])
    pdfmetrics.registerFont(font)


_register(FONT, "Vera.ttf")
_register(BOLD, "VeraBd.ttf")


def make_pdf(*pages: Callable[[Canvas], None], **options: object) -> bytes:
    """A PDF with one page (A4, 595 × 842 points) for each function, which draws it."""
    file = io.BytesIO()
    canvas = Canvas(file, **options)
    for draw in pages:
        canvas.setFont(FONT, 10)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def lines(canvas: Canvas, left: float, top: float, texts: Iterable[str], size: float = 10, font: str = FONT) -> None:
    """Draw lines of text downwards from a place, 1.2 letter sizes apart; an empty one leaves a gap."""
    canvas.setFont(font, size)
    for number, text in enumerate(texts):
        if text:
            canvas.drawString(left, top - number * 1.2 * size, text)


def picture(canvas: Canvas) -> None:
    """Draw a page that is a picture, as a scanner leaves it."""
    from PIL import Image

    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, 595, 842)


def make_docx(fill: Callable[[docx.document.Document], None]) -> bytes:
    """A Word document that a function fills."""
    document = docx.Document()
    fill(document)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def make_zip(members: dict[str, bytes]) -> bytes:
    """A zip archive with these members, compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


_SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def make_word(body: str, **parts: str) -> bytes:
    """
    A Word document with this XML in its body, and parts by name (`footnotes`, `numbering`, `header1`, …): the XML
    inside the root element that each has. The relationship of a part is called by its name.
    """
    roots = {"header1": "hdr", "footer1": "ftr"}
    kinds = {"header1": "header", "footer1": "footer"}
    plain = "application/vnd.openxmlformats-officedocument.wordprocessingml."
    types = [f'<Override PartName="/word/document.xml" ContentType="{plain}document.main+xml"/>']
    links = []
    members = {}
    for name, content in parts.items():
        kind = kinds.get(name, name)
        types.append(f'<Override PartName="/word/{name}.xml" ContentType="{plain}{kind}+xml"/>')
        links.append(f'<Relationship Id="{name}" Type="{_RELATIONSHIPS}/{kind}" Target="{name}.xml"/>')
        root = roots.get(name, name)
        members[f"word/{name}.xml"] = f"<w:{root} {_SPACES}>{content}</w:{root}>"
    package = "http://schemas.openxmlformats.org/package/2006"
    members |= {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{"".join(types)}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="d" '
        f'Type="{_RELATIONSHIPS}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships">{"".join(links)}</Relationships>',
        "word/document.xml": f"<w:document {_SPACES}><w:body>{body}</w:body></w:document>",
    }
    return make_zip({name: content.encode() for name, content in members.items()})
