"""Replies and hits as JSON, in the shape that the command line, the HTTP API and other programs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clusterqa.documents.shown import as_lines, named_cells
from clusterqa.records import Hit, Part, Query, Quote, Reply, Trace


def reply_as_json(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "question": reply.question,
        "language": reply.language,
        "status": reply.status,
        "confidence": round(reply.confidence, 4),
        "message": reply.message,
        "quotes": [quote_as_json(item) for item in reply.quotes],
        "nearest": [quote_as_json(item) for item in reply.nearest],
        "parts": [
            {
                "label": part.label,
                "confidence": round(part.confidence, 4),
                "quote": part.quote and quote_as_json(part.quote),
            }
            for part in reply.parts
        ],
        "choices": list(reply.choices),
        "generation": reply.generation,
    }


def quote_as_json(quote: Quote) -> dict[str, Any]:
    source = quote.source
    row = next((part for part in quote.selection if part.kind == "row" and part.end > quote.start), None)
    return {
        "document": source.document,
        "version": source.version,
        "title": source.title,
        "url": source.url,
        "date": source.date,
        "publisher": source.publisher,
        "language": source.language,
        "translation": source.translation,
        "valid_until": source.valid_until,
        "heading": quote.heading,
        "page": quote.page,
        "page_label": quote.page_label,
        "start": quote.start,
        "end": quote.end,
        "text": quote.text,
        "short": quote.short
        and {"start": quote.short.start, "end": quote.short.end, "text": quote.short_text, "sure": quote.sure},
        "shown": as_lines(quote.selection, source.media_type),
        "header": list(row.header) if row else [],
        "cells": [cell for _, cell in named_cells(row, source.media_type)] if row else [],
        "year": quote.year,
        "closed": quote.closed,
        "sources": list(source.sources),
        "selection": [part_as_json(part) for part in quote.selection],
        "passage": {"start": quote.passage.start, "end": quote.passage.end, "text": quote.passage.text},
        "score": quote.score,
    }


def part_as_json(part: Part) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "start": part.start,
        "end": part.end,
        "text": part.text,
        "level": part.level,
        "number": part.number,
        "header": list(part.header),
        "cells": [{"start": cell.start, "end": cell.end, "text": part.cut(cell)} for cell in part.cells],
    }


def hits_as_json(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """The hits of a search, best first."""
    return [
        {
            "rank": rank,
            "document": hit.passage.document,
            "version": hit.source.version,
            "title": hit.source.title,
            "url": hit.source.url,
            "language": hit.source.language,
            "heading": " › ".join(hit.passage.heading),
            "page": hit.passage.page,
            "start": hit.passage.start,
            "end": hit.passage.end,
            "text": hit.passage.text,
            "score": round(hit.score, 6),
            "dense": round(hit.dense, 6),
            "lexical": round(hit.lexical, 6),
        }
        for rank, hit in enumerate(hits, start=1)
    ]


def trace_as_json(trace: Trace) -> dict[str, Any]:
    """
    How a reply came about: the question as it was understood, the milliseconds of each stage, the hits with the logit that
    the reader gave them (null without one), and what the confidence rests on.
    """
    understood = trace.understood
    readings = [trace.readings.get(hit.passage_id) for hit in trace.hits]
    return {
        "understood": understood.text if isinstance(understood, Query) else understood.kind,
        "milliseconds": {stage: round(value, 2) for stage, value in trace.milliseconds.items()},
        "hits": [
            {**hit, "reading": round(reading.answers, 4) if reading else None}
            for hit, reading in zip(hits_as_json(trace.hits), readings, strict=True)
        ],
        "features": {name: round(value, 4) for name, value in trace.features.items()},
    }
