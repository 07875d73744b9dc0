"""`clusterqa serve`, `index` and `doctor`."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from clusterqa.cli import common
from clusterqa.cli.common import echo, json_option, settings_options
from clusterqa.errors import SettingsError

if TYPE_CHECKING:
    from clusterqa.corpus.sync import Report
    from clusterqa.settings import Settings


@click.command()
@settings_options
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: 7860]")
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
    check_free(settings.host, settings.port)
    # Loads for seconds: after the settings, so that a wrong one is reported at once.
    from clusterqa.web.app import left_out, run

    for line in left_out():
        common.remark(line)
    common.remark(f"The chat opens at http://{settings.host}:{settings.port}/  (stop with Ctrl+C)")
    with suppress(KeyboardInterrupt):  # how it is stopped, and no mishap
        run(settings)


def check_free(host: str, port: int) -> None:
    """Raises SettingsError when nobody can listen there. The server would say so in its log, when everything was loaded."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"The server cannot listen at {host}:{port} ({error.strerror}). Stop what listens there already, or name another "
            "place with --host and --port."
        ) from error


@click.command()
@settings_options
@click.option("--rebuild", is_flag=True, help="Read and encode everything again; also repairs a damaged index.")
@click.option("--strict", is_flag=True, help="End with status 1 when a file could not be read.")
@json_option
def index(settings: Settings, rebuild: bool, strict: bool, as_json: bool) -> None:
    """Bring the index in step with the corpus. Says what was added, changed, removed."""
    report = common.update_index(settings, rebuild=rebuild)
    if as_json:
        echo(
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
    else:
        _print_report(report)
    if strict and report.unreadable:
        raise SystemExit(1)


def _print_report(report: Report) -> None:
    for title, names in (("Added", report.added), ("Changed", report.changed), ("Removed", report.removed)):
        for name in names:
            echo(f"{title}: {name}")
    echo(
        f"Generation {report.generation}: {len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, {len(report.unreadable)} not read; "
        f"{report.passages} passages."
    )


@click.command()
@settings_options
@click.option("--until-empty", is_flag=True, help="End when nothing waits any more.")
def work(settings: Settings, until_empty: bool) -> None:
    """
    Take a share of what is indexed elsewhere. It encodes passages that wait in PostgreSQL.

    Start it as often as you like, on any machine that has the same store and encoder; it may be killed at any moment. It needs
    neither the documents nor the data folder.
    """
    from clusterqa.corpus.work import LOOK_SECONDS, queue

    encoder = common.load_encoder(settings)()
    with queue(settings.home, encoder) as shared:
        common.remark(f"Working with {encoder.fingerprint}.  (stop with Ctrl+C)")
        done, told = 0, list[str]()
        with suppress(KeyboardInterrupt):
            while (some := shared.work()) or not until_empty:
                done += some
                if not some:
                    if (others := shared.others()) != told:
                        told = others
                        common.remark(f"There is work for other encoders: {', '.join(others) or 'none any more'}")
                    time.sleep(LOOK_SECONDS)
    echo(f"{done} passages were encoded here.")


@click.command()
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
    Say what is in order and what is not. Looks at what is installed, the encoder, the index and its files.

    \b
    clusterqa doctor --corpus                    are the documents themselves in order?
    clusterqa doctor --corpus DIR --documents    the same for another folder
    """
    from clusterqa.doctor import examine, examine_corpus

    findings = examine_corpus(settings.corpus) if documents else examine(settings, common.load_encoder(settings))
    if as_json:
        echo(
            json.dumps(
                [{"what": f.what, "ok": f.ok, "detail": f.detail} for f in findings],
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for finding in findings:
            echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.what}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
