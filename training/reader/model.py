"""
The reader as it learns: the arithmetic of `clusterqa.readers.reader`, over batches without padding.

What is dense runs on the pieces alone; only what compares pieces (alignment, attention) is spread over a padded grid, a few
pairs alike in length at a time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from clusterqa.encoders import bundled_path
from clusterqa.encoders.sentence import folder_fingerprint
from clusterqa.readers.features import PASSAGE_FEATURES, SENTENCE_FEATURES
from data import Batch, Chunk

BESIDE = (-2, -1, 1, 2)
"""Which pieces of the same text are seen beside each."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`states` numbers come in for a piece, the first `aligned` of which are compared; then `layers` of `width`."""

    states: int = 192
    aligned: int = 128
    width: int = 192
    heads: int = 6
    layers: int = 3


@dataclass(frozen=True, slots=True)
class Logits:
    """Of the pairs (pairs,), of all their sentences (sentences,), of each row being first and last of an answer (rows, 2)."""

    passages: Tensor
    sentences: Tensor
    edges: Tensor
    by_texts: tuple[Tensor, Tensor]
    """The first two without what the search thinks."""


class Layer(nn.Module):
    """
    The pieces beside each, by a weight for every place and number; then attention and a wide layer, each on what was made
    normal before. Attention knows no order, and an answer's edges are a matter of order.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.near = nn.Parameter(torch.zeros(len(BESIDE), width))
        self.before_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.before_wide = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, batch: Batch, absent: list[Tensor], beside: list[Tensor]) -> Tensor:
        x = x + torch.stack([weight * row for weight, row in zip(self.near, shifted(x, beside), strict=True)]).sum(0)
        three = self.attention(self.before_attention(x))
        seen = [self._seen(three, chunk, empty) for chunk, empty in zip(batch.chunks, absent, strict=True)]
        x = x + self._drop(self.out(torch.cat(seen)))
        return x + self._drop(self.down(F.gelu(self.up(self.before_wide(x)))))

    def _seen(self, three: Tensor, chunk: Chunk, absent: Tensor) -> Tensor:
        pairs, length = len(absent), chunk.question + chunk.passage
        spread = grid(three[chunk.rows], chunk).view(pairs, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(spread[0], spread[1], spread[2], attn_mask=absent[:, None, None])
        return found.transpose(1, 2).reshape(pairs * length, -1)[chunk.place]

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class Head(nn.Module):
    """One logit of what was read and what the search thinks: through a hidden layer, and of the latter straight too."""

    def __init__(self, read: int, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(read, width)
        self.from_search = nn.Linear(features, width, bias=False)
        self.logit = nn.Linear(width, 1)
        self.straight = nn.Linear(features, 1, bias=False)
        self.dropout = dropout
        nn.init.zeros_(self.from_search.weight)
        nn.init.zeros_(self.straight.weight)

    def forward(self, read: Tensor, features: Tensor) -> Tensor:
        hidden = torch.tanh(self.hidden(read) + self.from_search(features))
        return (self.logit(F.dropout(hidden, self.dropout, self.training)) + self.straight(features)).squeeze(-1)


class Model(nn.Module):
    """States of both texts to logits. `cut` and `rarity` stand still, as the states were made with them."""

    def __init__(self, shape: Shape, cut: Tensor, rarity: Tensor, dropout: float = 0.1) -> None:
        """`cut` (states, hidden): see prepare.py; `rarity` (vocabulary,): of each piece, in [0, 1]."""
        super().__init__()
        self.shape = shape
        width = shape.width
        self.register_buffer("cut", cut)
        self.register_buffer("rarity", rarity)
        for name, size in (("passage_features", len(PASSAGE_FEATURES)), ("sentence_features", len(SENTENCE_FEATURES))):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))
        self.widen = nn.Linear(shape.states, shape.states, bias=False)
        nn.init.eye_(self.widen.weight)
        self.plain = nn.LayerNorm(shape.states)
        self.sharpness = nn.Parameter(torch.tensor(12.0))
        self.side = nn.Embedding(2, width)
        self.mix = nn.Linear(3 * shape.states, width)
        self.facts = nn.Linear(4, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(Layer(width, shape.heads, dropout) for _ in range(shape.layers))
        self.end = nn.LayerNorm(width)
        self.passage = Head(3 * width, len(PASSAGE_FEATURES), width, dropout)
        self.sentence = Head(2 * width, len(SENTENCE_FEATURES), width, dropout)
        self.edges = nn.Linear((1 + len(BESIDE)) * width, 2)

    def forward(self, batch: Batch) -> Logits:
        x = self.widen(batch.states)
        unit = F.normalize(x[:, : self.shape.aligned], dim=-1)
        x = self.plain(x)
        rarity = self.rarity[batch.ids]
        aligned = [self._aligned(x, unit, rarity, chunk) for chunk in batch.chunks]
        other, facts = (torch.cat(parts) for parts in zip(*aligned, strict=True))
        x = self.norm(self.mix(torch.cat([x, other, x * other], 1)) + self.side(batch.side) + self.facts(facts))
        absent = [~there(chunk) for chunk in batch.chunks]
        bias = [torch.zeros(empty.shape).masked_fill(empty, float("-inf")) for empty in absent]
        beside = neighbours(batch)
        for layer in self.layers:
            x = layer(x, batch, bias, beside)
        x = self.end(x)
        pairs = len(batch.first)
        asked, told = (_means(x, torch.where(batch.side == side, batch.pair, -1), pairs) for side in (0, 1))
        passage_features = (batch.passage_features - self.passage_features_mean) / self.passage_features_scale
        sentence_features = (batch.sentence_features - self.sentence_features_mean) / self.sentence_features_scale
        of_sentences = _means(x, batch.sentence, len(batch.owner))
        of_passages = torch.cat([x[batch.first], asked, told], 1)
        of_sentences = torch.cat([of_sentences, asked[batch.owner]], 1)
        return Logits(
            self.passage(of_passages, passage_features * batch.searched[:, None]),
            self.sentence(of_sentences, sentence_features * batch.searched[batch.owner][:, None]),
            self.edges(torch.cat([x, *shifted(x, beside)], 1)),
            (
                self.passage(of_passages, torch.zeros_like(passage_features)),
                self.sentence(of_sentences, torch.zeros_like(sentence_features)),
            ),
        )

    def _aligned(self, x: Tensor, unit: Tensor, rarity: Tensor, chunk: Chunk) -> tuple[Tensor, Tensor]:
        """For each row the mean of the other text's pieces that are near it, and how near the nearest is and how rare."""
        split = (chunk.question, chunk.passage)
        asked, told = grid(unit[chunk.rows], chunk).split(split, 1)
        near = asked @ told.transpose(1, 2)
        is_asked, is_told = there(chunk).split(split, 1)
        values = grid(x[chunk.rows], chunk).split(split, 1)
        rare = grid(rarity[chunk.rows, None], chunk).squeeze(-1).split(split, 1)
        means, facts = [], []
        for cosines, known, others, own_rare, rarities in (
            (near, is_told, values[1], rare[0], rare[1]),
            (near.transpose(1, 2), is_asked, values[0], rare[1], rare[0]),
        ):
            cosines = cosines.masked_fill(~known[:, None], -1e9)
            best, place = cosines.max(-1)
            means.append(torch.softmax(cosines * self.sharpness.clamp(4, 40), -1) @ others)
            met = torch.gather(rarities, 1, place)
            facts.append(torch.stack([best, own_rare, met, best * met], -1))
        mean, fact = torch.cat(means, 1), torch.cat(facts, 1)
        return mean.flatten(0, 1)[chunk.place], fact.flatten(0, 1)[chunk.place]

    def save(self, folder: Path, half: bool = True) -> None:
        """A folder as `clusterqa.readers` loads it, weights in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        kind = torch.float16 if half else torch.float32
        tensors = {name: tensor.detach().to(kind).contiguous() for name, tensor in self.state_dict().items()}
        save_file(tensors, folder / "model.safetensors")
        facts = {
            "encoder": folder_fingerprint(bundled_path()),
            **asdict(self.shape),
            "passage_features": PASSAGE_FEATURES,
            "sentence_features": SENTENCE_FEATURES,
        }
        (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, dropout: float = 0.1) -> Model:
        facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tensors = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
        shape = Shape(**{name: facts[name] for name in asdict(Shape())})
        model = cls(shape, tensors["cut"], tensors["rarity"], dropout)
        model.load_state_dict(tensors)
        return model


def grid(rows: Tensor, chunk: Chunk) -> Tensor:
    """Rows of a chunk where they stand in (pairs, question + passage, …), and zeros where nothing does."""
    pairs, length = chunk.pairs.stop - chunk.pairs.start, chunk.question + chunk.passage
    return rows.new_zeros(pairs * length, rows.shape[-1]).index_copy(0, chunk.place, rows).view(pairs, length, -1)


def there(chunk: Chunk) -> Tensor:
    """Whether there is a piece, (pairs, question + passage)."""
    pairs, length = chunk.pairs.stop - chunk.pairs.start, chunk.question + chunk.passage
    return torch.zeros(pairs * length, dtype=torch.bool).index_fill(0, chunk.place, True).view(pairs, length)


def neighbours(batch: Batch) -> list[Tensor]:
    """For each place of BESIDE 1 where the same text has a piece there, (rows, 1)."""
    text = 2 * batch.pair + batch.side
    return [(torch.roll(text, -place) == text).float()[:, None] for place in BESIDE]


def shifted(x: Tensor, beside: list[Tensor]) -> list[Tensor]:
    """For each place of BESIDE the row that stands there, zeros where none does."""
    return [torch.roll(x, -place, 0) * there for place, there in zip(BESIDE, beside, strict=True)]


def _means(x: Tensor, groups: Tensor, count: int) -> Tensor:
    """The mean of the rows of each group; zeros where it has none. Rows of the group -1 are left out."""
    rows = torch.where(groups >= 0)[0]
    groups = groups[rows]
    sums = x.new_zeros(count, x.shape[1]).index_add(0, groups, x[rows])
    return sums / x.new_zeros(count).index_add(0, groups, x.new_ones(len(rows))).clamp(min=1)[:, None]
