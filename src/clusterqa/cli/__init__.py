"""
The command line: options, one call, one print. Answers go to stdout, remarks to stderr.

Exit status 0, 1 for an error whose message says what to do, 2 for wrong usage, 130 after Ctrl+C. Heavy libraries load inside the
commands that need them, so that `--help` is instant.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import click

from clusterqa import __version__
from clusterqa.cli.asking import ask, search
from clusterqa.cli.backups import backup, restore
from clusterqa.cli.documents import add, list_documents, remove, show
from clusterqa.cli.evaluation import evaluate
from clusterqa.cli.keeping import doctor, index, serve, work
from clusterqa.cli.keys import keys
from clusterqa.cli.mcp import serve_mcp
from clusterqa.cli.moving import move
from clusterqa.cli.staff import staff
from clusterqa.deceptive import visible
from clusterqa.errors import ClusterQAError

INTERRUPTED = 130
"""What shells give for it; 1 would be taken for an error, or by the gate for a regression."""


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
            raise click.ClickException(visible(str(error))) from error
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            raise SystemExit(INTERRUPTED) from None


@click.group(cls=FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clusterqa")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is done.")
def cli(verbose: bool) -> None:
    """Answers questions in Lithuanian and English by quoting documents, byte for byte."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)
    for noisy in (
        "httpx",
        "sentence_transformers",
        "transformers",
        "trafilatura",
        "pypdf",
        "filelock",
        "huggingface_hub",
    ):
        logging.getLogger(noisy).setLevel(logging.ERROR)


for command in (
    serve,
    index,
    work,
    ask,
    search,
    add,
    list_documents,
    show,
    remove,
    restore,
    backup,
    move,
    doctor,
    evaluate,
    staff,
    keys,
    serve_mcp,
):
    cli.add_command(command)


def main() -> None:
    """Entry point of the `clusterqa` command."""
    cli(prog_name="clusterqa")
