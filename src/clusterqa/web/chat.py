"""
The two chat pages: one Gradio Blocks a language over the same service. The only module that imports gradio.

The conversation is rendered on the server, as escaped HTML; its turns live in the service's memory under an id that the
browser tab makes up, so that they outlast a reload and the change of language. What happens in the browser is chat.js: it
takes what is typed and presses the one button here that has an event.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import gradio as gr
from fastapi import FastAPI

from clusterqa.records import Language
from clusterqa.web import render, talk
from clusterqa.web.doors import WAITING
from clusterqa.web.service import PATIENCE_SECONDS, Service
from clusterqa.web.words import WORDS

PARALLEL = 16
"""Questions of one page worked on at a time; the rest wait in Gradio's queue."""
QUEUE = 2 * WAITING
LOOKS_SECONDS = 0.01
"""How often Gradio looks into its queue. Its own choice, a thousand times a second for each page, takes a tenth of a core for nothing."""
STATUS_SECONDS = 10.0
"""Between the messages to all who wait of how many are before them; by default with each reply, and nobody reads them."""

_SPARED = {
    # Gradio sums up its last 10,000 events after each one, for a monitoring page that we do not open.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    # At every event it asks matplotlib for its backend; unless that is named, the first question waits for all of pyplot.
    "MPLBACKEND": "agg",
}
"""Variables that spare Gradio work which this app has no use for; its queue reads them when it is made, matplotlib when imported."""

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

    def ask(question: str, conversation: str, ended: str, token: str, request: gr.Request) -> Iterator[str]:
        asked = talk.Asked(question or "", conversation or "", ended or "", token or "")
        client = request.client.host if request.client else ""
        for shown in talk.ask(service, language, asked, client, PATIENCE_SECONDS):
            yield shown.html

    with gr.Blocks(title=words["title"], analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(render.header(language), elem_id="cq-header", apply_default_css=False)
        with gr.Column(elem_id="cq-main"):
            gr.HTML(render.start(language), apply_default_css=False)
            conversation = gr.HTML(
                render.conversation((), language, {}), elem_id="cq-conversation", apply_default_css=False
            )
        with gr.Column(elem_id="cq-composer"):
            with gr.Row(elem_id="cq-row"):
                # What is typed here is taken by chat.js, which sends one question after the other.
                gr.Textbox(
                    label=words["label"],
                    show_label=True,
                    placeholder=words["placeholder"],
                    lines=1,
                    max_lines=5,
                    elem_id="question",
                    scale=1,
                )
                gr.Button(words["send"], variant="primary", elem_id="cq-send", scale=0)
            gr.HTML(
                render.footer(language, service.settings.retention_days), elem_id="cq-footer", apply_default_css=False
            )
        carried = [gr.Textbox(visible=False) for _ in range(4)]  # the fields of talk.Asked, in their order
        go = gr.Button(elem_id="cq-go")  # never seen: chat.js presses it

        go.click(
            ask,
            carried,
            conversation,
            js="() => window.clusterqa.carried()",
            trigger_mode="multiple",
            concurrency_limit=PARALLEL,
            concurrency_id=f"ask-{language}",
            show_progress="hidden",
            api_visibility="private",
        )
    blocks.queue(status_update_rate=STATUS_SECONDS, max_size=QUEUE, api_open=False)
    blocks._queue.sleep_when_free = LOOKS_SECONDS
    return blocks


def _head(language: Language) -> str:
    """Into the head that the browser builds: the language once more, since Gradio sets its own; then our style, after Gradio's."""
    return (
        f'<script>document.documentElement.lang = "{language}";</script>'
        '<meta name="color-scheme" content="light dark">'
        '<link rel="icon" href="../static/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="../static/page.css"><link rel="stylesheet" href="../static/chat.css">'
    )
