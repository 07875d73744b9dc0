"""An index in a server: questions are answered from it as from memory; and what is the affair of each server alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from pymilvus import MilvusClient

from clusterqa import doctor
from clusterqa.cli import common
from clusterqa.errors import SettingsError, StoreError
from clusterqa.retrieval.profile import Profile
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Home, Settings
from clusterqa.store import open_index
from clusterqa.store.served import ServedIndex
from engines import here, postgres_address
from store_fixtures import DIMENSION, SERVED, Memory, put_drawn, remove, unit_rows
from words_encoder import WordTokens

PAGES = {
    "gold.en.md": "# Gold\n\nThe gold label has a price of 8,250 euro.\n",
    "silver.en.md": "# Silver\n\nThe silver label has a price too.\n",
    "auksas.lt.md": "# Auksas\n\nAukso ženklas kainuoja 8 250 eurų.\n",
}
QUESTIONS = (
    "What is the price of the gold label?",
    "Kiek kainuoja aukso ženklas?",
    "silver",
    "Who is the mayor of Paris?",
)


@pytest.fixture
def served(settings: Settings, write: Callable[[str, str], object], index: Callable[..., object]) -> Settings:
    """Settings of an indexed corpus that is searched in PostgreSQL."""
    for name, text in PAGES.items():
        write(name, text)
    index(WordTokens())
    return settings.model_copy(update={"index": f"pgvector:{postgres_address()}"})


@pytest.mark.parametrize("kind", SERVED)
def test_questions_are_answered_as_from_memory(
    kind: str, settings: Settings, write: Callable[[str, str], object], index: Callable[..., object]
) -> None:
    encoder = WordTokens()
    for name, text in PAGES.items():
        write(name, text)
    index(encoder)
    served = settings.model_copy(update={"index": SERVED[kind].address()})
    with (
        KnowledgeBase(settings, encoder, Profile.bundled()) as usual,
        KnowledgeBase(served, encoder, Profile.bundled()) as kb,
    ):
        for _ in range(2):
            for question in QUESTIONS:
                one, other = usual.ask(question), kb.ask(question)
                assert replace(other, id=None) == replace(one, id=None)
            write("bronze.en.md", "# Bronze\n\nThe price of the gold label falls to 5 euro in May.\n")
            index(encoder)
        assert kb.generation == usual.generation == 2
        assert [hit.source.document for hit in kb.search("bronze", 1)] == ["bronze.en.md"]


def test_the_doctor_counts_what_the_server_holds(served: Settings) -> None:
    encoder = WordTokens()
    told = {finding.what: finding for finding in doctor.examine(served, lambda: encoder)}
    assert told["vectors"].ok
    assert told["vectors"].detail == "the server holds 3 passages, 6 vectors, as the store does"
    address = served.index.removeprefix("pgvector:").partition("&schema=")
    with psycopg.connect(address[0]) as db:
        db.execute(f"DELETE FROM {address[2]}.units WHERE position = 1 AND passage = 1")
    (ghost,) = [finding for finding in doctor.examine(served, lambda: encoder) if finding.what == "vectors"]
    assert not ghost.ok
    assert "3 passages, 5 vectors, the store 3 and 6" in ghost.detail


def test_indexing_fills_the_server_and_empties_it_of_what_was_removed(served: Settings) -> None:
    encoder = WordTokens()
    common.update_index(served, encoder=lambda: encoder)
    address, _, schema = served.index.removeprefix("pgvector:").partition("&schema=")
    with psycopg.connect(address, autocommit=True) as db:
        documents = f"SELECT DISTINCT document FROM {schema}.passages ORDER BY 1"
        assert [name for (name,) in db.execute(documents)] == sorted(PAGES)
        (served.corpus / "gold.en.md").unlink()
        common.update_index(served, encoder=lambda: encoder)
        assert [name for (name,) in db.execute(documents)] == ["auksas.lt.md", "silver.en.md"]


@pytest.mark.parametrize("happens", ["the connection breaks", "the schema is dropped"])
def test_the_next_question_is_answered_again_after(happens: str) -> None:
    place = Memory()
    put_drawn(place.open(), "a.md")
    address = postgres_address()
    schema = address.partition("&schema=")[2]
    index = open_index(f"pgvector:{address}", place.open, DIMENSION, Home(Path("here")))
    index.refresh()
    query = unit_rows(1, seed=5)[0]
    before = index.nearest(query, 10)
    with psycopg.connect(address.partition("&schema=")[0], autocommit=True) as db:
        if happens == "the connection breaks":
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND query LIKE '%%' AND backend_type = 'client backend'"
            )
        else:
            db.execute(f"DROP SCHEMA {schema} CASCADE")
    with index.reading():
        assert index.nearest(query, 10) == before
    index.close()


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    place = Memory()
    index = open_index("pgvector:postgresql://me:s3cret@127.0.0.1:1/kb", place.open, DIMENSION, Home(Path("here")))
    with pytest.raises(StoreError) as refused:
        index.refresh()
    told = str(refused.value)
    assert told.startswith("The index at postgresql://127.0.0.1:1/kb (schema clusterqa) cannot be reached (")
    assert told.endswith('Start PostgreSQL, or correct the setting index; index = "faiss" goes without a server.')
    assert "s3cret" not in told


@pytest.mark.parametrize(
    "index", ["pgvector", "pgvector:", "pgvector:mysql://a/b", "chroma", "faiss:x", "pgvector:postgresql://a b"]
)
def test_an_index_that_there_is_none_of_is_refused_and_not_printed(index: str) -> None:
    with pytest.raises(SettingsError, match=r"^--index has a wrong value: String should match") as refused:
        Settings.load({"index": index})
    assert "b/" not in str(refused.value)
    assert "secret" not in repr(Settings(index="pgvector:postgresql://me:secret@here/kb"))


def test_an_index_in_milvus_is_found_again_by_the_next_process() -> None:
    place, address = Memory(), SERVED["milvus"].address()
    put_drawn(place.open(), "a.md")
    query = unit_rows(1, seed=5)[0]
    told = []
    for _ in range(2):  # when the last client is closed, Milvus Lite ends
        index = open_index(address, place.open, DIMENSION, Home(Path(here())))
        index.refresh()
        told.append((index.nearest(query, 10), [entry.passage for entry in index.fetch([1, 2])]))
        index.close()
    assert told[0] == told[1]


def test_what_went_from_milvus_is_deleted_by_the_change_after() -> None:
    """Until then somebody may be reading it."""
    place, address = Memory(), SERVED["milvus"].address()
    store = place.open()
    index = open_index(address, place.open, DIMENSION, Home(Path(here())))
    for name in ("a.md", "b.md"):
        put_drawn(store, name)
    index.refresh()
    path, _, name = address.removeprefix("milvus:").partition("?collection=")
    client = MilvusClient(path)

    def rows() -> int:
        return len(client.query(f"{name}_units_1", filter="id >= 0", output_fields=["id"]))

    remove(store, "a.md")
    index.refresh()
    assert rows() == 12
    remove(store, "b.md")
    put_drawn(store, "c.md")
    index.refresh()
    assert rows() == 12  # those of b and c
    assert isinstance(index, ServedIndex) and index.held() == {"passages": 2, "vectors": 6}
    client.close()
    index.close()


def test_a_milvus_that_is_not_there_is_named_without_its_password() -> None:
    index = open_index("milvus:http://me:s3cret@127.0.0.1:1/kb", Memory().open, DIMENSION, Home(Path(here())))
    with pytest.raises(StoreError) as refused:
        index.refresh()
    told = str(refused.value)
    assert told.startswith("The index at http://127.0.0.1:1/kb cannot be used (")
    assert told.endswith('index = "faiss" goes without.')
    assert "s3cret" not in told
