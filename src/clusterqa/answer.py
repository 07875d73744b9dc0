"""
Hits to a reply: the best one to three sentences as a quotation, or an honest "not found".

Every quote is cut here, from the stored text, by its offsets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clusterqa import small_talk
from clusterqa.analysis import content_words
from clusterqa.calibration import Calibration
from clusterqa.conversation import Remark
from clusterqa.passages import sentence_texts
from clusterqa.records import Hit, Language, PassageText, Question, Quote, Reply, Status
from clusterqa.search import Concept, Found, Query, coverage, dense_score

MAX_QUOTES = 3
MAX_SENTENCES = 3
SHORT_QUOTE = 60
"""A quote of fewer characters is too short to stand alone and takes the sentence beside it."""
NEIGHBOUR_SHARE = 0.8
"""A neighbouring sentence joins the quote when its score is at least this share of the best one's."""
MORE_WORDS = 0.12
"""… or when it brings at least this much more of the question's words."""
FURTHER_SHARE = 0.45
"""A further quote is shown when its score is at least this share of the first one's."""

_WORDS: dict[Language, dict[str, str]] = {
    "lt": {
        "answered": "Dokumentuose rašoma:",
        "answered_en": "Atsakymą radome dokumente anglų kalba:",
        "not_found": "Dokumentuose atsakymo į šį klausimą neradome.",
        "nothing": "Dokumentuose atsakymo į šį klausimą neradome.",
        "greeting": "Laba diena! Paklauskite apie klasterių ženklus, o aš pacituosiu, kas apie tai rašoma dokumentuose.",
        "thanks": "Prašom! Jei kils kitų klausimų, klauskite.",
        "farewell": "Viso gero!",
        "about": "Atsakau į klausimus apie klasterių ženklus cituodamas dokumentus ir nurodydamas, iš kur citata paimta. "
        "Savo žodžiais atsakymų nekuriu. Paklauskite, pavyzdžiui: „Kiek laiko galioja bronzos ženklas?“",
        "empty": "Parašykite klausimą, pavyzdžiui: „Kiek laiko galioja bronzos ženklas?“",
        "too_long": "Klausimas ilgesnis nei 2 000 ženklų. Sutrumpinkite jį ir paklauskite dar kartą.",
        "unreadable": "Klausime yra ženklų, kurių neįmanoma perskaityti. Parašykite jį paprastu tekstu.",
    },
    "en": {
        "answered": "The documents say:",
        "answered_lt": "We found the answer in a document in Lithuanian:",
        "not_found": "We could not find an answer to this question in the documents.",
        "nothing": "We could not find an answer to this question in the documents.",
        "greeting": "Hello! Ask me about cluster labels, and I will quote what the documents say.",
        "thanks": "You are welcome! Feel free to ask if you have any other questions.",
        "farewell": "Goodbye!",
        "about": "I answer questions about cluster labels by quoting documents, and I show where each quote comes from. "
        "I do not write answers of my own. You can ask, for example: “How long is the Bronze Label valid?”",
        "empty": "Please type a question, for example: “How long is the Bronze Label valid?”",
        "too_long": "The question is longer than 2,000 characters. Please shorten it and ask again.",
        "unreadable": "The question contains characters we cannot read. Please type it as plain text.",
    },
}


def remark_reply(question: Question, language: Language, remark: Remark) -> Reply:
    """The reply where nothing needs to be searched for."""
    status: Status = "empty" if remark in ("empty", "too_long", "unreadable") else "small_talk"
    message = small_talk.REPLIES[language].get(remark) or _WORDS[language][remark]
    return Reply(question.text, language, status, 0.0, message, id=question.id)


def reply(question: Question, query: Query, found: Found, calibration: Calibration, generation: int) -> Reply:
    """The reply to a question that was searched for."""
    words = _WORDS[query.language]
    if not found.hits:
        return Reply(
            question.text,
            query.language,
            "not_found",
            0.0,
            words["nothing"],
            id=question.id,
            generation=generation,
        )
    confidence = calibration.probability(features(query, found))
    concepts = found.trace.concepts
    floor = FURTHER_SHARE * found.hits[0].score
    quotes = tuple(quote(hit, concepts) for hit in found.hits[:MAX_QUOTES] if hit.score >= floor)
    if confidence < calibration.threshold:
        return Reply(
            question.text, query.language, "not_found", confidence, words["not_found"],
            nearest=quotes, id=question.id, generation=generation,
        )  # fmt: skip
    told_in = quotes[0].source.language
    message = words["answered"] if told_in == query.language else words[f"answered_{told_in}"]
    return Reply(
        question.text, query.language, "answered", confidence, message,
        quotes=quotes, id=question.id, generation=generation,
    )  # fmt: skip


