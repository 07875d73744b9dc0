"""
The numbers that belong to one encoder, reranker and reader: how the search weighs, and when its answer is believed.

They stand in one JSON file beside the encoder's weights, or in the data folder for one fitted there. `clusterqa eval sweep`
tries others for `search`, `clusterqa eval calibrate` fits `calibration` and writes the file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from clusterqa.errors import EvaluationError
from clusterqa.jsontext import parsed
from clusterqa.retrieval.confidence import Calibration
from clusterqa.retrieval.weights import SearchWeights

log = logging.getLogger(__name__)

FILE = "profile.json"
NO_READER = "none"


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What the numbers were fitted for: `encoder` and `reader` are fingerprints (NO_READER without one), `reranker` a name.
    """

    encoder: str
    reranker: str
    reader: str
    search: SearchWeights
    calibration: Calibration

    @classmethod
    def read(cls, path: Path) -> Profile:
        """Raises EvaluationError when the file is not a profile."""
        try:
            found = parsed(path.read_text(encoding="utf-8"))
            return cls(
                encoder=found["encoder"],
                reranker=found["reranker"],
                reader=found["reader"],
                search=SearchWeights(**found["search"]),
                calibration=Calibration(**found["calibration"]),
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise EvaluationError(
                f"The profile {path} cannot be read ({error}). Make it again with: clusterqa eval calibrate"
            ) from error

    @classmethod
    @lru_cache(maxsize=1)
    def bundled(cls) -> Profile:
        """The profile of the bundled encoder."""
        from clusterqa.encoders import bundled_path

        return cls.read(bundled_path() / FILE)

    def fits(self, encoder: str, reranker: str, reader: str) -> bool:
        """Whether the numbers were fitted for these."""
        return (self.encoder, self.reranker, self.reader) == (encoder, reranker, reader)

    def as_text(self) -> str:
        """As `read` takes it."""
        content: dict[str, Any] = asdict(self)
        outcomes = content["calibration"].pop("outcomes")
        text = json.dumps(content, ensure_ascii=False, indent=2)
        # The outcomes stand in one line: there are hundreds of rows.
        return text.removesuffix("\n  }\n}") + f',\n    "outcomes": {json.dumps(outcomes)}\n  }}\n}}\n'


def profile_for(encoder: str, reranker: str, reader: str, own: Path, beside: Sequence[Path]) -> Profile:
    """
    The profile fitted for an encoder, reranker and reader: the one in the folder `own`, one of those in the folders `beside`
    the models, else the bundled one.

    A profile of one's own that cannot be read or was fitted for something else is passed over with a warning, and so is the
    lack of one that fits.
    """
    if (own / FILE).is_file():
        try:
            found = Profile.read(own / FILE)
            if found.fits(encoder, reranker, reader):
                return found
            log.warning(
                "The profile %s was fitted %s, not %s. Fit one for these with: clusterqa eval calibrate",
                own / FILE, _for(found.encoder, found.reranker, found.reader), _for(encoder, reranker, reader),
            )  # fmt: skip
        except EvaluationError as error:
            log.warning("%s", error)
    for folder in beside:
        if (folder / FILE).is_file() and (found := Profile.read(folder / FILE)).fits(encoder, reranker, reader):
            return found
    last = Profile.bundled()
    log.warning(
        "The confidence was fitted %s, not %s: it may refuse too much or too little. "
        "Fit it with: clusterqa eval calibrate",
        _for(last.encoder, last.reranker, last.reader), _for(encoder, reranker, reader),
    )  # fmt: skip
    return last


def _for(encoder: str, reranker: str, reader: str) -> str:
    return f"for the encoder {encoder} with {reranker}" + ("" if reader == NO_READER else f" and the reader {reader}")
