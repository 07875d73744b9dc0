"""JSON that others wrote."""

from __future__ import annotations

import json
from typing import Any


def parsed(text: str | bytes) -> Any:
    """What a text in JSON holds. Raises ValueError, also for what is nested deeper than Python's parser goes."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the brackets in it are nested too deeply") from None
