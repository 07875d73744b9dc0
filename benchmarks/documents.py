"""
How fast documents are read: pages a second for each format, beside the bare text extraction of pdfium and python-docx.

    python benchmarks/documents.py [--pages 50]

Each file is made on the spot: pages of forty lines of a hundred letters, of which every fifth is a row of a table.
The median of three readings counts. A page of a format without pages is as much text.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from clusterqa.documents import read

WORDS = (
    "klasterio koordinatorius kviečia narius į susirinkimą kas mėnesį ir rašo protokolus apie bendrus darbus".split()
)
LINES = 40


def line(number: int) -> str:
    """A line of about a hundred letters, another one for each number."""
    start = number % len(WORDS)
    return f"{number} " + " ".join([*WORDS[start:], *WORDS[:start]][:12])


def make_pdf(pages: int) -> bytes:
    """Pages drawn line by line, every fifth a row of three cells."""
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file)
    for page in range(pages):
        canvas.setFont("Helvetica", 10)
        for number in range(LINES):
            height = 800 - 18 * number
            if number % 5:
                canvas.drawString(60, height, line(page * LINES + number).encode("ascii", "ignore").decode())
            else:
                for left, cell in zip((60, 250, 420), ("Bronzos", f"{number} 600 EUR", "du metai"), strict=True):
                    canvas.drawString(left, height, cell)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def make_docx(pages: int) -> bytes:
    """The same lines as paragraphs, and tables of eight rows."""
    import docx

    document = docx.Document()
    for page in range(pages):
        table = document.add_table(LINES // 5, 3)
        for number, row in enumerate(table.rows):
            for cell, text in zip(row.cells, ("Bronzos", f"{number} 600 EUR", "du metai"), strict=True):
                cell.text = text
        for number in range(LINES - LINES // 5):
            document.add_paragraph(line(page * LINES + number))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def make_markdown(pages: int) -> bytes:
    """The same lines as paragraphs, and one table a page."""
    parts = []
    for page in range(pages):
        rows = [f"| Bronzos | {number} 600 EUR | du metai |" for number in range(LINES // 5)]
        parts += ["| Ženklas | Kaina | Trukmė |\n|---|---|---|\n" + "\n".join(rows)]
        parts += [line(page * LINES + number) for number in range(LINES - LINES // 5)]
    return "\n\n".join(parts).encode()


def make_plain(pages: int) -> bytes:
    """The same lines, a blank one between two."""
    return "\n\n".join(line(number) for number in range(pages * LINES)).encode()


def make_html(pages: int) -> bytes:
    """The same lines in a page with a menu."""
    parts = []
    for page in range(pages):
        rows = "".join(f"<tr><td>Bronzos</td><td>{n} 600 EUR</td><td>du metai</td></tr>" for n in range(LINES // 5))
        parts.append(f"<table><tr><th>Ženklas</th><th>Kaina</th><th>Trukmė</th></tr>{rows}</table>")
        parts += [f"<p>{line(page * LINES + number)}</p>" for number in range(LINES - LINES // 5)]
    return f"<html><body><nav><a href='/'>Pradžia</a></nav><main>{''.join(parts)}</main></body></html>".encode()


def bare_pdf(raw: bytes) -> int:
    """The text of each page as pdfium gives it; how long it is."""
    import pypdfium2

    with pypdfium2.PdfDocument(raw) as file:
        return sum(len(file[number].get_textpage().get_text_bounded()) for number in range(len(file)))


def bare_docx(raw: bytes) -> int:
    """The text of each paragraph and cell as python-docx gives it; how long it is."""
    import docx

    document = docx.Document(io.BytesIO(raw))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return sum(map(len, [*(paragraph.text for paragraph in document.paragraphs), *cells]))


def seconds(work: Callable[[], object]) -> float:
    """The median of three."""
    found = []
    for _ in range(3):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def main() -> None:
    """Print a line for each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=50)
    pages = parser.parse_args().pages
    makers = {"pdf": make_pdf, "docx": make_docx, "html": make_html, "md": make_markdown, "txt": make_plain}
    bare = {"pdf": bare_pdf, "docx": bare_docx}
    print(f"{pages} pages of {LINES} lines\n{'format':8}{'pages/s':>10}{'bare, pages/s':>16}")
    with tempfile.TemporaryDirectory() as folder:
        for suffix, make in makers.items():
            raw = make(pages)
            path = Path(folder, f"a.lt.{suffix}")
            path.write_bytes(raw)
            ours = seconds(lambda path=path: read(path, path.name))  # type: ignore[misc]
            plain = f"{pages / seconds(lambda raw=raw, f=bare[suffix]: f(raw)):16.0f}" if suffix in bare else ""  # type: ignore[misc]
            print(f"{suffix:8}{pages / ours:10.0f}{plain}")


if __name__ == "__main__":
    main()
