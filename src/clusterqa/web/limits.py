"""How many questions a client may ask, or the holder of a key, and all together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from clusterqa.addresses import neighbourhood
from clusterqa.errors import ClusterQAError
from clusterqa.settings import Settings
from clusterqa.web.callers import Caller
from clusterqa.web.windows import SECONDS, Windows

_ALL = ("overall", "")


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
        self._windows = Windows()
        self._client = settings.rate_limit
        self._overall = settings.rate_limit_overall

    def admit(self, caller: Caller, questions: int = 1) -> None:
        """Count so many questions of a caller, all or none for it; raises TooMany and TooManyAtOnce."""
        policy, quota, who = self._own(caller)
        for limit in (quota, self._overall):
            if 0 < limit < questions:
                raise TooManyAtOnce(questions, limit)
        if quota and not self._windows.hit((policy, who), quota, questions):
            raise self._refusal("You have sent very many questions within a minute.", questions, (policy, who))
        if self._overall and not self._windows.hit(_ALL, self._overall, questions):
            raise self._refusal("Very many people are asking at the moment.", questions, _ALL)

    def standing(self, caller: Caller) -> Standing | None:
        """What the caller has left of its own limit; None where it has none."""
        policy, quota, who = self._own(caller)
        if not quota:
            return None
        counted = (policy, who)
        remaining = max(0, quota - self._windows.count(counted))
        return Standing(policy, quota, remaining, math.ceil(self._windows.seconds(counted)))

    def _own(self, caller: Caller) -> tuple[str, int, str]:
        """The name of the rule for a caller, its questions a minute (0: no limit), and whom they are counted for."""
        if caller.key is not None:
            return "key", caller.key.rate_limit, str(caller.key.id)
        return "client", self._client, neighbourhood(caller.client)

    def _refusal(self, what: str, questions: int, counted: tuple[str, str]) -> TooMany:
        # The window says when the oldest question leaves it; that is enough for one more, not for several.
        seconds = math.ceil(self._windows.seconds(counted)) if questions == 1 else SECONDS
        return TooMany(f"{what} Wait a minute, then ask again.", seconds)
