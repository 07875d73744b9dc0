"""What several test files share: settings in a folder of their own, an encoder for paper, the bundled encoder once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from clusterqa.corpus.sync import Report, update
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.ports import Encoder
from clusterqa.settings import Home, Settings
from clusterqa.staff.database import Database, open_database
from engines import postgres_address
from words_encoder import WordsEncoder

# How long an example takes depends on the machine: other work on it must not fail a test.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that the person who runs the tests has set must not change them."""
    for name in os.environ:
        if name.upper().startswith("CLUSTERQA_"):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "corpus").mkdir()
    return Settings(corpus=tmp_path / "corpus", data=tmp_path / "data")


@pytest.fixture
def words() -> WordsEncoder:
    return WordsEncoder()


@pytest.fixture
def write(settings: Settings) -> Callable[[str, str], Path]:
    """Writes a document into the corpus, as an editor would: in place."""

    def write(name: str, text: str) -> Path:
        path = settings.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def index(settings: Settings, words: WordsEncoder) -> Callable[..., Report]:
    """Brings the index in step with the corpus; by default with the encoder for paper."""

    def index(encoder: Encoder | None = None, rebuild: bool = False) -> Report:
        return update(settings, lambda: encoder or words, rebuild=rebuild)

    return index


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Where store, desk and journal are: in files, and in PostgreSQL. What holds here holds for both."""
    return Home(tmp_path / "data", "sqlite" if request.param == "sqlite" else postgres_address())


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    """The staff desk's book, as empty as it begins."""
    database = open_database(home)
    yield database
    database.close()


@pytest.fixture(scope="session")
def bundled_encoder() -> Iterator[SentenceEncoder]:
    """The encoder that ships with the package; for tests marked `encoder`."""
    yield SentenceEncoder.load(threads=1)
