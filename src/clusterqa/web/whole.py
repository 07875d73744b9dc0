"""An answer in one piece, for whoever can only change or judge it whole."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Message, Send


def whole(send: Send, wanted: Callable[[Message], bool], change: Callable[[Message, bytes], bytes]) -> Send:
    """
    A `send` that gathers the answers that are `wanted` and lets `change` have them; others pass as they come.

    Both get the message that an answer begins with; `change` may write into it, and gives the body that is sent.
    """
    begin: Message | None = None
    parts: list[bytes] = []

    async def send_whole(message: Message) -> None:
        nonlocal begin
        if message["type"] == "http.response.start" and wanted(message):
            begin = message
        elif begin is None or message["type"] != "http.response.body":
            await send(message)
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = change(begin, b"".join(parts))
                await send(begin)
                await send({"type": "http.response.body", "body": body})

    return send_whole
