"""
The numbers that belong to one encoder and reranker: how the search weighs, and when its answer is believed.

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
from clusterqa.ports import Encoder
from clusterqa.retrieval.confidence import Calibration
from clusterqa.retrieval.weights import SearchWeights

log = logging.getLogger(__name__)

FILE = "profile.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """`encoder` is the fingerprint of the encoder that the numbers were fitted for, `reranker` the name of the reranker."""

    encoder: str
    reranker: str
    search: SearchWeights
    calibration: Calibration

    @classmethod
    def read(cls, path: Path) -> Profile:
        """Raises EvaluationError when the file is not a profile."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                encoder=found["encoder"],
                reranker=found["reranker"],
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

    def fits(self, encoder: Encoder, reranker: str) -> bool:
        """Whether the numbers were fitted for these two."""
        return (self.encoder, self.reranker) == (encoder.fingerprint, reranker)

    def write(self, path: Path) -> None:
        content: dict[str, Any] = asdict(self)
        outcomes = content["calibration"].pop("outcomes")
        text = json.dumps(content, ensure_ascii=False, indent=2)
        # The outcomes stand in one line: there are hundreds of rows.
        text = text.removesuffix("\n  }\n}") + f',\n    "outcomes": {json.dumps(outcomes)}\n  }}\n}}\n'
        path.write_text(text, encoding="utf-8")


def profile_for(encoder: Encoder, reranker: str, folders: Sequence[Path]) -> Profile:
    """
    The profile fitted for an encoder and reranker: the first that fits of those in `folders`, else the bundled one.

    One that was fitted for something else is passed over with a warning, as is one that cannot be read.
    """
    for folder in folders:
        path = folder / FILE
        if not path.is_file():
            continue
        try:
            found = Profile.read(path)
        except EvaluationError as error:
            log.warning("%s", error)
            continue
        if found.fits(encoder, reranker):
            return found
        log.warning(
            "The profile %s was fitted for the encoder %s with %s, not for %s with %s. "
            "Fit one for these with: clusterqa eval calibrate",
            path, found.encoder, found.reranker, encoder.fingerprint, reranker,
        )  # fmt: skip
    bundled = Profile.bundled()
    if not bundled.fits(encoder, reranker):
        log.warning(
            "The confidence was fitted for %s with %s, not for %s with %s: it may refuse too much or too little. "
            "Fit it with: clusterqa eval calibrate",
            bundled.encoder, bundled.reranker, encoder.fingerprint, reranker,
        )  # fmt: skip
    return bundled
