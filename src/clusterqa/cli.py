"""
The command line: options, one call, one print. Answers go to stdout, remarks to stderr.

Exit status 0, 1 for an error that the message says how to mend, 2 for wrong usage. Heavy libraries load inside the
commands that need them, so that `--help` is instant.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clusterqa import __version__
from clusterqa.errors import ClusterQAError, IndexNotFound
from clusterqa.evaluation.commands import add_to as add_evaluation
from clusterqa.staff.commands import add_to as add_staff

if TYPE_CHECKING:
    from clusterqa.assistant import Assistant
    from clusterqa.encoder import Encoder
    from clusterqa.library import Report
    from clusterqa.records import Quote, Reply
    from clusterqa.settings import Settings

Command = Callable[..., Any]


class FriendlyGroup(click.Group):
    """Turns our own errors into one clean message; anything else keeps its traceback, as a bug should."""

    def main(self, *args: Any, **extra: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a letter that the terminal cannot show must not end the answer
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ClusterQAError as error:
            raise click.ClickException(str(error)) from error


corpus_option = click.option("--corpus", type=click.Path(), help="Folder of the documents.  [default: corpus]")


def settings_options(command: Command, corpus_option: Callable[[Command], Command] = corpus_option) -> Command:
    """--corpus, --data and --encoder; the command gets `settings` in their place."""

    @corpus_option
    @click.option(
        "--data",
        type=click.Path(),
        help="Folder for the index and the journal.  [default: data]",
    )
    @click.option("--encoder", help='"bundled", a folder, or a name on the Hugging Face hub.')
    @wraps(command)
    def with_settings(corpus: str | None, data: str | None, encoder: str | None, **rest: Any) -> Any:
        from clusterqa.settings import Settings

        if corpus == "" and "documents" in rest:  # `doctor --corpus` without a folder
            corpus, rest["documents"] = None, True
        return command(settings=Settings.load({"corpus": corpus, "data": data, "encoder": encoder}), **rest)

    return with_settings


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group(cls=FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clusterqa")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is done.")
def cli(verbose: bool) -> None:
    """Answers questions in Lithuanian and English by quoting documents, byte for byte."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)
    for noisy in ("httpx", "sentence_transformers", "transformers", "trafilatura", "pypdf", "filelock"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


@cli.command()
@settings_options
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 7860]")
def serve(settings: Settings, host: str | None, port: int | None) -> None:
    """Open the chat: the web app, with the HTTP API beside it."""
    from clusterqa.settings import Settings

    flags = {
        "corpus": settings.corpus,
        "data": settings.data,
        "encoder": settings.encoder,
        "host": host,
        "port": port,
    }
    settings = Settings.load(flags)
    from clusterqa.web.app import run  # loads for seconds: after the settings, so that a wrong one is told at once

    remark(f"The chat opens at http://{settings.host}:{settings.port}/  (stop with Ctrl+C)")
    run(settings)


@cli.command()
@settings_options
@click.option("--rebuild", is_flag=True, help="Read and encode everything anew; also mends a damaged index.")
@json_option
def index(settings: Settings, rebuild: bool, as_json: bool) -> None:
    """Bring the index in step with the corpus; says what was added, changed, removed."""
    report = update_index(settings, rebuild=rebuild)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "generation": report.generation,
                    "added": report.added,
                    "changed": report.changed,
                    "removed": report.removed,
                    "unchanged": report.unchanged,
                    "passages": report.passages,
                    "unreadable": [
                        {"document": e.document, "reason": e.reason, "next_step": e.next_step}
                        for e in report.unreadable
                    ],
                    "warnings": [{"document": name, "warning": text} for name, text in report.warnings],
                    "ignored": report.ignored,
                },
                ensure_ascii=False,
            )
        )
        return
    for title, names in (("Added", report.added), ("Changed", report.changed), ("Removed", report.removed)):
        for name in names:
            click.echo(f"{title}: {name}")
    click.echo(
        f"Generation {report.generation}: {len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, {len(report.unreadable)} not read; "
        f"{report.passages} passages."
    )


