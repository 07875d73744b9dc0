"""Which documents are translations of each other: named in the metadata, or by NAME.lt.* beside NAME.en.*."""

from __future__ import annotations

from collections.abc import Iterable

from clusterqa.records import Source, Stored


def sources(live: Iterable[Stored]) -> dict[str, Source]:
    """Live documents by id as sources, each with its translation among them."""
    documents = {stored.id: stored for stored in live}
    pairs: dict[str, str] = {}
    for stored in documents.values():
        original = stored.translation_of
        if original:
            beside = "/".join([*stored.id.split("/")[:-1], original])
            name = beside if beside in documents else original
            if name in documents and name != stored.id and documents[name].language != stored.language:
                pairs[stored.id] = name
                pairs.setdefault(name, stored.id)
    names: dict[str, dict[str, str]] = {}
    for name in documents:
        folder, _, file = name.rpartition("/")
        parts = file.split(".")
        if len(parts) > 2 and parts[-2].lower() in ("lt", "en"):
            names.setdefault(f"{folder}/{'.'.join(parts[:-2])}", {})[parts[-2].lower()] = name
    for pair in names.values():
        if len(pair) == 2:
            pairs.setdefault(pair["lt"], pair["en"])
            pairs.setdefault(pair["en"], pair["lt"])
    return {name: stored.source(pairs.get(name)) for name, stored in documents.items()}