def quote(hit: Hit, concepts: Sequence[Concept]) -> Quote:
    """The best one to three neighbouring sentences of a hit, as a quotation."""
    passage = hit.passage
    first, last = _window(hit, concepts)
    start, end = passage.sentences[first].start, passage.sentences[last].end
    text = passage.text[start - passage.start : end - passage.start]
    return Quote(
        source=hit.source,
        heading=" › ".join(passage.heading),
        page=passage.page,
        page_label=passage.page_label,
        start=start,
        end=end,
        text=text,
        passage=PassageText(passage.start, passage.end, passage.text),
        score=round(hit.score, 6),
    )


def _window(hit: Hit, concepts: Sequence[Concept]) -> tuple[int, int]:
    scores = hit.sentence_scores
    texts = sentence_texts(hit.passage)
    best = max(range(len(scores)), key=lambda i: (round(scores[i], 9), -i))
    first = last = best
    while last - first + 1 < MAX_SENTENCES:
        held = coverage(" ".join(texts[first : last + 1]), concepts)
        length = sum(len(text) for text in texts[first : last + 1])
        choices = []
        for i in (first - 1, last + 1):
            if 0 <= i < len(scores) and _run_on(hit, min(i, first), max(i, last)):
                gain = coverage(" ".join([*texts[first : last + 1], texts[i]]), concepts) - held
                if gain >= MORE_WORDS or scores[i] >= NEIGHBOUR_SHARE * scores[best] or length < SHORT_QUOTE:
                    choices.append((round(gain + scores[i], 9), -i, i))
        if not choices:
            break
        i = max(choices)[2]
        first, last = min(first, i), max(last, i)
    if texts[last].endswith(":"):  # what follows is what was announced
        last = min(max(last, first + MAX_SENTENCES - 1), len(scores) - 1)
    return first, last


def _run_on(hit: Hit, first: int, last: int) -> bool:
    """Whether only white space stands between these sentences: a quote takes no list mark or table bar along."""
    passage = hit.passage
    pairs = zip(passage.sentences[first:last], passage.sentences[first + 1 : last + 1], strict=True)
    return all(not passage.text[a.end - passage.start : b.start - passage.start].strip() for a, b in pairs)


def features(query: Query, found: Found) -> dict[str, float]:
    """What the confidence rests on; every value about 0–1, none of them depends on which two languages meet."""
    hits, concepts = found.hits, found.trace.concepts
    top = hits[0]
    total = sum(concept.weight for concept in concepts) or 1.0
    ground = found.trace.ground[top.source.language]
    text = quote(top, concepts).text
    heading = " ".join((top.source.title, *top.passage.heading))
    words = content_words(query.text)
    others = [hit.score for hit in hits[1:]]
    foreign = top.source.language != query.language
    return {
        "score": top.score,
        "dense": dense_score(top.dense, ground),
        "cosine": top.dense,
        "meaning": top.meaning,
        "lexical": top.lexical,
        "sentence": max(top.sentence_scores),
        "quote_words": coverage(text, concepts),
        "place_words": coverage(f"{heading} {top.passage.lead} {top.passage.text}", concepts),
        # In a document of the other language nobody could have written the question's words.
        "unknown": 0.0 if foreign else sum(c.weight for c in concepts if c.kind == "unknown") / total,
        "rarest": _rarest_held(concepts, f"{heading} {top.passage.text}"),
        "lead": top.score - (others[0] if others else 0.0),
        "crowd": top.score - (sum(others[:5]) / len(others[:5]) if others else 0.0),
        "agreement": float(top.dense >= max(hit.dense for hit in hits))
        + float(top.lexical >= max(hit.lexical for hit in hits)),
        "length": math.log1p(len(words)),
        "foreign": float(foreign),
    }


def _rarest_held(concepts: Sequence[Concept], text: str) -> float:
    """Whether the question's weightiest word stands in the text: strength in [0, 1]."""
    if not concepts:
        return 0.0
    rarest = max(concepts, key=lambda c: c.weight)
    return coverage(text, [rarest]) if rarest.weight > 0 else 0.0


def as_json(reply: Reply) -> dict[str, Any]:
    """A reply in the shape that the command line, the HTTP API and other programs share."""
    return {
        "id": reply.id,
        "question": reply.question,
        "language": reply.language,
        "status": reply.status,
        "confidence": round(reply.confidence, 4),
        "message": reply.message,
        "quotes": [quote_as_json(item) for item in reply.quotes],
        "nearest": [quote_as_json(item) for item in reply.nearest],
        "generation": reply.generation,
    }


def quote_as_json(quote: Quote) -> dict[str, Any]:
    source = quote.source
    return {
        "document": source.document,
        "version": source.version,
        "title": source.title,
        "url": source.url,
        "date": source.date,
        "publisher": source.publisher,
        "language": source.language,
        "translation": source.translation,
        "heading": quote.heading,
        "page": quote.page,
        "page_label": quote.page_label,
        "start": quote.start,
        "end": quote.end,
        "text": quote.text,
        "passage": {"start": quote.passage.start, "end": quote.passage.end, "text": quote.passage.text},
        "score": quote.score,
    }


def hits_as_json(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """The hits of a search in the shape that the command line and the HTTP API share, best first."""
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