@cli.command()
@settings_options
@click.argument("question", required=False)
@click.option("--lang", type=click.Choice(["lt", "en"]), help="Language where the question itself does not tell.")
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
@json_option
def ask(
    settings: Settings,
    question: str | None,
    lang: str | None,
    history: tuple[str, ...],
    source: Path | None,
    target: Path | None,
    as_json: bool,
) -> None:
    """
    Answer a question by quoting, or many from a file.

    \b
    clusterqa ask "Kiek laiko galioja bronzos ženklas?"
    clusterqa ask --input questions.jsonl --output answers.jsonl
    """
    from clusterqa.answer import as_json as reply_as_json
    from clusterqa.records import Question

    if (question is None) == (source is None):
        raise click.UsageError("Give a question, or a file of questions with --input; one of the two.")
    if target is not None and source is None:
        raise click.UsageError("--output goes with --input.")
    questions = read_questions(source, lang) if source else [Question(question or "", history, lang)]  # type: ignore[arg-type]
    with assistant(settings) as asked:
        if source is None:
            reply = asked.ask(questions[0])
            click.echo(json.dumps(reply_as_json(reply), ensure_ascii=False, indent=2) if as_json else told(reply))
            return
        with writing(target) as out:
            for item in progress(questions, "Answering"):
                out.write(json.dumps(reply_as_json(asked.ask(item)), ensure_ascii=False) + "\n")


@cli.command()
@settings_options
@click.argument("question")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--lang", type=click.Choice(["lt", "en"]), help="Language where the question itself does not tell.")
@json_option
def search(settings: Settings, question: str, k: int, lang: str | None, as_json: bool) -> None:
    """Find passages, best first, with the scores of both channels."""
    from clusterqa.answer import hits_as_json
    from clusterqa.records import Question

    with assistant(settings) as asked:
        found = asked.search(Question(question, language=lang), k)  # type: ignore[arg-type]
    hits = found.hits if found else ()
    if as_json:
        click.echo(json.dumps(hits_as_json(hits), ensure_ascii=False, indent=2))
        return
    if not hits:
        remark("Nothing to search for in this question, or the index is empty.")
    for rank, hit in enumerate(hits, start=1):
        place = " › ".join((hit.passage.document, *hit.passage.heading))
        click.echo(f"{rank:2}. {hit.score:.3f}  (dense {hit.dense:.3f}, words {hit.lexical:.3f})  {place}")
        click.echo(f"    {' '.join(hit.passage.text.split())[:200]}")


@cli.command()
@settings_options
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a document of the same name.")
def add(settings: Settings, files: tuple[Path, ...], replace: bool) -> None:
    """Copy documents into the corpus and index them."""
    from clusterqa import library

    hidden = [path for path in files if path.name.startswith(".")]
    for path in hidden:
        remark(
            f"Not added: {path}: a file whose name begins with a dot is never read. Give it another name, then add it."
        )
    files = tuple(path for path in files if path not in hidden)
    added, refused = library.add(settings, files, replace=replace)
    for error in refused:
        remark(f"Not added: {error}")
    if added:
        report = update_index(settings)
        for name in added:
            state = "Added" if name in report.added else "Replaced" if name in report.changed else "There already"
            click.echo(f"{state}: {name}")
    if refused or hidden:
        raise SystemExit(1)


@cli.command("list")
@settings_options
@json_option
def list_documents(settings: Settings, as_json: bool) -> None:
    """List the documents, with those removed that can be restored."""
    from clusterqa import library
    from clusterqa.store import Store

    with Store.open(settings.data) as store:
        stored = store.documents()
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "document": d.id,
                        "language": d.language,
                        "title": d.title,
                        "date": d.date,
                        "version": d.version,
                    }
                    for d in stored
                ],
                ensure_ascii=False,
                indent=2,
            )
        )
        return
    for document in stored:
        click.echo(f"{document.id}  [{document.language}]  {document.title}")
    for name in library.removed(settings):
        click.echo(f"{name}  (removed; restore with: clusterqa restore {name})")


