"""The clock of Lithuania, where the agency is: its clerks and readers mean their own day and time, wherever the server stands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ZONE: ZoneInfo | None
try:
    _ZONE = ZoneInfo("Europe/Vilnius")
except ZoneInfoNotFoundError:  # no time zones on this system
    _ZONE = None


def local(moment: datetime) -> datetime:
    """The moment on this clock; as it is where the system knows no time zones."""
    return moment.astimezone(_ZONE) if _ZONE else moment


def today() -> date:
    """The day that it is on this clock; in UTC where the system knows no time zones."""
    return local(datetime.now(UTC)).date()
