"""The Python door: what `clusterqa.open` gives. docs/python.md shows it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterqa import extras, runtime
from clusterqa.corpus import folder, sync
from clusterqa.errors import IndexNotFound
from clusterqa.settings import Settings

if TYPE_CHECKING:
    from clusterqa.evaluation.summary import Figures

log = logging.getLogger(__name__)


class KnowledgeBase(runtime.KnowledgeBase):
    """
    One corpus, ready to be asked, changed and evaluated; made by `clusterqa.open`.

    Thread-safe, not fork-safe: a forked process opens its own.
    """

    def evaluate(self, path: str | Path, split: str = "all") -> Figures:
        """
        Ask every question of a set whose answers are known (a JSONL file, see docs/evaluation.md) and measure the replies.

        `split` is "held", "fit" or "all". Raises EvaluationError when the set cannot be used, MissingExtra
        where `clusterqa[eval]` is not installed.
        """
        self._usable()
        extras.need("eval", "Evaluation")
        from clusterqa.evaluation.summary import evaluate  # loads more than asking needs

        return evaluate(Path(path), self, split)


def open(corpus: str | Path | Settings | None = None, data: str | Path | None = None, **settings: Any) -> KnowledgeBase:
    """
    Load the encoder and open the index, which is built (this takes a while) when there is none.

    `corpus` is the folder of the documents and `data` the one for everything derived; other settings go by their names, and
    what is not given comes from variables, clusterqa.toml and the defaults, as at the command line. In place of all that one
    `Settings`. An index that is there is opened as it is: `update` brings it in step with files that changed.

    Raises SettingsError, CorpusError, EncoderError; IndexOutdated when the index was built with another encoder or setting.
    """
    if isinstance(corpus, Settings):
        if data is not None or settings:
            raise TypeError("Settings hold the data folder and everything else. Give them alone.")
        made = corpus
    else:
        made = Settings.load({"corpus": corpus, "data": data, **settings})
    encoder = runtime.load_encoder(made)
    try:
        return KnowledgeBase(made, encoder)
    except IndexNotFound:
        folder.corpus_files(made)  # where there are none, no data folder is made
        for error in sync.update(made, lambda: encoder).unreadable:
            log.warning("Not read: %s", error)
    return KnowledgeBase(made, encoder)
