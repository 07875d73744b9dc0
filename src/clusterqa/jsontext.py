"""JSON that others wrote."""

from __future__ import annotations

import json
from typing import Any


def parsed(text: str | bytes) -> Any:
    """What a text in JSON holds. Raises ValueError, also for what is nested deeper than Python's parser goes."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(told(error)) from None
    except RecursionError:
        raise ValueError("the brackets in it are nested too deeply") from None


def told(error: json.JSONDecodeError) -> str:
    """What is wrong with a text that is no JSON, in words for whoever wrote it."""
    line = f"line {error.lineno}, " if "\n" in error.doc.strip() else ""
    return f"this is no JSON ({line}column {error.colno}: {_mistake(error)})"


def _mistake(error: json.JSONDecodeError) -> str:
    before, rest = error.doc[: error.pos].rstrip(), error.doc[error.pos :].lstrip()
    if rest.startswith(("#", "//", "/*")):
        return "there are no comments in JSON"
    if (before.endswith(",") and rest[:1] in ("}", "]")) or rest[:1] == ",":
        return "a comma too many"
    if rest[:1] == "'":
        return "texts stand in double quotation marks"
    if not rest:
        return "it ends in the middle"
    return (error.msg[0].lower() + error.msg[1:]).removesuffix(" at")
