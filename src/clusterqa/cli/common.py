"""What the commands share: options, remarks, progress, and the knowledge base that they ask."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clusterqa.deceptive import visible
from clusterqa.errors import ClusterQAError, CorpusError, IndexNotFound
from clusterqa.files import growing

if TYPE_CHECKING:
    from clusterqa.corpus.sync import Report
    from clusterqa.ports import Encoder
    from clusterqa.runtime import KnowledgeBase
    from clusterqa.settings import Settings
    from clusterqa.staff.audit import Audit
    from clusterqa.staff.database import Database

Command = Callable[..., Any]

corpus_option = click.option(
    "--corpus", type=click.Path(), help="Folder of the documents.  [default: corpus, else the one of the package]"
)


def settings_options(command: Command, corpus_option: Callable[[Command], Command] = corpus_option) -> Command:
    """--corpus, --data and --encoder; the command gets `settings` in their place."""

    @corpus_option
    @click.option(
        "--data",
        type=click.Path(),
        help="Folder for the index and the journal.  [default: data; for the corpus of the package, the user's data folder]",
    )
    @click.option("--encoder", help='"bundled", a folder, or a name on the Hugging Face hub.  [default: bundled]')
    @wraps(command)
    def with_settings(corpus: str | None, data: str | None, encoder: str | None, **rest: Any) -> Any:
        from clusterqa.corpus.lock import finish_restoring
        from clusterqa.settings import Settings

        if corpus == "" and "documents" in rest:  # `doctor --corpus` without a folder
            corpus, rest["documents"] = None, True
        makes_it = "files" in rest or "backup" in rest  # `add`, `restore`
        if corpus and not makes_it and not Path(corpus).expanduser().is_dir():
            raise CorpusError(f"There is no folder {corpus}. Name the folder of the documents with --corpus.")
        settings = Settings.load({"corpus": corpus, "data": data, "encoder": encoder})
        if finish_restoring(settings.home):
            remark("A restore that was cut off has been brought to its end.")
        return command(settings=settings, **rest)

    return with_settings


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def counted(number: int, thing: str) -> str:
    """ "1 document", "2 documents"."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def question_of(given: str) -> str:
    """The question of an argument; "-" is the standard input. Raises UsageError for an empty one."""
    text = sys.stdin.read() if given == "-" else given
    if not text.strip():
        raise click.UsageError("The question is empty.")
    return text


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a line, in which nothing that a document or a name holds commands the terminal."""
    click.echo(visible(text), err=err, nl=nl)


def remark(text: str) -> None:
    """A line for the person, not for the program that reads the answers."""
    echo(text, err=True)


@contextmanager
def staff_database(settings: Settings) -> Iterator[tuple[Database, Audit]]:
    """The staff database with its activity log, for one command."""
    from clusterqa.staff.audit import Audit
    from clusterqa.staff.database import open_database

    with closing(open_database(settings.home)) as database:
        yield database, Audit(database)


def who() -> str:
    """How the activity log names a change from here: "cli:" and the operating system's user."""
    from clusterqa.staff.audit import COMMAND_LINE

    try:
        return COMMAND_LINE + getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return COMMAND_LINE + "?"


def load_encoder(settings: Settings) -> Callable[[], Encoder]:
    """Loads the encoder once, when it is first asked for."""
    from functools import cache

    @cache
    def load() -> Encoder:
        from clusterqa import runtime

        return runtime.load_encoder(settings)

    return load


def update_index(settings: Settings, *, rebuild: bool = False, encoder: Callable[[], Encoder] | None = None) -> Report:
    """Index with a progress bar on stderr; what could not be read is named there."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from clusterqa import runtime
    from clusterqa.corpus import sync
    from clusterqa.settings import IN_MEMORY
    from clusterqa.staff import reading

    titles = {"read": "Reading documents", "encode": "Encoding passages and sentences"}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    load = encoder or load_encoder(settings)
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if total and stage not in tasks:
                tasks[stage] = bars.add_task(titles[stage], total=total)
            if total:
                bars.update(tasks[stage], completed=done, total=total)

        with reading.Reader() as read:
            report = sync.update(settings, load, rebuild=rebuild, progress=show, read=read)
    if settings.index != IN_MEMORY:  # filled now, so that no question waits for it, and nothing removed stays there
        with closing(runtime.index_of(settings, load())) as index:
            index.refresh()
    for error in report.unreadable:
        remark(f"Not read: {error}")
    for name, text in report.warnings:
        remark(f"Note: {name}: {text}")
    for name in report.ignored:
        remark(f"Left out: {name} (its type is not known, or its name cannot be used)")
    return report


@contextmanager
def knowledge_base(settings: Settings) -> Iterator[KnowledgeBase]:
    """What answers from the index; the first time the index is built on the way."""
    from clusterqa.corpus.sync import out_of_step
    from clusterqa.runtime import KnowledgeBase
    from clusterqa.store import open_store, shown

    encoder = load_encoder(settings)
    try:
        with open_store(settings.home) as store:
            if store.generation() == 0:
                raise IndexNotFound(shown(settings.home))
            stale = out_of_step(settings, store) if settings.corpus.is_dir() else []
    except IndexNotFound:
        remark("There is no index yet; building it first.")
        update_index(settings, encoder=encoder)
        stale = []
    if stale:
        remark(
            f"{counted(len(stale), 'document')} changed since the index was built ({stale[0]}{' …' * (len(stale) > 1)}). "
            "Take up what changed with: clusterqa index"
        )
    with KnowledgeBase(settings, encoder()) as found:
        yield found


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
    try:
        # Half a character (a lone surrogate) in a question comes out as its JSON escape.
        with growing(target, "x", encoding="utf-8", errors="backslashreplace") as file:
            yield file
    except OSError as error:
        raise ClusterQAError(
            f"{target} cannot be written ({error.strerror}). Name another file with --output."
        ) from error
