"""`clusterqa ask` and `clusterqa search`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from clusterqa.cli import common
from clusterqa.cli.common import echo, json_option, settings_options
from clusterqa.clock import today
from clusterqa.deceptive import visible
from clusterqa.errors import ClusterQAError
from clusterqa.jsontext import parsed

if TYPE_CHECKING:
    from clusterqa.records import Hit, Quote, Reply, Trace
    from clusterqa.settings import Settings


@click.command()
@settings_options
@click.argument("question", required=False)
@click.option("--lang", type=click.Choice(["lt", "en"]), help="Language where the question itself does not show it.")
@click.option(
    "--history", multiple=True, help="An earlier question of the conversation; may be repeated, oldest first."
)
@click.option("--input", "source", type=click.Path(path_type=Path), help="Questions, one JSON object a line.")
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="Where the answers go, one a line.  [default: stdout]",
)
@click.option(
    "--explain", is_flag=True, help="Also how the answer came about: the time of each stage, hits, confidence."
)
@json_option
def ask(
    settings: Settings,
    question: str | None,
    lang: str | None,
    history: tuple[str, ...],
    source: Path | None,
    target: Path | None,
    explain: bool,
    as_json: bool,
) -> None:
    """
    Answer a question by quoting, or many from a file.

    \b
    clusterqa ask "Kiek laiko galioja bronzos ženklas?"
    clusterqa ask --input questions.jsonl --output answers.jsonl

    "-" in place of the question or of the file stands for the standard input.
    """
    from clusterqa.records import Question
    from clusterqa.shapes import reply_as_json, trace_as_json

    if (question is None) == (source is None):
        raise click.UsageError("Give a question, or a file of questions with --input; one of the two.")
    if target is not None and source is None:
        raise click.UsageError("--output goes with --input.")
    if explain and source is not None:
        raise click.UsageError("--explain goes with one question. Leave out --input.")
    if source is None:
        questions = [Question(common.question_of(question or ""), history, lang)]  # type: ignore[arg-type]
    else:
        questions = read_questions(source, lang)
    with common.knowledge_base(settings) as asked:
        if source is None:
            trace = asked.trace(questions[0])
            if as_json:
                shown = reply_as_json(trace.reply) | ({"trace": trace_as_json(trace)} if explain else {})
                echo(json.dumps(shown, ensure_ascii=False, indent=2))
                return
            echo(told(trace.reply))
            if explain:
                echo("\n" + explained(trace, asked.profile.calibration.threshold))
            return
        with common.writing(target) as out:
            for item in common.progress(questions, "Answering"):
                out.write(visible(json.dumps(reply_as_json(asked.ask(item)), ensure_ascii=False)) + "\n")


@click.command()
@settings_options
@click.argument("question")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--lang", type=click.Choice(["lt", "en"]), help="Language where the question itself does not show it.")
@json_option
def search(settings: Settings, question: str, k: int, lang: str | None, as_json: bool) -> None:
    """
    Find passages, best first, with the scores of both channels.

    "-" in place of the question stands for the standard input.
    """
    question = common.question_of(question)
    from clusterqa.shapes import hits_as_json

    with common.knowledge_base(settings) as asked:
        hits = asked.search(question, k, language=lang)  # type: ignore[arg-type]
    if as_json:
        echo(json.dumps(hits_as_json(hits), ensure_ascii=False, indent=2))
        return
    if not hits:
        common.remark("Nothing to search for in this question, or the index is empty.")
    for rank, hit in enumerate(hits, start=1):
        echo(ranked(rank, hit))
        echo(f"    {' '.join(hit.passage.text.split())[:200]}")


def ranked(rank: int, hit: Hit, reading: float | None = None) -> str:
    """A hit on one line: its scores and its place."""
    read = "" if reading is None else f", read {reading:+.1f}"
    place = " › ".join((hit.passage.document, *hit.passage.heading))
    return f"{rank:2}. {hit.score:.3f}  (dense {hit.dense:.3f}, words {hit.lexical:.3f}{read})  {place}"


def read_questions(path: Path, lang: str | None) -> list[Any]:
    """The questions of a JSONL file; every wrong line is named, not only the first."""
    from clusterqa.records import LANGUAGES, Question

    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise ClusterQAError(
            f"The questions in {path} cannot be read ({told}). Give a UTF-8 file of JSON lines."
        ) from error
    questions, wrong = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = parsed(line)
            if not isinstance(item, dict):
                raise TypeError("this is no JSON object {…}")
            text, history = item["question"], item.get("history") or []
            language = item.get("language") or lang
            if (
                not isinstance(text, str)
                or not isinstance(history, list)
                or not all(isinstance(h, str) for h in history)
            ):
                raise TypeError('"question" must be a text and "history" a list of texts')
            if language not in (*LANGUAGES, None):
                raise ValueError(f'"language" is {language!r}, not "lt" or "en"')
            identifier = item.get("id")
            questions.append(
                Question(text, tuple(history), language, str(identifier) if identifier is not None else None)
            )
        except KeyError as error:
            wrong.append(f"line {number}: {error} is missing")
        except (ValueError, TypeError) as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise ClusterQAError(
            f"{path} has {common.counted(len(wrong), 'line')} that cannot be asked. A line is like "
            f'{{"id": "1", "question": "…"}}:\n  ' + "\n  ".join(wrong[:20])
        )
    return questions


def told(reply: Reply) -> str:
    """A reply as text for a terminal; short answers that are sure are bold."""
    from clusterqa.documents.shown import as_lines, short_marks
    from clusterqa.retrieval.wording import WORDS

    lines = [reply.message]
    marks = {"lt": ("„", "“"), "en": ("“", "”")}
    shown = reply.quotes or reply.nearest
    labels = reply.choices or ("",) * len(shown)
    quotes = [(part.label, part.quote) for part in reply.parts] or list(zip(labels, shown, strict=True))
    for label, quote in quotes:
        lines += ["", *([label] if label else [])]
        if not quote:
            lines.append(f"  {WORDS[reply.language]['no_part']}")
            continue
        text = as_lines(
            quote.selection, quote.source.media_type, short_marks(quote), lambda short: click.style(short, bold=True)
        )
        sentences = all(part.kind not in ("item", "row") for part in quote.selection)
        opening, closing = marks[quote.source.language] if sentences else ("", "")
        lines += [indent(f"{opening}{text}{closing}", "  "), f"    — {place(quote, reply.language)}"]
    return "\n".join(lines)


def explained(trace: Trace, threshold: float) -> str:
    """How a reply came about, as text for a terminal."""
    times = " · ".join(f"{stage} {value:.1f}" for stage, value in trace.milliseconds.items())
    lines = [f"{times} · in all {sum(trace.milliseconds.values()):.1f} ms"]
    for rank, hit in enumerate(trace.hits, start=1):
        reading = trace.readings.get(hit.passage_id)
        lines.append(ranked(rank, hit, reading.answers if reading else None))
    if trace.features:
        values = ", ".join(f"{name} {value:.2f}" for name, value in trace.features.items())
        lines.append(f"confidence {trace.reply.confidence:.2f}, answered from {threshold:.2f}: {values}")
    return "\n".join(lines)


def place(quote: Quote, language: str) -> str:
    """Where a quote stands, in words of the reply's language."""
    from clusterqa.records import is_over

    source = quote.source
    page = {"lt": "{} psl.", "en": "p. {}"}[language].format(quote.page_label or quote.page) if quote.page else ""
    gone = is_over(source.valid_until, today())
    over = {"lt": "nebegalioja, galiojo iki: {}", "en": "no longer valid, valid until: {}"}[language] if gone else ""
    parts = [
        source.title, quote.heading, page, source.publisher or "", source.date or "", source.url or "",
        over.format(source.valid_until),
    ]  # fmt: skip
    return f"{', '.join(part for part in parts if part)}  [{source.document}:{quote.start}–{quote.end}]"
