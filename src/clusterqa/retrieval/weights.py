"""How the search weighs: the numbers of a profile that an evaluation may vary."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchWeights:
    """What an evaluation may vary without building an index again. Shares, strengths and cosines are in [0, 1]."""

    candidates: int
    """Passages and sentences looked at in each language."""
    reranked: int
    """Passages that the reranker reads."""
    read: int
    """Hits that the reader reads, where there is one."""
    passage_reading: float
    """What one unit of the reader's logit of a passage adds to the search's score."""
    sentence_reading: float
    """The same for a sentence."""
    neighbour_share: float
    """A neighbouring sentence joins the quote when its score is at least this share of the best one's."""
    dense_weight: float
    """What nearness by meaning counts; the share of words counts the rest."""
    dense_scale: float
    """Standard deviations above the background's mean at which the dense part is full."""
    translation_strength: float
    spelling_strength: float
    head_strength: float
    """For a word held only by the title or a heading above the passage."""
    passage_share: float
    """What the passage as a whole counts beside its best sentence."""
    token_share: float
    """What late interaction counts beside the vectors of whole texts, where there are token embeddings."""
    token_scale: float
    """As `dense_scale`, for late interaction."""
    answer_type_bonus: float
    """For a sentence that holds the kind of thing asked for (a date, a sum, a name)."""
    announcement_malus: float
    """For a sentence that only announces a list which stands in the next passage."""
    prior_passages: int
    """
    The priors are what is assumed of the background (mean, deviation) of a corpus too small to show one, as if so many
    passages had been seen.
    """
    passage_prior_mean: float
    passage_prior_deviation: float
    token_prior_mean: float
    token_prior_deviation: float
    common_token_prior: float
    """The same for the nearness of one token of a question to the passages."""
    same_place_cosine: float
    """Passages of two translations of one document are the same place from this cosine on."""
    near_duplicate_cosine: float
    """Passages of one language with the same content words are near-duplicates from this cosine on."""
    replaces_cosine: float
    """In a follow-up a new word takes the place of an earlier one from this cosine of the two words on."""


WEIGHT_NAMES = tuple(field.name for field in fields(SearchWeights))
