"""The two parts of a question set. A module of its own, so that the command line knows them without loading anything."""

from typing import Literal

Split = Literal["fit", "held"]
"""May be tuned and fitted on; only measured."""
SPLITS: tuple[Split | Literal["all"], ...] = ("held", "fit", "all")
"""What may be asked for."""
