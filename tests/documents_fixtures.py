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

FONT = "Lithuanian"
BOLD = "Lithuanian-Bold"


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