@cli.command()
@settings_options
@click.argument("document")
@click.option("--text", "text_only", is_flag=True, help="Print exactly the stored text that offsets count in.")
@click.option("--version", "version", help="sha256 of an earlier version (its beginning is enough).")
def show(settings: Settings, document: str, text_only: bool, version: str | None) -> None:
    """Show what is stored of a document."""
    from clusterqa.store import Store

    with Store.open(settings.data) as store:
        stored = store.document(document)
        if stored is None:
            raise ClusterQAError(f"There is no document {document}. See what there is with: clusterqa list")
        versions = store.versions(document)
        wanted = [v for v in versions if v.startswith(version)] if version else [stored.version]
        if len(wanted) != 1:
            raise ClusterQAError(
                f"{document} has {len(wanted)} versions that begin with {version}: {', '.join(versions)}"
            )
        text = store.text(document, wanted[0])
    if text is None:
        raise ClusterQAError(f"The text of {document} is missing. Mend the index with: clusterqa index --rebuild")
    if text_only:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))  # as it is: no newline added, none translated
        return
    facts = {
        "document": stored.id, "title": stored.title, "language": stored.language, "version": wanted[0],
        "versions": len(versions), "state": stored.state, "type": stored.media_type, "date": stored.date,
        "publisher": stored.publisher, "url": stored.url, "tags": ", ".join(stored.tags),
        "characters": len(text),
    }  # fmt: skip
    for key, value in facts.items():
        if value not in (None, ""):
            click.echo(f"{key}: {value}")
    for line in stored.sources:
        click.echo(f"source: {line}")
    for line in stored.warnings:
        click.echo(f"warning: {line}")


@cli.command()
@settings_options
@click.argument("document")
def remove(settings: Settings, document: str) -> None:
    """Take a document out of the corpus and of every answer; `restore` brings it back."""
    from clusterqa import library

    library.remove(settings, document)
    update_index(settings)
    click.echo(f"Removed: {document}. Bring it back with: clusterqa restore {document}")


@cli.command()
@settings_options
@click.argument("document")
def restore(settings: Settings, document: str) -> None:
    """Bring a removed document back."""
    from clusterqa import library

    library.restore(settings, document)
    update_index(settings)
    click.echo(f"Restored: {document}")


