"""
How long people wait in the chat: one alone, and many at once, against a real server process on loopback.

    python benchmarks/load.py [--passages 10000] [--users 20] [--questions 5]

The index is that of benchmarks/latency.py: about so many passages, real questions, the real encoder for them. Three runs:

    API       one question at a time over POST /api/v1/ask
    browser   one reader in Chromium, from the key press to the frame in which the quote is on the screen
    crowd     all users at once over the chat's own protocol, each asking one question after the other without a pause

Each is shown with the round trip of GET /healthz, taken between the questions of the same run: the time such a server needs
on this machine, at this load, to do nothing. Prints milliseconds, and the ratio of the medians. Ends with status 1 when
a reply of the crowd was lost or one took over two seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from latency import NoisyEncoder, grow

from clusterqa.corpus import sync
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.evaluation.sets import read_set
from clusterqa.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
LONGEST_WAIT = 2000.0
"""Milliseconds that nobody in the crowd should wait longer than."""

# From the key press to the second frame after the reply was drawn: then it is on the screen.
ON_SCREEN = """question => new Promise(done => {
  const before = document.querySelectorAll(".cq-turn[data-status]").length;
  const box = document.querySelector("#question textarea, #question input");
  box.value = question;
  box.dispatchEvent(new Event("input", {bubbles: true}));
  requestAnimationFrame(() => {
    const begin = performance.now();
    new MutationObserver((_, watch) => {
      if (document.querySelectorAll(".cq-turn[data-status]").length === before) return;
      watch.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)));
    }).observe(document.querySelector("#cq-conversation"), {childList: true, subtree: true});
    document.querySelector("#cq-send").click();
  });
})"""


def index(base: Path, passages: int) -> Settings:
    """A corpus of about so many passages, indexed."""
    corpus = base / "corpus"
    corpus.mkdir()
    grow(Path("corpus"), corpus, passages)
    settings = Settings(corpus=corpus, data=base / "data")
    encoder = NoisyEncoder(SentenceEncoder.load(threads=settings.threads))
    print(f"{sync.update(settings, lambda: encoder).passages} passages")
    return settings


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """A server process over these settings, without limits of rate; gives its address once it answers questions."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "clusterqa",
        "serve",
        "--corpus",
        str(settings.corpus),
        "--data",
        str(settings.data),
    ]
    environment = os.environ | {"CLUSTERQA_RATE_LIMIT": "0", "CLUSTERQA_RATE_LIMIT_OVERALL": "0"}
    begin = time.perf_counter()
    with open(settings.data / "server.log", "wb") as log:
        process = subprocess.Popen([*command, "--port", str(port)], env=environment, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.perf_counter() - begin > 120:
                raise SystemExit((settings.data / "server.log").read_text(encoding="utf-8"))
            time.sleep(0.1)
        print(f"ready {time.perf_counter() - begin:.1f} s after its start")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def since(begin: float) -> float:
    return 1000 * (time.perf_counter() - begin)


def tell(name: str, times: Sequence[float], peer: Sequence[float]) -> None:
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    print(
        f"{name:8} n {len(times):4}  p50 {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f}  longest {max(times):7.1f} ms"
        f"   /healthz p50 {np.median(peer):6.1f}  ratio {p50 / np.median(peer):6.1f}"
    )


def over_api(url: str, questions: Sequence[str]) -> None:
    times, peer = [], []
    with httpx.Client(base_url=url) as client:
        for number, question in enumerate(questions):
            begin = time.perf_counter()
            client.post("/api/v1/ask", json={"question": question}).raise_for_status()
            times.append(since(begin))
            begin = time.perf_counter()
            client.get("/healthz").raise_for_status()
            peer.append(since(begin))
            if number == 7:  # the first ones warm up
                times, peer = [], []
    tell("API", times, peer)


def in_a_browser(url: str, questions: Sequence[str]) -> None:
    from playwright.sync_api import sync_playwright

    times, peer = [], []
    with sync_playwright() as playwright, httpx.Client(base_url=url) as client:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for number, question in enumerate(questions):
            if number % 10 == 0:  # a conversation of ten questions, then another reader
                page.goto(f"{url}/lt/")
                page.evaluate("sessionStorage.clear()")
                page.reload()
                page.wait_for_selector("#cq-first", state="detached")
                page.wait_for_selector(".cq-turns", state="attached")
                page.wait_for_timeout(300)
            times.append(page.evaluate(ON_SCREEN, question))
            begin = time.perf_counter()
            client.get("/healthz").raise_for_status()
            peer.append(since(begin))
        browser.close()
    tell("browser", times[2:], peer[2:])


async def ask_in_chat(client: httpx.AsyncClient, function: int, session: str, question: str) -> str:
    """One question over the protocol of Gradio's page; gives everything the server sent for it."""
    body = {"data": [question, session, "", ""], "fn_index": function, "session_hash": session, "event_data": None}
    joined = await client.post("/lt/gradio_api/queue/join", json=body)
    joined.raise_for_status()
    told = []
    async with client.stream("GET", "/lt/gradio_api/queue/data", params={"session_hash": session}) as stream:
        async for line in stream.aiter_lines():
            told.append(line)
            if '"process_completed"' in line or '"unexpected_error"' in line:
                break
    return "\n".join(told)


async def crowd(url: str, questions: Sequence[str], users: int, each: int) -> bool:
    times: list[float] = []
    peer: list[float] = []
    lost: list[str] = []
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        page = (await client.get("/lt/")).text
        config, _ = json.JSONDecoder().raw_decode(page.partition("window.gradio_config = ")[2])
        function = next(item["id"] for item in config["dependencies"] if item["api_name"] == "ask")

        async def user(number: int) -> None:
            session = f"{number:032x}"
            for turn in range(each):
                question = questions[(number * each + turn) % len(questions)]
                begin = time.perf_counter()
                told = await ask_in_chat(client, function, session, question)
                times.append(since(begin))
                if "data-status=" not in told:
                    lost.append(told)

        async def probe() -> None:
            while True:
                begin = time.perf_counter()
                (await client.get("/healthz")).raise_for_status()
                peer.append(since(begin))
                await asyncio.sleep(0.1)

        probing = asyncio.create_task(probe())
        begin = time.perf_counter()
        await asyncio.gather(*(user(number) for number in range(users)))
        seconds = time.perf_counter() - begin
        probing.cancel()
    tell("crowd", times, peer)
    print(f"         {users} users at once, {len(times) / seconds:.0f} replies a second, {len(lost)} lost")
    for told in lost[:3]:
        print(json.dumps(told)[:500], file=sys.stderr)
    return not lost and max(times) <= LONGEST_WAIT


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--questions", type=int, default=5, help="questions of each user in the crowd")
    options = parser.parse_args()
    questions = [item.question for item in read_set(Path("evaluation/questions.jsonl"))]
    random.Random(3).shuffle(questions)
    with tempfile.TemporaryDirectory() as folder, served(index(Path(folder), options.passages)) as url:
        over_api(url, questions[:108])
        if CHROMIUM.exists():
            in_a_browser(url, questions[:62])
        kept = asyncio.run(crowd(url, questions, options.users, options.questions))
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
