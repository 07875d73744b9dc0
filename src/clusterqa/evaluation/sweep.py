"""One question set under many settings: encoder, length of passages, constants of the search."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clusterqa import runtime
from clusterqa.corpus.sync import Progress, update
from clusterqa.encoders.passing import RememberingQueries
from clusterqa.errors import EvaluationError
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.run import Tick, run
from clusterqa.evaluation.sets import Item
from clusterqa.ports import Encoder
from clusterqa.retrieval.profile import Profile
from clusterqa.retrieval.weights import WEIGHT_NAMES
from clusterqa.settings import EMBEDDED, Settings

INDEXED = ("encoder", "passage_chars")
"""What needs an index of its own; everything else is a constant of the search."""

Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Tried:
    """One combination of values, and its run."""

    values: dict[str, Any]
    run: Run


def parse_grid(arguments: Sequence[str]) -> dict[str, list[Any]]:
    """
    "dense_weight=0.4,0.55" and the like → name → values.

    Raises EvaluationError that names every argument that is wrong.
    """
    grid: dict[str, list[Any]] = {}
    wrong = []
    bundled = Profile.bundled().search
    kinds: dict[str, Callable[[str], Any]] = {name: type(getattr(bundled, name)) for name in WEIGHT_NAMES}
    kinds |= {"encoder": str, "passage_chars": int}
    for argument in arguments:
        name, _, values = argument.partition("=")
        name = name.strip().replace("-", "_")
        if name not in kinds:
            wrong.append(f"{argument}: there is no setting {name!r} to vary. Settings: {', '.join(kinds)}.")
            continue
        try:
            found = [kinds[name](part.strip()) for part in values.split(",") if part.strip()]
            if not found:
                raise ValueError("no value is given")
            grid[name] = list(dict.fromkeys([*grid.get(name, ()), *found]))
        except ValueError as error:
            wrong.append(f"{argument}: {error}. Write it like: {name}=VALUE,VALUE")
    if wrong:
        raise EvaluationError("\n".join(wrong))
    return grid


def sweep(
    items: Sequence[Item],
    settings: Settings,
    grid: Grid,
    load: Callable[[Settings], Encoder],
    tick: Tick | None = None,
    progress: Progress | None = None,
) -> Iterator[Tried]:
    """
    Run a question set under every combination of the grid's values, the last name varying fastest.

    The index of the settings themselves is used where it fits; any other is made below the data folder, in `sweep`, and
    found there again the next time. `load` gives the encoder of settings. Tune on the fitting split only.
    """
    encoders: dict[str, Encoder] = {}
    for combination in itertools.product(*grid.values()):
        values = dict(zip(grid, combination, strict=True))
        own = _settings(settings, values)
        if own.encoder not in encoders:
            encoders[own.encoder] = RememberingQueries(load(own))
        encoder = encoders[own.encoder]
        if own.data != settings.data:
            update(own, lambda encoder=encoder: encoder, progress=progress)  # type: ignore[misc]
        usual = runtime.find_profile(own, encoder, runtime.load_reader(own, encoder)).search
        weights = replace(usual, **{name: value for name, value in values.items() if name in WEIGHT_NAMES})
        yield Tried(values, run(items, own, encoder, tick, weights=weights))


def _settings(settings: Settings, values: Mapping[str, Any]) -> Settings:
    changed = {name: values[name] for name in INDEXED if name in values and values[name] != getattr(settings, name)}
    if not changed:
        return settings
    flags = {"corpus": settings.corpus, "encoder": settings.encoder, "passage_chars": settings.passage_chars, **changed}
    label = re.sub(r"[^\w.-]+", "-", str(flags["encoder"])).strip("-")[-40:]
    digest = hashlib.sha256(str(flags["encoder"]).encode()).hexdigest()[:8]
    folder = settings.data / "sweep" / f"{label}-{digest}-{flags['passage_chars']}"
    return Settings.load({**flags, "threads": settings.threads, "data": folder, **EMBEDDED})
