"""Characters that make a text read otherwise than it is stored are found, and nothing that is honest is."""

from __future__ import annotations

import io
import json
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.cli import cli
from clusterqa.deceptive import findings, visible, warnings
from clusterqa.records import Document
from clusterqa.staff.drafts import Drafts
from clusterqa.web.staff.words_documents import told_remark

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("text", "kind", "start", "end", "shown"),
    [
        ("Kaina \u202e005 1\u202c Eur", "direction", 6, 7, "U+202E"),
        ("a \u2066b\u2069", "direction", 2, 3, "U+2066"),
        ("bron\u200bza", "hidden", 4, 5, "U+200B"),
        ("a\ufeffb", "hidden", 1, 2, "U+FEFF"),
        ("x\U000e0041", "hidden", 1, 2, "U+E0041"),
        ("a\u200db", "hidden", 1, 2, "U+200D"),
        ("žr. bronz\u0430 ir kt.", "look_alike", 4, 10, "bronz[U+0430]"),
        ("\u0405idabras", "look_alike", 0, 8, "[U+0405]idabras"),
        ("\u0391uksas", "look_alike", 0, 6, "[U+0391]uksas"),
        ("\uff22ronza", "look_alike", 0, 6, "[U+FF22]ronza"),
        ("\U0001d401\U0001d42b", "look_alike", 0, 2, "[U+1D401][U+1D42B]"),
    ],
)  # fmt: skip
def test_what_deceives_is_found_where_it_stands(text: str, kind: str, start: int, end: int, shown: str) -> None:
    first = findings(text)[0]
    assert (first.kind, first.start, first.end, first.shown) == (kind, start, end, shown)


@pytest.mark.parametrize(
    "text",
    [
        "", "Bronzos ženklas galioja dvejus metus – „taip“.", "\ufeffŽenklai", "Ąžuolas, ėjo ūkanų šilu į čia",
        "Москва, сахар, рост", "Αθήνα και άνθρωπος", "ΔT = 5 µm, α ir β, Ω", "Kau\u00adnas", "šeima 👨\u200d👩\u200d👧 ❤\ufe0f",
        "کتاب\u200cها", "क\u094d\u200dष", "ru\u0304ta su jungiamaisiais z\u030c", "H2O, m², 5 °C, № 7", "日本語 テキスト",
    ],
)  # fmt: skip
def test_what_is_honest_is_left_alone(text: str) -> None:
    assert findings(text) == []


def test_our_own_documents_are_honest() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "corpus").rglob("*.md")]
    assert len(texts) > 10
    assert [found for text in texts for found in findings(text)] == []


@given(st.text(st.characters(codec="utf-8")))
def test_every_finding_is_a_place_of_the_text_in_its_order_and_shows_nothing_of_what_it_names(text: str) -> None:
    found = findings(text)
    assert [finding.start for finding in found] == sorted(finding.start for finding in found)
    for finding in found:
        assert 0 <= finding.start < finding.end <= len(text)
        assert not findings(finding.shown)
        assert not any(unicodedata.category(sign) == "Cf" for sign in finding.shown)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from("\u202e\u2066\u2060"))
def test_a_character_that_deceives_is_found_wherever_it_is_put(text: str, sign: str) -> None:
    for place in (0, len(text) // 2, len(text)):
        assert place in [finding.start for finding in findings(text[:place] + sign + text[place:])]


def test_each_kind_is_told_once_with_a_count_and_a_line_in_both_languages() -> None:
    told = warnings("pirma\nantra\u202e \u202d\nbronz\u0430 \u200b")
    assert [sentence.split(": ")[-1] for sentence in told] == [
        "2, the first (U+202E) in line 2.",
        "1, the first (U+200B) in line 3.",
        "1, the first “bronz[U+0430]” in line 3.",
    ]
    for sentence in told:
        shown, language = told_remark(sentence, "lt")
        assert language == "lt" and "eilutėje" in shown
        assert told_remark(sentence, "en") == (sentence, "en")
    assert warnings("Bronzos ženklas") == []


def test_a_draft_that_deceives_says_so_and_its_bytes_stay(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    content = "# Kaina\n\nBronz\u0430 kainuoja \u202e005 1\u202c Eur.\n"
    draft, _ = drafts.take_in("kaina.md", io.BytesIO(content.encode()), "rasa", 10_000)
    read = Document("kaina.md", content, "Kaina", "lt", (), "text/markdown", warnings=("Other.",))
    drafts.keep_read(draft.id, read)
    document = drafts.read(draft)
    assert document is not None and document.text == content
    assert document.warnings[0] == "Other." and len(document.warnings) == 3
    assert drafts.path(draft).read_bytes() == content.encode()


def test_a_hidden_file_is_refused_in_words_and_the_others_are_added(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    hidden = tmp_path / ".secret.md"
    hidden.write_text("# Paslaptis\n", encoding="utf-8")
    words = ["add", str(hidden), "--corpus", str(tmp_path / "corpus"), "--data", str(tmp_path / "data")]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 1
    assert "begins with a dot" in result.output and "There already" not in result.output
    assert list((tmp_path / "corpus").iterdir()) == []


HOSTILE = "a\x1b]0;owned\x07 \x1b[2J\x9b31m\r\x7f\u2028\u202etxt.\u2066 žąsis\t\x00"


def test_nothing_that_a_terminal_obeys_is_left_and_json_stays_the_same_data() -> None:
    assert visible(HOSTILE) == (
        r"a\u001b]0;owned\u0007 \u001b[2J\u009b31m\u000d\u007f\u2028\u202etxt.\u2066 žąsis" + "\t" + r"\u0000"
    )
    assert visible("ąč „x“ – 5 €\n\x1b[1mbold\x1b[0m") == "ąč „x“ – 5 €\n\x1b[1mbold\x1b[0m"
    line = visible(json.dumps({"title": HOSTILE}, ensure_ascii=False))
    assert json.loads(line) == {"title": HOSTILE}
    assert visible(line) == line
