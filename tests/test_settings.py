"""Settings come from four places in a fixed order, and a wrong value is refused with the place it came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from clusterqa.errors import SettingsError
from clusterqa.settings import Settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_win_over_variables_over_the_file_over_defaults(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().port == 7860
    (here / "clusterqa.toml").write_text("port = 1001\n")
    assert Settings.load().port == 1001
    monkeypatch.setenv("CLUSTERQA_PORT", "1002")
    assert Settings.load().port == 1002
    assert Settings.load({"port": 1003}).port == 1003
    assert Settings.load({"port": None}).port == 1002  # a flag that was not given


def test_an_empty_variable_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERQA_PORT", "")
    assert Settings.load().port == 7860


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"), ("port", "65536"), ("port", "many"), ("threads", "0"), ("passage_chars", "99"),
        ("passage_chars", "4001"), ("refresh_seconds", "0"), ("refresh_seconds", "nan"), ("corpus", "  "), ("data", " "),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_the_place_it_came_from(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=f"^--{name.replace('_', '-')} has a wrong value '{value}'"):
        Settings.load({name: value})
    with monkeypatch.context() as patch:
        patch.setenv(f"CLUSTERQA_{name.upper()}", value)
        with pytest.raises(SettingsError, match=f"^the variable CLUSTERQA_{name.upper()} has a wrong value '{value}'"):
            Settings.load()
    (here / "clusterqa.toml").write_text(f'{name} = "{value}"\n')
    monkeypatch.setenv(f"CLUSTERQA_{name.upper()}", "")  # empty, so not the place
    with pytest.raises(SettingsError, match=rf"^clusterqa.toml \({name}\) has a wrong value '{value}'"):
        Settings.load()


def test_all_wrong_values_are_named_together(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "clusterqa.toml").write_text("threads = 0\n")
    monkeypatch.setenv("CLUSTERQA_PASSAGE_CHARS", "7")
    with pytest.raises(SettingsError) as caught:
        Settings.load({"port": 0})
    lines = sorted(line.split(" has")[0] for line in str(caught.value).splitlines())
    assert lines == ["--port", "clusterqa.toml (threads)", "the variable CLUSTERQA_PASSAGE_CHARS"]


def test_an_unknown_name_in_the_file_is_refused_with_the_known_ones(here: Path) -> None:
    (here / "clusterqa.toml").write_text("prot = 1001\n")
    with pytest.raises(SettingsError, match=r"^clusterqa.toml \(prot\): there is no setting of this name.*port"):
        Settings.load()


@pytest.mark.parametrize("content", [b"port = = 1", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_named(here: Path, content: bytes) -> None:
    (here / "clusterqa.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^clusterqa.toml cannot be read"):
        Settings.load()


def test_the_corpus_here_comes_before_the_packaged_one(here: Path) -> None:
    (here / "corpus").mkdir()
    assert (Settings.load().corpus, Settings.load().data) == (Path("corpus"), Path("data"))


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody")
    assert Settings.load({"corpus": "~/papers"}).corpus == Path("/somebody/papers")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings.load().port = 1


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())
