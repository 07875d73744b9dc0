"""The gate's verdicts for continuous integration: JUnit XML, a summary in Markdown, annotations of a GitHub workflow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from clusterqa.evaluation.gate import Verdict


def told(verdict: Verdict) -> str:
    """One verdict in a sentence: "50.0 %, floor 100.0 %, lowest that passes 75.0 % (4 questions)"."""
    return (
        f"{100 * verdict.value:.1f} %, floor {100 * verdict.floor:.1f} %, lowest that passes "
        f"{100 * max(0.0, verdict.allowed):.1f} % ({verdict.questions} questions)"
    )


def as_junit(verdicts: Sequence[Verdict], created: str = "", error: str = "") -> str:
    """
    JUnit XML with one test case for each floor; `created` is when the run was made (ISO 8601).

    `error` says why the run could not be held to its floors; then it is the one case.
    """
    failed, broken = sum(not verdict.passed for verdict in verdicts), int(bool(error))
    numbers = {
        "tests": str(len(verdicts) + broken),
        "failures": str(failed),
        "errors": str(broken),
        "skipped": "0",
        "time": "0",
    }
    root = ElementTree.Element("testsuites", {"name": "clusterqa", **numbers})
    stamp = {"timestamp": created} if created else {}
    suite = ElementTree.SubElement(root, "testsuite", {"name": "eval gate", **numbers, **stamp})
    for verdict in verdicts:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "clusterqa.eval.gate", "name": _printable(verdict.name), "time": "0"}
        )
        if verdict.passed:
            ElementTree.SubElement(case, "system-out").text = told(verdict)
        else:
            ElementTree.SubElement(case, "failure", {"message": told(verdict), "type": "regression"}).text = told(
                verdict
            )
    if error:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "clusterqa.eval.gate", "name": "comparable", "time": "0"}
        )
        ElementTree.SubElement(case, "error", {"message": _printable(error), "type": "not comparable"})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def as_summary(verdicts: Sequence[Verdict], name: str) -> str:
    """A table in GitHub's Markdown for the summary of a step: what fell first."""
    failed = sum(not verdict.passed for verdict in verdicts)
    head = f"{failed} of {len(verdicts)} floors missed" if failed else f"all {len(verdicts)} floors held"
    lines = [f"### {_cell(name)}: {head}", "", "| | | reached | floor | passes from | n |", "|---|---|--:|--:|--:|--:|"]
    for v in sorted(verdicts, key=lambda verdict: verdict.passed):
        shares = " | ".join(f"{100 * max(0.0, share):.1f} %" for share in (v.value, v.floor, v.allowed))
        lines.append(f"| {'✓' if v.passed else '✗'} | {_cell(v.name)} | {shares} | {v.questions} |")
    return "\n".join(lines) + "\n\n"


def annotation(title: str, message: str) -> str:
    """A line that a GitHub workflow shows as an error."""
    return f"::error title={_escaped(title).replace(':', '%3A').replace(',', '%2C')}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _cell(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _printable(text: str) -> str:
    """Without the characters that XML does not have."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "�", text)
