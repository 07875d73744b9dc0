"""
Cutting XLM-R's 250,002 pieces down to those that Lithuanian and English need, without case and diacritics.

    python training/vocabulary.py WORK --parallel parallel.tsv.gz [--size 32000]

Lithuanian is typed with and without diacritics, in capitals and not. A tokenizer that takes both away first makes all
of it the same question; XLM-R's does neither. So pieces that are alike after folding become one: its embedding is the
mean of theirs, weighted by how often each stands in the parallel text, its score the logarithm of their summed
probabilities. Which folded pieces stay is counted on the folded text itself, cut by the folded pieces: the most
frequent ones, every single letter, and whatever keeps rare words from breaking into scraps.

The result, WORK/pruned, needs training before it is as good as the base: see train.py.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import e5
import numpy as np
import texts

from clusterqa.text.analysis import fold

SPACE = "▁"
SAMPLE = 100_000
"""Pairs counted, drawn by weight: more change nothing but the tail."""


def counts(texts: list[str], pieces: list[tuple[str, float]]) -> Counter[int]:
    """How often each piece is used in the texts, by its number."""
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    total: Counter[int] = Counter()
    for begin in range(0, len(texts), 20_000):
        for encoding in tokenizer.encode_batch(texts[begin : begin + 20_000]):
            total.update(encoding.ids)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--parallel", type=Path, required=True)
    parser.add_argument("--glossary", type=Path)
    parser.add_argument("--corpus", type=Path, help="folder with our documents; their words count tenfold")
    parser.add_argument("--size", type=int, default=32_000)
    options = parser.parse_args()

    model = e5.read(e5.fetch(options.work))
    order = e5.ordered(model)
    special, rest = order[:4], order[4:]
    pairs = texts.parallel(options.parallel, options.glossary)
    drawn = np.random.default_rng(0).choice(len(pairs.en), SAMPLE, p=pairs.weight)
    sample = [side[i] for i in drawn for side in (pairs.en, pairs.lt)]
    if options.corpus:
        sample += [path.read_text(encoding="utf-8") for path in sorted(options.corpus.glob("*.md"))] * 10
    sample = [" ".join(text.split()) for text in sample]

    # How often each original piece is used says which variant of a folded piece matters.
    used = counts(sample, [(model.pieces[n], model.scores[n]) for n in order])
    groups: dict[str, list[tuple[int, float]]] = {}
    for position, number in enumerate(rest, start=4):
        key = fold(model.pieces[number])
        if key:
            groups.setdefault(key, []).append((number, used[position] + 0.01))
    merged = {
        key: (
            float(np.logaddexp.reduce([model.scores[number] for number, _ in members])),
            np.average(
                model.tensors["emb.word"][[number for number, _ in members]], axis=0, weights=[w for _, w in members]
            ),
        )
        for key, members in groups.items()
    }

    heads = [(model.pieces[number], model.scores[number]) for number in special]
    names = list(merged)
    again = counts([fold(text) for text in sample], heads + [(key, merged[key][0]) for key in names])
    by_use = sorted(range(len(names)), key=lambda i: (-again[i + 4], i))
    letters = [names[i] for i in by_use if len(names[i].removeprefix(SPACE)) <= 1 and again[i + 4]]
    kept = list(dict.fromkeys(letters + [names[i] for i in by_use]))[: options.size - 4]
    pieces = heads + [(key, merged[key][0]) for key in kept]
    words = np.stack([*model.tensors["emb.word"][special], *(merged[key][1] for key in kept)]).astype(np.float32)
    e5.write(options.work / "pruned", model, pieces, words, folded=True)
    stays = set(kept)
    left = sum(again[i + 4] for i in by_use if names[i] in stays) / max(1, sum(again.values()))
    print(f"{options.work / 'pruned'}: {len(pieces)} pieces; {100 * left:.2f} % of the text's pieces are among them")


if __name__ == "__main__":
    main()
