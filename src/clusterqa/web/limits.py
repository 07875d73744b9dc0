"""How many questions a client may ask, or the holder of a key, and all together."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from clusterqa.addresses import neighbourhood
from clusterqa.errors import ClusterQAError
from clusterqa.settings import Settings
from clusterqa.web.callers import Caller

SECONDS = 60
"""The window that questions are counted in."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left: of `quota` questions a minute `remaining`; in `seconds` there will be more. `policy` names the rule."""

    policy: str
    quota: int
    remaining: int
    seconds: int


class TooMany(ClusterQAError):
    """More questions than the limits allow; in `seconds` the same may be asked."""

    def __init__(self, what: str, seconds: int) -> None:
        super().__init__(what)
        self.seconds = seconds


class TooManyAtOnce(ClusterQAError):
    """More questions in one request than may ever be asked in a minute."""

    def __init__(self, questions: int, quota: int) -> None:
        super().__init__(
            f"{quota} questions a minute are allowed, so {questions} at once never pass. Send fewer at a time."
        )


class Limits:
    """Moving windows of a minute, in memory: per client without a key, per key, and over all."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._client = settings.rate_limit
        self._overall = settings.rate_limit_overall

    def admit(self, caller: Caller, questions: int = 1) -> None:
        """Count so many questions of a caller, all or none for it; raises TooMany and TooManyAtOnce."""
        policy, quota, who = self._own(caller)
        for limit in (quota, self._overall):
            if 0 < limit < questions:
                raise TooManyAtOnce(questions, limit)
        if quota and not self._limiter.hit(_a_minute(quota), policy, who, cost=questions):
            raise self._refusal("You have sent very many questions within a minute.", questions, quota, policy, who)
        if self._overall and not self._limiter.hit(_a_minute(self._overall), "overall", cost=questions):
            raise self._refusal("Very many people are asking at the moment.", questions, self._overall, "overall")

    def standing(self, caller: Caller) -> Standing | None:
        """What the caller has left of its own limit; None where it has none."""
        policy, quota, who = self._own(caller)
        if not quota:
            return None
        window = self._limiter.get_window_stats(_a_minute(quota), policy, who)
        return Standing(policy, quota, max(0, window.remaining), _seconds_until(window.reset_time))

    def _own(self, caller: Caller) -> tuple[str, int, str]:
        """The name of the rule for a caller, its questions a minute (0: no limit), and whom they are counted for."""
        if caller.key is not None:
            return "key", caller.key.rate_limit, str(caller.key.id)
        return "client", self._client, neighbourhood(caller.client)

    def _refusal(self, what: str, questions: int, quota: int, *counted: str) -> TooMany:
        # The window says when the oldest question leaves it; that is enough for one more, not for several.
        oldest = self._limiter.get_window_stats(_a_minute(quota), *counted).reset_time
        seconds = _seconds_until(oldest) if questions == 1 else SECONDS
        return TooMany(f"{what} Wait a minute, then ask again.", seconds)


def _a_minute(quota: int) -> RateLimitItem:
    return RateLimitItemPerMinute(quota)


def _seconds_until(moment: float) -> int:
    return min(SECONDS, max(1, math.ceil(moment - time.time())))
