"""Code run in a Python of its own, for what a process that has loaded everything can no longer show."""

from __future__ import annotations

import subprocess
import sys


def told_by(code: str) -> str:
    """What the code prints; it must end well."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr[-500:]
    return run.stdout.strip()
