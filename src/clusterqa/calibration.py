"""
The confidence: a probability that the first quote answers the question, fitted per encoder on questions with known answers.

A logistic regression over a few features of a search. Its weights, and the probability from which on an answer is
given, stand in `calibration.json` with the encoder's fingerprint. `clusterqa eval calibrate` writes that file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from clusterqa.errors import EvaluationError

FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """
    P(right) = 1 / (1 + exp(−(bias + Σ weights[f] · (features[f] − means[f]) / scales[f]))).

    `threshold` is the operating point: below it the reply is an honest "not found".
    """

    encoder: str
    weights: Mapping[str, float]
    means: Mapping[str, float]
    scales: Mapping[str, float]
    bias: float
    threshold: float
    fitted_on: str = ""
    outcomes: Sequence[tuple[float, int, int]] = ()
    """
    What the operating point was chosen from, one row for each question of the fitting half: (out-of-fold probability,
    1 if it can be answered, 1 if the first quote is right). The staff desk shows by it what another point would do.
    """

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability in (0, 1) that the first quote answers; a feature that is not weighed does not count."""
        z = self.bias + sum(
            weight * (features[name] - self.means[name]) / self.scales[name] for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(min(z, 30.0), -30.0)))

    @classmethod
    @lru_cache(maxsize=1)
    def bundled(cls) -> Calibration:
        """The calibration that ships with the bundled encoder."""
        return cls(**json.loads(resources.files("clusterqa").joinpath(FILE).read_text(encoding="utf-8")))

    @classmethod
    def read(cls, path: Path, encoder: str) -> Calibration:
        """
        The calibration in a file.

        Raises EvaluationError when it is not one, or was fitted for another encoder than `encoder` (a fingerprint).
        """
        try:
            found = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise EvaluationError(
                f"The calibration {path} cannot be read ({error}). Make it again with: clusterqa eval calibrate"
            ) from error
        if found.encoder != encoder:
            raise EvaluationError(
                f"The calibration {path} was fitted for the encoder {found.encoder}, not for {encoder}. "
                "Fit one for this encoder with: clusterqa eval calibrate"
            )
        return found

    def write(self, path: Path) -> None:
        content = asdict(self)
        outcomes = content.pop("outcomes")
        text = json.dumps(content, ensure_ascii=False, indent=2)
        if outcomes:  # in one line: hundreds of rows
            text = f'{text[:-2]},\n  "outcomes": {json.dumps(outcomes)}\n}}'
        path.write_text(text + "\n", encoding="utf-8")
