"""A process that dies at a chosen file operation, as a `kill -9` would have it: nothing of it runs any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.utime", "os.chmod", "sqlite3.connect")
KILLED, FAILED = 9, 1


def dies_at(number: int, work: Callable[[], object]) -> bool:
    """Do `work` in a process that is killed before its `number`-th file operation; whether it came so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, _: object) -> None:
            nonlocal count
            if event in OPERATIONS:
                count += 1
                if count == number:
                    os._exit(KILLED)

        sys.addaudithook(hook)
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(FAILED)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED), status
    return status == KILLED
