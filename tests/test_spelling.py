"""What the spelling check promises: it finds misspellings in every format, and its list of words stays honest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parent.parent / "tools" / "spelling.py"

# Two dictionaries small enough to know by heart: a base form, its flag, and the ending that the flag adds.
LITHUANIAN = ("SFX D Y 1\nSFX D as o as\n", ["tinklas/D", "gauna", "ir", "nuo"])
ENGLISH = ("SFX S Y 1\nSFX S 0 s .\n", ["cluster/S", "the", "wins", "label/S", "network/S"])


@pytest.fixture
def dictionaries(tmp_path: Path) -> Path:
    folder = tmp_path / "dictionaries"
    folder.mkdir()
    for name, (affixes, words) in (("lt_LT", LITHUANIAN), ("en_GB", ENGLISH)):
        (folder / f"{name}.aff").write_text(f"SET UTF-8\n{affixes}", encoding="utf-8")
        (folder / f"{name}.dic").write_text("\n".join([str(len(words)), *words]) + "\n", encoding="utf-8")
    return folder


def check(tmp_path: Path, dictionaries: Path, documents: dict[str, str], words: str = "") -> tuple[int, list[str]]:
    """Run the check over these documents; its exit status and the lines it prints, stderr included."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, text in documents.items():
        (corpus / name).write_text(text, encoding="utf-8")
    (tmp_path / "words.txt").write_text(words, encoding="utf-8")
    options = ("--corpus", corpus, "--words", tmp_path / "words.txt", "--dictionaries", dictionaries)
    run = subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True)
    return run.returncode, (run.stdout + run.stderr).strip().splitlines()


def test_a_misspelling_is_named_with_its_document_and_the_words_around_it(tmp_path: Path, dictionaries: Path) -> None:
    code, said = check(tmp_path, dictionaries, {"a.en.md": "The cluster wins the lable.", "b.lt.md": "Tinklo gauna."})
    assert code == 1
    assert said[0] == "a.en.md: lable  (… The cluster wins the lable. …)"
    assert said[-1] == "2 documents, 1 unknown words, 0 needless entries."


def test_a_right_text_passes_with_figures_addresses_possessives_and_hyphens(tmp_path: Path, dictionaries: Path) -> None:
    text = "The cluster’s label-network, https://xqz.example/qqq, klaster.lt, wins 2020-xx, ESQ-4i."
    assert check(tmp_path, dictionaries, {"a.en.md": text}) == (
        0, ["1 documents, 0 unknown words, 0 needless entries."],
    )  # fmt: skip


def test_the_front_matter_is_not_checked(tmp_path: Path, dictionaries: Path) -> None:
    text = "---\ntitle: Qqq\nlanguage: en\n---\nThe cluster wins.\n"
    assert check(tmp_path, dictionaries, {"a.md": text})[0] == 0


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Tinklo „cluster labels“ gauna.", True),
        ("Tinklo (cluster) gauna.", True),
        ("Tinklo Cluster gauna.", True),
        ("Tinklo cluster gauna.", False),
    ],
)
def test_english_words_pass_in_lithuanian_only_as_quotation_bracket_or_name(
    tmp_path: Path, dictionaries: Path, text: str, right: bool
) -> None:
    assert (check(tmp_path, dictionaries, {"a.lt.md": text})[0] == 0) is right


def test_an_accepted_word_bends_like_its_example_and_no_further(tmp_path: Path, dictionaries: Path) -> None:
    documents = {"a.lt.md": "Parkas gauna nuo parko ir parku."}
    code, said = check(tmp_path, dictionaries, documents, "# our words\nparkas/tinklas\n")
    assert (code, said[0].split("  ")[0]) == (1, "a.lt.md: parku")
    assert len(said) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("parkas\nzzz\n", "words.txt: zzz is used by no document, or the dictionary has it; take it out"),
        ("gauna\nparkas\n", "words.txt: gauna is used by no document, or the dictionary has it; take it out"),
        ("zzz\nparkas\n", "'parkas' stands after 'zzz'; keep the list sorted, each word once"),
        ("parkas/qqq\n", "parkas/qqq: no dictionary has the example 'qqq' as a base form"),
    ],
)
def test_the_list_of_accepted_words_is_kept_honest(
    tmp_path: Path, dictionaries: Path, words: str, complaint: str
) -> None:
    code, said = check(tmp_path, dictionaries, {"a.lt.md": "Parkas gauna."}, words)
    assert code == 1
    assert any(line.endswith(complaint) for line in said), said


def test_without_dictionaries_it_says_what_to_install(tmp_path: Path) -> None:
    code, said = check(tmp_path, tmp_path, {"a.lt.md": "Tinklas."})
    assert code == 1
    assert said[-1].endswith("Install them (Debian: apt-get install hunspell-lt hunspell-en-gb) or name their folder.")
