"""
Pictures of pages → a PDF that has their text under the pictures, by Tesseract where it is installed.

What comes out is read like any other PDF, so that nothing is recognised a second time, and what was recognised is the same
for as long as the document is there. Tesseract is a program of its own, called once a page; nobody has to have it.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from clusterqa.errors import UnreadableDocument

PICTURES = ("png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp")
"""File name endings of pictures whose words can be recognised."""
_READ_BY_PILLOW = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
"""Nothing else: of some formats it hands the file to another program."""
INSTALL = "apt-get install tesseract-ocr tesseract-ocr-lit"
LANGUAGES = ("lit", "eng")
DPI = 300
"""Dots an inch that a page is drawn with; what Tesseract was made for."""
MOST_PIXELS = 40_000_000
"""Of a page; a larger one is drawn smaller."""
DOUBTFUL = 60
"""Confidence (0–100) below which a word is told as doubtful."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What Tesseract says of a page: its number from 1, the mean confidence of its words (0–100), those that are doubtful."""

    page: int
    words: int
    confidence: float
    doubtful: tuple[str, ...]


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Which of our languages the Tesseract of this machine knows; none when it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    try:
        told = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(language for language in LANGUAGES if language in told.split())


def recognise(
    path: Path, name: str, pages: Collection[int], target: Path, progress: Callable[[int, int], None]
) -> list[Recognised]:
    """
    Recognise the pages (numbers from 1; all when there are none) of a PDF or a picture, and write the PDF to `target`.

    Other pages stay as they are. `progress` is told how many are done, and of how many. Works in the folder of `target`.
    Raises UnreadableDocument.
    """
    import pypdfium2
    from PIL import Image

    known = languages()
    if not known:
        raise UnreadableDocument(
            name, "Its text would have to be recognised, and Tesseract is not installed here.", f"Install it: {INSTALL}"
        )
    found: list[Recognised] = []
    made = pypdfium2.PdfDocument.new()
    try:
        source = pypdfium2.PdfDocument(path) if path.suffix.lower() == ".pdf" else None
        total = len(pages) if pages else len(source) if source else 1
        for number, picture in enumerate(_drawn(path, source), start=1):
            if source and pages and number not in pages:
                made.import_pages(source, [number - 1])
                continue
            progress(len(found), max(total, number))
            found.append(_page(picture(), number, known, target.parent))
            with_text = pypdfium2.PdfDocument(target.parent / "page.pdf")
            made.import_pages(with_text)
            with_text.close()
        made.save(target)
    except (
        pypdfium2.PdfiumError, OSError, ValueError, SyntaxError, subprocess.SubprocessError, Image.DecompressionBombError
    ) as error:  # fmt: skip
        raise UnreadableDocument(
            name,
            f"Its text cannot be recognised ({type(error).__name__}).",
            "Scan it again, or copy it from its source again.",
        ) from error
    if not any(page.words for page in found):
        raise UnreadableDocument(
            name, "No words were recognised in it.", "Scan it again, larger and with more contrast, or type its text."
        )
    return found


def _drawn(path: Path, source: Any) -> Iterator[Callable[[], Any]]:
    """Each page as something that draws it, as a Pillow image in shades of grey."""
    from PIL import Image, ImageSequence

    if source is None:
        with Image.open(path, formats=_READ_BY_PILLOW) as file:
            for frame in ImageSequence.Iterator(file):
                yield lambda frame=frame: _grey(frame)  # type: ignore[misc]
        return
    for page in source:
        width, height = page.get_size()
        scale = min(DPI / 72, (MOST_PIXELS / (width * height)) ** 0.5)
        yield lambda page=page, scale=scale: page.render(scale=scale, grayscale=True).to_pil()  # type: ignore[misc]


def _grey(frame: Any) -> Any:
    """A picture upright, on white where it is transparent, in shades of grey, and no larger than Tesseract can bear."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(frame)
    if "A" in upright.getbands() or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    grey = upright.convert("L")
    shrunk = (MOST_PIXELS / (grey.width * grey.height)) ** 0.5
    if shrunk < 1:
        grey.thumbnail((grey.width * shrunk, grey.height * shrunk))
    return grey


def _page(picture: Any, number: int, known: tuple[str, ...], folder: Path) -> Recognised:
    """Recognise one picture; its PDF is `page.pdf` in the folder then."""
    picture.save(folder / "page.jpg", quality=85, dpi=(DPI, DPI))
    subprocess.run(
        ["tesseract", str(folder / "page.jpg"), str(folder / "page"), "-l", "+".join(known), "--dpi", str(DPI), "pdf", "tsv"],
        stdin=subprocess.DEVNULL, capture_output=True, check=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    with (folder / "page.tsv").open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if (row["text"] or "").strip()
        ]
    sure = [float(row["conf"]) for row in rows]
    doubtful = tuple(
        dict.fromkeys(row["text"].strip() for row, conf in zip(rows, sure, strict=True) if conf < DOUBTFUL)
    )
    return Recognised(number, len(rows), sum(sure) / len(sure) if sure else 0.0, doubtful)
