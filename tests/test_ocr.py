"""Pictures of pages, before Tesseract sees them: upright, on white, and nothing that would start another program."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from clusterqa.documents import ocr
from clusterqa.errors import UnreadableDocument

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"


def drawn(path: Path) -> list[Image.Image]:
    return [picture() for picture in ocr._drawn(path, None)]


def test_a_transparent_picture_is_seen_on_white(tmp_path: Path) -> None:
    letters = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    letters.putpixel((1, 2), (0, 0, 0, 255))
    letters.save(tmp_path / "a.png")
    (grey,) = drawn(tmp_path / "a.png")
    assert (grey.mode, grey.getpixel((0, 0)), grey.getpixel((1, 2))) == ("L", 255, 0)


def test_a_photo_is_turned_as_the_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° to the right
    photo = Image.new("RGB", (30, 20), "white")
    photo.paste("black", (0, 0, 15, 20))
    photo.save(tmp_path / "a.jpg", exif=exif)
    (grey,) = drawn(tmp_path / "a.jpg")
    assert grey.size == (20, 30)
    assert int(grey.getpixel((10, 2))) < 50 and int(grey.getpixel((10, 27))) > 200  # type: ignore[arg-type]


def test_a_picture_of_several_pages_is_all_of_them_none_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "MOST_PIXELS", 5_000)
    pages = [Image.new("L", size) for size in ((100, 200), (10, 10))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert [picture.size for picture in drawn(tmp_path / "a.tif")] == [(50, 100), (10, 10)]


@pytest.mark.parametrize("content", [POSTSCRIPT, b"", b"GIF89a"], ids=["another program's", "empty", "broken"])
def test_what_is_no_picture_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    assert Image.open(io.BytesIO(POSTSCRIPT)).format == "EPS"  # what Pillow would hand to Ghostscript
    monkeypatch.setattr(ocr, "languages", lambda: ("lit",))
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableDocument) as error:
        ocr.recognise(tmp_path / "a.png", "a.png", (), tmp_path / "made.pdf", lambda done, total: None)
    assert error.value.reason.startswith("Its text cannot be recognised")
