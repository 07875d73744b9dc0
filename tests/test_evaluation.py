"""Sets, variants, runs and their tables, on a corpus of four pages."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import OSA

from clusterqa import documents
from clusterqa.errors import EvaluationError, IndexOutdated
from clusterqa.evaluation.gate import Baseline
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.run import run
from clusterqa.evaluation.sets import Gold, Item, digest, places, read_set, spans, stale
from clusterqa.evaluation.tables import as_table, confidence, latencies, refusals, soundness, variant_table
from clusterqa.evaluation.variants import _neighbours, variants, with_typo, without_diacritics
from clusterqa.retrieval.profile import Profile
from clusterqa.store import open_store
from clusterqa.text.analysis import fold
from evaluation_fixtures import (
    BRONZE_EN,
    BRONZE_LT,
    PAGES,
    build,
    outcome,
    run_of,
    write_set,
)
from words_encoder import WordsEncoder, WordTokens

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return build(tmp_path_factory.mktemp("evaluation"))


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    return read_set(write_set(tmp_path_factory.mktemp("set") / "questions.jsonl"))


@pytest.fixture(scope="module")
def made(settings, items):
    return run(items, settings, WordsEncoder())


def there(item: Item | None) -> Item:
    assert item is not None
    return item


def by_key(outcomes):
    return {(o.id, o.view): o for o in outcomes}


# ── sets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_wrong_line_of_a_set_is_named(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_text(
        '{"id": "a", "question": "x", "language": "de"}\nnot json\n{"id": "b", "question": " ", "language": "lt"}\n'
        '{"id": "c", "question": "x", "language": "lt"}\n{"id": "c", "question": "y", "language": "lt"}\n'
    )
    with pytest.raises(EvaluationError) as caught:
        read_set(path)
    for part in (
        "line 1: \"language\" is 'de'",
        "line 2:",
        'line 3: "question" is empty',
        "line 5: the id c is there twice",
    ):
        assert part in str(caught.value)
    assert "line 4" not in str(caught.value)


def test_the_examples_are_only_measured_in_both_languages_and_quote_the_corpus():
    examples = read_set(ROOT / "evaluation" / "examples" / "questions.jsonl")
    assert {item.split for item in examples} == {"held"}
    lithuanian, english = ([i for i in examples if i.language == language] for language in ("lt", "en"))
    assert [(i.pair, i.answers) for i in lithuanian] == [(i.pair, i.answers) for i in english]
    assert sum(not item.answers for item in examples) == 12
    quotes = {(gold.document, gold.quote) for item in examples for gold in item.answers}
    texts = {name: documents.read(ROOT / "corpus" / name, name).text for name, _ in quotes}
    assert [quote for name, quote in quotes if quote not in texts[name]] == []
    tuned_on = {(i.question, i.history) for i in read_set(ROOT / "evaluation" / "questions.jsonl") if i.split == "fit"}
    assert not tuned_on & {(i.question, i.history) for i in examples}
    floors = Baseline.read(ROOT / "evaluation" / "examples" / "baseline.json")
    assert floors.questions_sha256 == digest(examples)


def test_a_quote_is_found_wherever_it_stands_and_one_that_is_gone_is_said(tmp_path):
    settings = build(tmp_path, {"a.en.md": "# A\n\nGold is gold.\n\nSilver.\n\nGold is gold.\n"})
    item = read_set(
        write_set(
            tmp_path / "set.jsonl",
            [
                {
                    "id": "q",
                    "question": "gold?",
                    "language": "en",
                    "answer": [
                        {"document": "a.en.md", "quote": "Gold is gold."},
                        {"document": "a.en.md", "quote": "Gold is silver."},
                        {"document": "b.en.md", "quote": "Gold is gold."},
                    ],
                }
            ],
        )
    )
    with open_store(settings.home) as store:
        assert places(Gold("a.en.md", "Gold is gold."), store) == [(5, 18), (29, 42)]
        assert spans(item[0], store) == {"a.en.md": [(5, 18), (29, 42)]}
        assert stale(item, store) == ["q: not in a.en.md: Gold is silver.", "q: there is no document b.en.md"]


def test_the_digest_of_a_set_changes_with_a_question_and_not_with_their_order(items):
    changed = [replace(items[0], question="Other?"), *items[1:]]
    assert digest(items) == digest(list(reversed(items)))
    assert digest(items) != digest(changed)


# ── variants ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lithuanian_questions_have_a_variant_without_diacritics_and_one_with_one_slip(items):
    found = {(variant.id, variant.variant): variant for variant in variants(items)}
    assert {identifier for identifier, _ in found} == {"q2", "q3", "q6", "q7"}
    assert found["q2", "folded"].question == "Kokia bronzos zenklo kaina?"
    assert ("q7", "folded") not in found  # has none to lose
    for item in items:
        if variant := found.get((item.id, "typo")):
            assert OSA.distance(item.question, variant.question) == 1
            assert variant.question.split()[0][0] == item.question.split()[0][0]
            assert (variant.answers, variant.split, variant.history) == (item.answers, item.split, item.history)


def test_a_follow_up_loses_the_diacritics_of_its_history_too(items):
    assert there(without_diacritics(replace(items[2], question="o už sidabrą?"))).history == (
        "Kokia bronzos zenklo kaina?",
    )


def test_the_same_seed_gives_the_same_variants_and_another_seed_others(items):
    many = [replace(items[1], id=f"t{n}") for n in range(40)]
    first = [there(with_typo(item, 1)).question for item in many]
    assert first == [there(with_typo(item, 1)).question for item in many]
    assert first != [there(with_typo(item, 2)).question for item in many]
    assert len(set(first)) > 20


def test_a_slip_hits_a_word_that_search_weighs(items):
    for n in range(30):
        wrong = there(with_typo(replace(items[1], id=f"s{n}"))).question
        assert wrong.startswith("Kokia ")  # „kokia“ carries no weight


def test_a_wrong_key_is_one_beside_the_right_one():
    near = _neighbours()
    assert {"q": "aw", "g": "bfhtvy", "š": "ty"}.items() <= near.items()
    assert all(letter.isascii() for letters in near.values() for letter in letters)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_direction_is_asked_only_where_an_answer_is_known(made):
    asked = {
        identifier: {view for i, view in by_key(made.outcomes) if i == identifier}
        for identifier in ("q1", "q3", "q4", "q5")
    }
    assert asked == {"q1": {"both", "lt", "en"}, "q3": {"both", "lt"}, "q4": {"both", "en"}, "q5": {"both", "lt", "en"}}


def test_right_quotes_are_told_from_wrong_ones(made):
    outcomes = by_key(made.outcomes)
    for key in (("q1", "en"), ("q2", "lt"), ("q4", "en"), ("q3", "both")):
        assert outcomes[key].rank == 1, key
        assert outcomes[key].search["RR"] == 1.0
    assert outcomes["q1", "en"].quote == BRONZE_EN["quote"]
    assert outcomes["q2", "lt"].quote == BRONZE_LT["quote"]
    assert outcomes["q5", "both"].search == {}


def test_every_quote_of_a_run_is_where_the_run_says(made):
    for found in made.outcomes:
        for shown in found.quotes:
            assert PAGES[shown.document][shown.start : shown.end] == shown.text
    asked = {question.id: question for question in made.questions}
    for place in asked["q1"].gold:
        assert PAGES[place.document][place.start : place.end] == place.quote


def test_the_ranking_holds_every_passage_once_best_first(made):
    ranked = by_key(made.outcomes)["q1", "both"].ranked
    assert len({row.key for row in ranked}) == len(ranked) == 6
    assert ranked[0][:3] == ("prices.en.md", *PAGES_SPAN("prices.en.md", BRONZE_EN["quote"]))
    assert [row.score for row in ranked] == sorted((row.score for row in ranked), reverse=True)


def PAGES_SPAN(document, quote):
    start = PAGES[document].index(quote)
    return start, start + len(quote)


def test_each_channel_is_measured_alone(made):
    found = by_key(made.outcomes)["q1", "en"].search
    assert (found["dense R@5"], found["dense Success@5"]) == (1.0, 1.0)
    assert (found["lexical R@5"], found["lexical Success@5"]) == (1.0, 1.0)


def test_a_lexical_channel_that_finds_nothing_is_wrong_and_not_missing(settings, items):
    """A question in words that no passage holds, with a vector that is right."""

    class Knows(WordsEncoder):
        def encode_queries(self, texts):
            return super().encode_queries(["bronze label price" if "zzkrwq" in text else text for text in texts])

    result = run([replace(items[0], question="xyzzkrwq?")], settings, Knows())
    found = by_key(result.outcomes)["q1", "en"].search
    assert (found["dense Success@5"], found["lexical Success@5"]) == (1.0, 0.0)


def test_tokens_are_part_of_the_dense_channel(tmp_path):
    """All texts have one vector, so the last section of ten can only be found by its tokens."""

    class Alike(WordTokens):
        def _rows(self, texts, other):
            return np.tile(np.eye(1, self.dimension, dtype=np.float32), (len(texts), 1))

    sections = [f"## Part {n}\n\nThe report is kept for {n} years.\n" for n in range(9)]
    page = "# Rules\n\n" + "\n".join([*sections, "## Last\n\nThe gold label has a price.\n"])
    settings = build(tmp_path, {"rules.en.md": page}, encoder=Alike)
    gold = {"document": "rules.en.md", "quote": "The gold label has a price."}
    asked = {"id": "q", "question": "gold", "language": "en", "type": "keywords", "answer": [gold]}
    (asked_item,) = read_set(write_set(tmp_path / "q.jsonl", [asked]))
    found = by_key(run([asked_item], settings, Alike()).outcomes)["q", "en"].search
    assert found["dense Success@5"] == 1.0


def test_a_question_that_ends_in_an_exception_is_wrong_and_not_missing(settings, items, caplog):
    class Breaks(WordsEncoder):
        def encode_queries(self, texts):
            if any("food" in text for text in texts):
                raise RuntimeError("no such luck")
            return super().encode_queries(texts)

    result = run(items, settings, Breaks())
    outcomes = by_key(result.outcomes)
    assert outcomes["q4", "en"].status == "error"
    assert outcomes["q4", "en"].error == "RuntimeError: no such luck"
    assert outcomes["q4", "en"].search["RR"] == 0.0
    rows = {row["what"]: row for row in as_table(result.outcomes)}
    assert rows["en→en"]["questions"] == 2
    assert rows["en→en"]["hit@1"][0] == rows["en→en"]["RR"][0] == 0.5
    assert soundness(result.outcomes)["did not fail"][0] < 1
    assert "q4" in caplog.text


def test_a_failure_is_not_taken_for_a_refusal():
    failed = outcome("a", answerable=False, status="error")
    refused = outcome("b", answerable=False, status="not_found")
    assert refusals([failed, refused])["unanswerable refused"][0] == 0.5
    assert refusals([failed, refused])["not_found recall"][0] == 0.5


def test_small_talk_that_was_a_question_is_wrong_and_not_missing(made):
    found = by_key(made.outcomes)["q7", "both"]
    assert (found.status, found.rank, found.search["RR"]) == ("greeting", 0, 0.0)


def test_an_answer_whose_quote_is_gone_is_wrong_and_not_missing(settings, items):
    gone = replace(items[3], answers=(Gold("food.en.md", "This stood here once."),))
    result = run([gone], settings, WordsEncoder())
    assert {o.view: (o.rank, o.search["R@100"]) for o in result.outcomes} == {"both": (0, 0.0), "en": (0, 0.0)}
    assert result.questions[0].gold[0].start is None


def test_a_set_outlives_another_way_of_splitting(tmp_path, items):
    """The same quotes are found again in shorter passages, without a change to the set."""
    page = "# Prices\n\n" + " ".join(f"The gold label has rule {n} for every member." for n in range(20))
    pages = {"prices.en.md": page + " " + BRONZE_EN["quote"] + "\n"}
    spans = set()
    for chars in (100, 600):
        settings = build(tmp_path / str(chars), pages, passage_chars=chars)
        result = run([replace(items[0], answers=items[0].answers[:1])], settings, WordsEncoder())
        (found,) = [o for o in result.outcomes if o.view == "en"]
        assert (found.rank, found.search["R@5"]) == (1, 1.0)
        spans |= {row[1:3] for row in found.relevant}
    assert len(spans) == 2


def test_an_index_of_another_encoder_is_refused(settings, items):
    with pytest.raises(IndexOutdated, match="clusterqa index --rebuild"):
        run(items, settings, WordsEncoder(words=("other",)))


def test_each_question_is_encoded_once_for_all_its_views(settings, items):
    asked = []

    class Counts(WordsEncoder):
        def encode_queries(self, texts):
            asked.extend(texts)
            return super().encode_queries(texts)

    run(items[:2], settings, Counts())
    assert [asked.count(item.question) for item in items[:2]] == [1, 1]


def test_a_run_tells_what_it_was_made_with(made, settings):
    assert made.encoder == WordsEncoder().fingerprint
    assert sorted(made.corpus) == sorted(PAGES)
    assert made.settings["passage_chars"] == 600
    assert made.settings["passages"] == 6
    assert made.weights == asdict(Profile.bundled().search)
    assert made.index_bytes >= (settings.data / "clusterqa.sqlite3").stat().st_size > 0
    assert made.peak_memory_bytes > 50 * 2**20
    assert set(made.latency) == {"understand", "encode", "wait", "candidates", "rerank", "merge", "quote", "total"}
    for found in made.outcomes:
        assert sum(found.stages.values()) == pytest.approx(found.milliseconds, abs=0.01)


def test_the_time_of_the_encoder_is_told_from_the_reading_around_it(settings, items, monkeypatch):
    ticks = iter(np.arange(0, 1000, 1.0).tolist())
    monkeypatch.setattr("clusterqa.retrieval.pipeline.time.perf_counter", lambda: next(ticks))
    (found,) = run(items[4:5], settings, WordsEncoder()).outcomes[:1]
    # Clock readings: start, encoder in, encoder out, end; the index asked for, and had; then one second for each of the other stages,
    # and one between that and the first of them.
    rest = dict.fromkeys(("rerank", "merge", "quote"), 1000.0)
    assert found.stages == {"understand": 2000.0, "encode": 1000.0, "wait": 1000.0, "candidates": 2000.0, **rest}


def test_weights_of_the_search_change_the_ranking_and_are_kept(settings, items):
    lexical_only = run(items[:1], settings, WordsEncoder(), weights=replace(Profile.bundled().search, dense_weight=0.0))
    assert lexical_only.weights["dense_weight"] == 0.0
    default = run(items[:1], settings, WordsEncoder())
    scores = [[o.ranked[0].score for o in result.outcomes if o.view == "en"] for result in (lexical_only, default)]
    assert scores[0] != scores[1]


@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
def test_a_run_is_read_as_it_was_written(settings, items, tmp_path, name):
    whole = run([*items, *variants(items)], settings, WordsEncoder())
    path = tmp_path / "new" / name
    whole.write(path)
    assert Run.read(path) == whole
    assert [file.name for file in path.parent.iterdir()] == [name]
    if name.endswith(".gz"):
        assert json.loads(gzip.decompress(path.read_bytes()))["questions_sha256"] == whole.questions_sha256


def test_a_run_of_an_older_version_is_read(made, tmp_path):
    """What was added since has its default, and what was not taken is shown as such."""
    made.write(tmp_path / "run.json")
    data = json.loads((tmp_path / "run.json").read_text())
    first = ("id", "view", "language", "type", "split", "answerable", "status", "rank", "passage_rank", "confidence", "exact",
             "told_language", "milliseconds", "quote", "document", "features")  # fmt: skip
    old = {name: data[name] for name in ("questions_sha256", "encoder", "corpus", "versions")}
    old["outcomes"] = [{name: row.get(name, {}) for name in first} for row in data["outcomes"]]
    (tmp_path / "old.json").write_text(json.dumps(old))
    read = Run.read(tmp_path / "old.json")
    row = as_table(read.outcomes)[0]
    assert row["hit@1"] == as_table(made.outcomes)[0]["hit@1"]
    assert np.isnan(row["nDCG@10"][0])
    assert latencies(read.outcomes).keys() == set()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"outcomes": 3}', '{"outcomes": [{"id": 1}]}'])
def test_what_is_no_run_is_refused_with_the_next_step(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(EvaluationError, match="Make one with: clusterqa eval run"):
        Run.read(tmp_path / "run.json")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_directions_come_first_then_both_then_question_types(made):
    rows = [(row["what"], row["questions"]) for row in as_table(made.outcomes)]
    assert rows == [
        ("lt→lt", 3), ("lt→en", 1), ("en→lt", 1), ("en→en", 2), ("lt→both", 3), ("en→both", 2),
        ("both, followup", 1), ("both, keywords", 1), ("both, plain", 3),
    ]  # fmt: skip


def test_variants_stand_beside_their_originals_and_count_nowhere_else(settings, items, made):
    whole = run([*items, *variants(items)], settings, WordsEncoder())
    assert [o.id for o in whole.outcomes] == [o.id for o in made.outcomes]
    assert whole.questions_sha256 == made.questions_sha256
    assert len(whole.questions) == len(items)
    rows = {row["what"]: row for row in variant_table(whole)}
    assert rows["lt→both, as written (folded)"]["questions"] == rows["lt→both, folded"]["questions"] == 2  # q2, q3
    assert rows["lt→both, as written (folded)"]["hit@1"][0] == 1.0
    assert rows["lt→both, typo"]["questions"] == 3
    assert {o.split for o in whole.variants if o.id == "q2"} == {o.split for o in made.outcomes if o.id == "q2"}
    assert all(fold(q.question) == q.question.lower() for q in variants(items) if q.variant == "folded")


def test_precision_and_recall_of_not_found():
    outcomes = [
        outcome("a", answerable=False, status="not_found"),
        outcome("b", answerable=False, status="answered"),
        outcome("c", status="not_found", rank=1),
        outcome("d", status="answered", rank=1),
        outcome("e", status="answered", rank=2),
        outcome("f", status="not_found", answerable=False, view="lt"),  # not what people ask
    ]
    shares = {name: found[0] for name, found in refusals(outcomes).items()}
    assert shares == pytest.approx(
        {
            "unanswerable refused": 1 / 2,
            "answerable refused": 1 / 3,
            "answered and right": 1 / 3,
            "not_found precision": 1 / 2,
            "not_found recall": 1 / 2,
        }
    )


def test_confidence_counts_an_answer_to_the_unanswerable_as_wrong():
    outcomes = [outcome("a", rank=1, confidence=0.95), outcome("b", answerable=False, confidence=0.45)]
    found = confidence(outcomes)
    assert found["risk–coverage area"] == pytest.approx((0 + 1 / 2) / 2)
    assert found["calibration error"] == pytest.approx((0.05 + 0.45) / 2)


def test_an_empty_run_has_empty_tables():
    empty = run_of()
    assert as_table(empty.outcomes) == variant_table(empty) == []
    assert np.isnan(confidence(empty.outcomes)["calibration error"])
    assert latencies(empty.outcomes) == {}
