"""Counting within a minute: what the window holds, and that nothing is kept of whoever has left it."""

from __future__ import annotations

import pytest

from clusterqa.settings import Settings
from clusterqa.web.callers import Caller
from clusterqa.web.limits import Limits, Standing, TooMany, TooManyAtOnce
from clusterqa.web.windows import SECONDS, Windows


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_pass_in_any_minute_and_one_more_when_the_oldest_has_left_it() -> None:
    clock = Clock()
    windows = Windows(clock)
    passed = []
    for _ in range(4):
        passed.append(windows.hit("a", 3))
        clock.now += 10
    assert passed == [True, True, True, False]
    assert (windows.count("a"), windows.seconds("a")) == (3, 20)
    clock.now += 20
    assert (windows.hit("a", 3), windows.hit("a", 3)) == (True, False)
    assert (windows.hit("b", 3), windows.count("b"), windows.seconds("c")) == (True, 1, SECONDS)


def test_several_at_once_are_counted_all_or_none() -> None:
    windows = Windows(Clock())
    assert (windows.hit("a", 5, 3), windows.hit("a", 5, 3), windows.count("a")) == (True, False, 3)
    assert windows.hit("a", 5, 2)


def test_of_a_flood_from_made_up_addresses_nothing_is_left_a_minute_later() -> None:
    clock = Clock()
    windows = Windows(clock)
    for number in range(10_000):
        assert windows.hit(f"2001:db8:{number:x}::/64", 5)
    assert len(windows) == 10_000
    clock.now += SECONDS
    assert windows.hit("a", 5)
    assert len(windows) == 1


def test_within_a_minute_it_takes_no_more_than_its_bound_and_keeps_who_came_last() -> None:
    windows = Windows(Clock(), most=100)
    for number in range(1000):
        windows.hit("reader", 10_000)
        windows.hit(number, 5)
    assert len(windows) == 100
    assert windows.count("reader") == 1000


def test_who_is_refused_for_asking_too_much_learns_when_to_come_again() -> None:
    limits = Limits(Settings(rate_limit=2, rate_limit_overall=3))
    one, other = Caller("192.0.2.1"), Caller("192.0.2.2")
    limits.admit(one, 2)
    assert limits.standing(one) == Standing("client", 2, 0, SECONDS)
    with pytest.raises(TooMany) as refused:
        limits.admit(one)
    assert 0 < refused.value.seconds <= SECONDS
    limits.admit(other)
    with pytest.raises(TooMany, match="Very many people"):
        limits.admit(Caller("192.0.2.3"))
    with pytest.raises(TooManyAtOnce):
        limits.admit(other, 3)
