"""How every template is filled in: escaped, strict, and with words before methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2


class Environment(jinja2.Environment):
    """
    The templates of a folder of `clusterqa.web`; whatever is printed is escaped, whatever is missing is an error.

    `words.clear` is the word "clear", also where `dict` has a method of that name: of a mapping only its items can be reached.
    """

    def __init__(self, folder: str = "templates") -> None:
        super().__init__(
            loader=jinja2.PackageLoader("clusterqa.web", folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute) if isinstance(obj, Mapping) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if not isinstance(obj, Mapping):
            return super().getitem(obj, argument)
        try:
            return obj[argument]
        except (KeyError, TypeError):
            return self.undefined(obj=obj, name=argument)
