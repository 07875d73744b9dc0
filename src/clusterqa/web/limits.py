"""How many questions a client may ask, and all clients together."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from clusterqa.addresses import neighbourhood
from clusterqa.errors import ClusterQAError
from clusterqa.settings import Settings


class TooMany(ClusterQAError):
    """More questions than the settings allow."""


class Limits:
    """Moving windows of a minute, in memory: per client and over all."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._client = RateLimitItemPerMinute(settings.rate_limit) if settings.rate_limit else None
        self._overall = RateLimitItemPerMinute(settings.rate_limit_overall) if settings.rate_limit_overall else None

    def admit(self, client: str, questions: int = 1) -> None:
        """Count so many questions of a client, all or none for it; raises TooMany."""
        if self._client and not self._limiter.hit(self._client, "client", neighbourhood(client), cost=questions):
            raise TooMany("You have sent very many questions within a minute. Wait a minute, then ask again.")
        if self._overall and not self._limiter.hit(self._overall, "overall", cost=questions):
            raise TooMany("Very many people are asking at the moment. Wait a minute, then ask again.")
