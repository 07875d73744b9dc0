"""One version of a document, from a store."""

from __future__ import annotations

from clusterqa.errors import CorpusError
from clusterqa.ports import Store
from clusterqa.records import Stored


def find(store: Store, document: str, version: str | None = None) -> tuple[Stored, str, str]:
    """
    A document, the sha256 of the wanted version and its text; the newest version without a wish, and the beginning of a
    sha256 is wish enough.

    Raises CorpusError when there is no such document, or not exactly one such version.
    """
    stored = store.document(document)
    if stored is None:
        raise CorpusError(f"There is no document {document}. Look at the list of documents for what there is.")
    versions = [stored.version]
    if version:
        versions = [known for known in store.versions(document) if known.startswith(version)]
    if len(versions) != 1:
        some = ", ".join(known[:12] for known in (versions or store.versions(document))[-10:])
        raise CorpusError(
            f"{document} has {len(versions)} versions that begin with {version}. Give more of it: {some}"
            if versions
            else f"{document} has no version that begins with {version}. It has: {some}"
        )
    text = store.text(document, versions[0])
    if text is None:
        raise CorpusError(f"The text of {document} is missing from the index. Mend it with: clusterqa index --rebuild")
    return stored, versions[0], text