@cli.command()
@partial(
    settings_options,
    corpus_option=click.option(
        "--corpus",
        type=click.Path(),
        is_flag=False,
        flag_value="",
        help="Folder of the documents.  [default: corpus]  Without a folder: look at the documents only (--documents).",
    ),
)
@click.option(
    "--documents",
    is_flag=True,
    help="Look at the documents only: metadata, pairs, links, dates, sentences, typography.",
)
@json_option
def doctor(settings: Settings, documents: bool, as_json: bool) -> None:
    """
    Say what is installed, which encoder is used, whether the index is in step, and what is damaged.

    \b
    clusterqa doctor --corpus                    are the documents themselves in order?
    clusterqa doctor --corpus DIR --documents    the same for another folder
    """
    from clusterqa.doctor import examine, examine_corpus

    findings = examine_corpus(settings.corpus) if documents else examine(settings, load_encoder(settings))
    if as_json:
        click.echo(
            json.dumps(
                [{"what": f.what, "ok": f.ok, "detail": f.detail} for f in findings],
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.what}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


# ── what the commands share ─────────────────────────────────────────────────────────────────────────────────────


def remark(text: str) -> None:
    """A line for the person, not for the program that reads the answers."""
    click.echo(text, err=True)


def load_encoder(settings: Settings) -> Callable[[], Encoder]:
    """Loads the encoder once, when it is first asked for."""
    from functools import cache

    @cache
    def load() -> Encoder:
        from clusterqa.encoder import SentenceEncoder

        return SentenceEncoder.load(settings.encoder, settings.threads, settings.precision)

    return load


def update_index(settings: Settings, *, rebuild: bool = False, encoder: Callable[[], Encoder] | None = None) -> Report:
    """Index with a progress bar on stderr; what could not be read is named there."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from clusterqa import library

    titles = {"read": "Reading documents", "encode": "Encoding passages and sentences"}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if total and stage not in tasks:
                tasks[stage] = bars.add_task(titles[stage], total=total)
            if total:
                bars.update(tasks[stage], completed=done, total=total)

        report = library.update(settings, encoder or load_encoder(settings), rebuild=rebuild, progress=show)
    for error in report.unreadable:
        remark(f"Not read: {error}")
    for name, text in report.warnings:
        remark(f"Note: {name}: {text}")
    for name in report.ignored:
        remark(f"Left out: {name} (not a kind of document that is read)")
    return report


@contextmanager
def assistant(settings: Settings) -> Iterator[Assistant]:
    """The assistant over the index; the first time the index is built on the way."""
    from clusterqa.assistant import Assistant
    from clusterqa.library import out_of_step
    from clusterqa.store import Store

    encoder = load_encoder(settings)
    try:
        with Store.open(settings.data) as store:
            if store.generation() == 0:
                raise IndexNotFound(store.path)
            stale = out_of_step(settings, store) if settings.corpus.is_dir() else []
    except IndexNotFound:
        remark("There is no index yet; building it first.")
        update_index(settings, encoder=encoder)
        stale = []
    if stale:
        remark(
            f"{len(stale)} documents changed since the index was built ({stale[0]} …). Take them up with: clusterqa index"
        )
    opened = Assistant.open(settings, encoder())
    try:
        yield opened
    finally:
        opened.close()


def read_questions(path: Path, lang: str | None) -> list[Any]:
    """The questions of a JSONL file; every wrong line is named, not only the first."""
    from clusterqa.records import LANGUAGES, Question

    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterQAError(
            f"The questions in {path} cannot be read ({error}). Give a UTF-8 file of JSON lines."
        ) from error
    questions, wrong = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
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
        except (ValueError, TypeError, AttributeError) as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise ClusterQAError(
            f'{path} has {len(wrong)} lines that are not questions like {{"id": "1", "question": "…"}}:\n  '
            + "\n  ".join(wrong[:20])
        )
    return questions


def progress(items: list[Any], title: str) -> Iterator[Any]:
    """The items, with a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=title, console=Console(stderr=True))


@contextmanager
def writing(target: Path | None) -> Iterator[Any]:
    """A text file that appears whole when everything was written, or stdout."""
    if target is None:
        yield sys.stdout
        return
    if target.is_dir():
        raise ClusterQAError(f"{target} is a folder. Name a file in it with --output.")
    part = target.with_name(target.name + ".part")
    try:
        # Half a character (a lone surrogate) in a question comes out as its JSON escape.
        with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        part.replace(target)
    except OSError as error:
        raise ClusterQAError(
            f"{target} cannot be written ({error.strerror}). Name another file with --output."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def told(reply: Reply) -> str:
    """A reply as text for a terminal."""
    lines = [reply.message]
    marks = {"lt": ("„", "“"), "en": ("“", "”")}
    for quote in reply.quotes or reply.nearest:
        opening, closing = marks[quote.source.language]
        lines += ["", f"  {opening}{quote.text}{closing}", f"    — {place(quote, reply.language)}"]
    return "\n".join(lines)


def place(quote: Quote, language: str) -> str:
    """Where a quote stands, in words of the reply's language."""
    source = quote.source
    page = {"lt": "{} psl.", "en": "p. {}"}[language].format(quote.page_label or quote.page) if quote.page else ""
    parts = [source.title, quote.heading, page, source.publisher or "", source.date or "", source.url or ""]
    return f"{', '.join(part for part in parts if part)}  [{source.document}:{quote.start}–{quote.end}]"


add_evaluation(cli, settings_options)
add_staff(cli, settings_options, json_option)


def main() -> None:
    """Entry point of the `clusterqa` command."""
    cli(prog_name="clusterqa")
