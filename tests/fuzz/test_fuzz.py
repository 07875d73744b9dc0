"""No input makes a parser of ours raise anything but our own errors. A few inputs each here, 20,000 with `make fuzz`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from fuzz.targets import ERRORS, TARGETS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_raises_anything_but_our_errors(name: str) -> None:
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=EXAMPLES < 100,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(target.inputs)
        def throw(content: object) -> None:
            with contextlib.suppress(*ERRORS):
                target.run(content, Path(folder))

        throw()
