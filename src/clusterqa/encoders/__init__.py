"""Texts to vectors: the bundled encoder, those of a folder or a hub name, and encoders around an encoder."""

from __future__ import annotations

from clusterqa.encoders.sentence import Precision, SentenceEncoder, bundled_path

__all__ = ["Precision", "SentenceEncoder", "bundled_path"]
