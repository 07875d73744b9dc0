"""
The two chat pages: one Gradio Blocks a language over the same service. The only module that imports gradio.

The conversation is rendered on the server, as escaped HTML; its turns live in the service's memory under an id that the
browser tab makes up, so that they outlast a reload and the change of language.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from typing import Any

import gradio as gr
from fastapi import FastAPI

from clusterqa.errors import ClusterQAError
from clusterqa.records import Language, Question
from clusterqa.web import render
from clusterqa.web.service import PATIENCE_SECONDS, Answered, NotReady, Service, TooMany
from clusterqa.web.words import EXAMPLES, WORDS

log = logging.getLogger(__name__)

PARALLEL = 16
"""Questions of one page worked on at a time; the rest wait in Gradio's queue."""
QUEUE = 200

_SPARED = {
    # Gradio sums up its last 10,000 events after each one, for a monitoring page that we do not open.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    # At every event it asks matplotlib for its backend; unless that is named, the first question waits for all of pyplot.
    "MPLBACKEND": "agg",
}
"""Variables that spare Gradio work which this app has no use for; its queue reads them when it is made, matplotlib when imported."""

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica Neue", "Arial", "sans-serif"]


def mount(app: FastAPI, service: Service, language: Language) -> None:
    """Mount the page of one language at its path."""
    for name, value in _SPARED.items():
        os.environ.setdefault(name, value)
    gr.mount_gradio_app(
        app,
        page(service, language),
        f"/{language}",
        server_name=service.settings.host,
        server_port=service.settings.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        ssr_mode=False,
        max_file_size="1kb",  # nothing is uploaded
        blocked_paths=["/"],
        theme=gr.themes.Base(font=_FONT, font_mono=["ui-monospace", "monospace"]),
        head=_head(language),
    )


def page(service: Service, language: Language) -> gr.Blocks:
    """The page of one language."""
    words = WORDS[language]
    settings = service.settings

    def shown(turns: tuple[Answered, ...], pending: str | None = None, remark: str = "pending") -> str:
        given = {}
        if service.journal is not None and turns:
            try:
                given = service.journal.feedback(turn.journal_id for turn in turns if turn.journal_id)
            except ClusterQAError as error:
                log.error("%s", error)
        return render.conversation(turns, language, given, pending, remark)

    def outputs(html: str, begun: bool, keep: str = "") -> tuple[Any, ...]:
        """New values of: question box, conversation, welcome, new-conversation button."""
        return keep, html, gr.update(visible=not begun), gr.update(visible=begun)

    def ask(text: str, identifier: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        identifier = _known(identifier)
        turns = service.conversations.turns(identifier)
        text = text or ""
        if not text.strip():
            yield outputs(shown(turns), bool(turns))
            return
        try:
            service.limits.admit(request.client.host if request.client else "")
            yield outputs(shown(turns, text, "pending" if service.ready else "warming"), True)
            history = tuple(turn.reply.question for turn in turns)
            answered = service.ask(Question(text, history, language), "chat", PATIENCE_SECONDS)
        except TooMany:
            service.metrics.refused.inc()
            yield outputs(shown(turns, text, "busy"), True, text)
        except NotReady:
            yield outputs(shown(turns, text, "starting"), True, text)
        except Exception:  # whatever it was, the reader gets a word and keeps the question
            log.exception("a question could not be answered")
            yield outputs(shown(turns, text, "failed"), True, text)
        else:
            yield outputs(shown(service.conversations.add(identifier, answered)), True)

    def begin(identifier: str) -> tuple[Any, ...]:
        turns = service.conversations.turns(_known(identifier))
        return outputs(shown(turns), bool(turns))[1:]

    def renew(identifier: str) -> tuple[Any, ...]:
        service.conversations.end(_known(identifier))
        return outputs(shown(()), False)

    with gr.Blocks(title=words["title"], analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(render.header(language), elem_id="cq-header", apply_default_css=False)
        with gr.Column(elem_id="cq-main"):
            with gr.Column(elem_id="cq-start") as start:
                gr.HTML(render.welcome(language), apply_default_css=False)
                gr.HTML(f'<h2 class="cq-examples-title">{words["examples"]}</h2>', apply_default_css=False)
                with gr.Row(elem_id="cq-examples"):
                    examples = [gr.Button(text, elem_classes="cq-example") for text in EXAMPLES[language]]
            conversation = gr.HTML(elem_id="cq-conversation", apply_default_css=False)
            renewal = gr.Button(words["new"], elem_id="cq-new", visible=False, size="sm")
        with gr.Column(elem_id="cq-composer"):
            with gr.Row(elem_id="cq-row"):
                box = gr.Textbox(
                    label=words["label"],
                    show_label=True,
                    placeholder=words["placeholder"],
                    lines=1,
                    max_lines=5,
                    max_length=2000,
                    elem_id="question",
                    scale=1,
                )
                send = gr.Button(words["send"], variant="primary", elem_id="cq-send", scale=0)
            gr.HTML(render.footer(language, settings.retention_days), elem_id="cq-footer", apply_default_css=False)
        identifier = gr.Textbox(visible=False)

        common: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        outs = [box, conversation, start, renewal]
        at_once = common | {"queue": False}  # a full queue must not keep the page itself from showing
        asking = common | {"concurrency_limit": PARALLEL, "concurrency_id": f"ask-{language}"}
        gr.on(
            [box.submit, send.click],
            ask,
            [box, identifier],
            outs,
            js="(text, _) => window.clusterqa.sent(text)",
            **asking,
        )
        for example in examples:
            example.click(ask, [example, identifier], outs, js="(text, _) => window.clusterqa.sent(text)", **asking)
        renewal.click(renew, [identifier], outs, js="_ => window.clusterqa.renewed()", **at_once)
        blocks.load(begin, [identifier], outs[1:], js="_ => window.clusterqa.conversation()", **at_once)
    blocks.queue(max_size=QUEUE, api_open=False)
    return blocks


def _known(identifier: str | None) -> str:
    """The tab's id; "" for anything that our script did not make up."""
    return identifier if identifier and _IDENTIFIER.fullmatch(identifier) else ""


def _head(language: Language) -> str:
    """Into the head that the browser builds: the language once more, since Gradio sets its own; then our style, after Gradio's."""
    return (
        f'<script>document.documentElement.lang = "{language}";</script>'
        '<meta name="color-scheme" content="light dark">'
        '<link rel="icon" href="../static/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="../static/page.css"><link rel="stylesheet" href="../static/chat.css">'
    )
