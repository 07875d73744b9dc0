"""docs/notebook.ipynb runs from top to bottom in a fresh kernel, and its evaluation ends in a plot."""

from __future__ import annotations

import pytest

from python_fixtures import ROOT, environment, folder_with_corpus

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def test_the_notebook_is_kept_without_results() -> None:
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.encoder
def test_the_notebook_asks_searches_and_evaluates_with_a_plot(tmp_path, monkeypatch) -> None:
    folder = folder_with_corpus(tmp_path / "notebook")
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    printed = "".join(output.text for output in shown if output.output_type == "stream" and output.name == "stdout")
    assert "bronze-label.lt.md" in printed
    kinds = [set(output.data) for output in shown if "data" in output]
    assert any("text/html" in kind for kind in kinds)
    assert any("image/png" in kind for kind in kinds)
