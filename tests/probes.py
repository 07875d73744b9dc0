"""Code run in a process of its own: for what one that has loaded everything can no longer show, and for what dies."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType


def told_by(code: str) -> str:
    """What the code prints; it must end well."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr[-500:]
    return run.stdout.strip()


def tool(name: str) -> ModuleType:
    """A script of tools/, which is no package, as a module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent.parent / "tools" / f"{name}.py")
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


FILE_OPERATIONS = frozenset(
    {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "os.chmod", "sqlite3.connect"}
)
"""What Python tells of before it does it; `os.replace` is told as a renaming, `unlink` as a removal."""


DIED = 77
"""The status that tells a death from an error."""


def dies_at(number: int, folder: Path, work: Callable[[], object]) -> bool:
    """
    Do some work in a forked process that dies, as by SIGKILL, just before its n-th operation on files below a folder.

    False when there were fewer, so that the work came to its end. What it raises is an error of the test.
    """
    child = os.fork()
    if child == 0:
        left = number

        def count(event: str, args: tuple[object, ...]) -> None:
            nonlocal left
            if event in FILE_OPERATIONS and any(str(folder) in str(arg) for arg in args[:2]):
                left -= 1
                if left == 0:
                    os._exit(DIED)

        try:
            sys.addaudithook(count)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, DIED), "the work failed; its error stands above"
    return status == DIED
