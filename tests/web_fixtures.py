"""A small real corpus for the tests of the web: a pair of translations, and a document that attacks the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from clusterqa.web import connections

HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'

DOCUMENTS = {
    "bronze.lt.md": """---
title: Bronzos ženklas
language: lt
date: 2024-03-05
publisher: Klasterių biuras
url: https://example.lt/bronza
---
# Bronzos ženklas

## Galiojimas

Bronzos ženklas galioja dvejus metus nuo suteikimo dienos. Pasibaigus šiam laikui, ženklą galima atnaujinti.

## Kaina

| Paslauga | Kaina |
|---|---|
| Palyginamasis vertinimas vietoje | 2 250 Eur |
| Palyginamasis vertinimas vaizdo ryšiu | 1 650 Eur |
""",
    "bronze.en.md": """---
title: The Bronze Label
language: en
date: 2024-03-05
publisher: Cluster Office
---
# The Bronze Label

## Validity

The Bronze Label is valid for two years from the day it is awarded. After that the label can be renewed.

## Price

| Service | Price |
|---|---|
| Benchmarking on site | EUR 2,250 |
| Benchmarking by video | EUR 1,650 |
""",
    "warehouse.en.md": f"""---
title: Warehouse rules {HOSTILE}
language: en
url: "javascript:alert(1)"
---
# Warehouse rules

The warehouse forklift must be parked at gate seven {HOSTILE} every evening. ![spy](https://spy.example/x.png)
""",
}


def write_corpus(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The app on a free port of this machine, once it answers questions; gives its address."""
    protocol = connections.protocol(app.state.service.settings)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, http=protocol, ws="none", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        while httpx.get(f"{address}/readyz", timeout=60).status_code != 200:
            time.sleep(0.1)
        yield address
    finally:
        server.should_exit = True
        thread.join()
