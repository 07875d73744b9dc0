"""A reranker of one's own, for the setting `reranker = "reversed_reranker:Reversed"`: what is best comes last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from clusterqa.ports import Index
from clusterqa.records import FirstLook, Query, Reranked
from clusterqa.retrieval.rerank import LateInteraction


class Reversed(LateInteraction):
    """Late interaction with its scores turned round: the higher one was, the lower it is, in (0, 1)."""

    name = "reversed_reranker:Reversed"

    def rerank(self, query: Query, ids: Sequence[int], first: FirstLook, index: Index) -> list[Reranked]:
        verdicts = super().rerank(query, ids, first, index)
        return [replace(verdict, score=1 / (1 + math.exp(verdict.score))) for verdict in verdicts]
