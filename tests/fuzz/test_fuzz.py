"""No input makes a parser of ours raise anything but our own errors. A few inputs each here, 20,000 with `make fuzz`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from clusterqa.documents import samples
from clusterqa.documents.formats import FORMAT_OF_SUFFIX
from fuzz.targets import ERRORS, TARGETS, with_something_missing

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


@pytest.mark.parametrize("suffix", ["docx", "odt", "pptx", "xlsx", "epub"])
def test_a_package_that_lacks_a_part_or_an_element_is_read_or_refused(suffix: str, tmp_path: Path) -> None:
    broke = {}
    for what, content in with_something_missing(samples.SAMPLES[FORMAT_OF_SUFFIX[suffix]]()):
        try:
            TARGETS[suffix].run(content, tmp_path)
        except AssertionError as error:
            broke[what] = str(error)
    assert broke == {}
