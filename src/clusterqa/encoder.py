"""
Texts to unit vectors: the only importer of sentence_transformers and torch.

Vectors become unit length here and nowhere else; an inner product of two is their cosine from here on. Prompts
("query: ", "passage: ") are the encoder's business: they are read from the model's own configuration.

A BERT with mean pooling in a folder, as the bundled encoder is, is run by OpenVINO (`bert.py`) and needs neither of the
two; everything else that sentence-transformers can load is run by it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from clusterqa.bert import Bert
from clusterqa.errors import EncoderError
from clusterqa.settings import BUNDLED_ENCODER

Vectors = NDArray[np.float32]
Precision = Literal["float32", "int8"]

BUNDLED_FOLDER = "e5-small-lt-en"

_KNOWN_PROMPTS = {
    # Models whose card asks for prefixes but whose files do not carry them as prompts.
    "e5": {"query": "query: ", "document": "passage: "},
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """
    A text as encoded: its unit `vector`, shape (dimension,); and for late interaction a unit row for each of its
    `pieces`, in order, with the number of characters of the text that are read with it in `ends`. Both of the latter are
    empty when the encoder compares whole texts only.
    """

    vector: Vectors
    pieces: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    ends: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class Encoder(Protocol):
    """
    What search needs of an encoder; tests bring one whose cosines can be worked out on paper.

    `read_…` are for encoders that compare texts piece by piece as well; who inherits them compares whole texts only.
    """

    fingerprint: str
    """Changes whenever the vectors would; stored beside them."""
    dimension: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each question, shape (n, dimension)."""
        ...

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """One unit row for each passage, shape (n, dimension); `progress` is told how many more are done."""
        ...

    def read_query(self, text: str) -> Encoded:
        """One question, with its pieces."""
        return Encoded(self.encode_queries([text])[0])

    def read_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Encoded]:
        """Passages as above, with their pieces."""
        return [Encoded(row) for row in self.encode_passages(texts, progress)]

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts that are longer than the model reads."""
        ...


class PassingEncoder(Encoder):
    """An encoder that leaves everything to another. Who wraps one overrides what it does otherwise, and forgets nothing."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.fingerprint = encoder.fingerprint
        self.dimension = encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return self._encoder.encode_passages(texts, progress)

    def read_query(self, text: str) -> Encoded:
        return self._encoder.read_query(text)

    def read_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Encoded]:
        return self._encoder.read_passages(texts, progress)

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.cut_off(texts)


class Model(Protocol):
    """What runs a model's arithmetic."""

    @property
    def limit(self) -> int | None:
        """Pieces read of a text; None when there is no limit."""
        ...

    @property
    def prompts(self) -> Mapping[str, str]:
        """The prompts of its own configuration, by name."""
        ...

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, of any length, shape (n, dimension); at least one text."""
        ...

    def pieces(self, texts: Sequence[str]) -> list[int]:
        """How many pieces each text has."""
        ...


class SentenceEncoder(Encoder):
    """A sentence-transformers model behind the Encoder port. Thread-safe, as its models are."""

    def __init__(self, model: Model, fingerprint: str, prompts: dict[str, str]) -> None:
        self._model = model
        self._prompts = prompts
        self.fingerprint = fingerprint
        self.dimension = model(["a"]).shape[1]

    @classmethod
    def load(cls, name: str = BUNDLED_ENCODER, threads: int = 2, precision: Precision = "float32") -> SentenceEncoder:
        """
        Load the bundled encoder, a folder, or a hub name.

        The bundled one and folders never touch the network. "int8" multiplies matrices in eight-bit integers: nearly
        twice as fast, with slightly other vectors, so the fingerprint says so. Raises EncoderError with the next step.
        """
        local = bundled_path() if name == BUNDLED_ENCODER else Path(name).expanduser()
        is_local = local.is_dir()
        if name == BUNDLED_ENCODER and not is_local:
            raise EncoderError(f"The bundled encoder is missing at {local}. Install the package again.")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            if is_local:
                os.environ["HF_HUB_OFFLINE"] = "1"
                os.environ["TRANSFORMERS_OFFLINE"] = "1"
                fingerprint = folder_fingerprint(local) + ("" if precision == "float32" else f"+{precision}")
                bert = Bert.read(local, threads, precision)
                if bert is not None:
                    return cls(bert, fingerprint, prompts_of(bert.prompts, name))
            model = Torch(str(local) if is_local else name, threads)
        except ModuleNotFoundError as error:
            raise EncoderError(
                f"The encoder {name!r} is run by sentence-transformers, which is not installed ({error.name} is missing). "
                "Install it with: pip install 'clusterqa[torch]'. The bundled encoder does without."
            ) from error
        except Exception as error:
            where = f"folder {local}" if is_local else f"name {name!r}"
            raise EncoderError(
                f"The encoder of {where} cannot be loaded ({type(error).__name__}: {str(error)[:200]}). "
                "Give a sentence-transformers folder or hub name with --encoder or CLUSTERQA_ENCODER; "
                "a hub name needs the network the first time. Without the setting the bundled encoder is used."
            ) from error
        if precision != "float32":
            raise EncoderError(
                f"The encoder {name!r} has no {precision} arithmetic: only a BERT with mean pooling in a folder has. "
                "Set precision to float32."
            )
        return cls(model, fingerprint if is_local else f"{name}@{model.digest()}", prompts_of(model.prompts, name))

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._prompts["query"] + text for text in texts])

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for rows in _longest_first(texts, progress):
            vectors[rows] = self._encode([self._prompts["document"] + texts[row] for row in rows])
        return vectors

    def read_query(self, text: str) -> Encoded:
        return self._read("query", [text])[0]

    def read_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Encoded]:
        found: dict[int, Encoded] = {}
        for rows in _longest_first(texts, progress):
            found.update(zip(rows, self._read("document", [texts[row] for row in rows]), strict=True))
        return [found[row] for row in range(len(texts))]

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        limit = self._model.limit
        # A piece is at least one character, so short texts need no tokenizer.
        long = [i for i, text in enumerate(texts) if limit is not None and len(text) + 16 > limit]
        if limit is None or not long:
            return []
        pieces = self._model.pieces([self._prompts["document"] + texts[i] for i in long])
        return [i for i, count in zip(long, pieces, strict=True) if count > limit]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return _unit(self._model(texts))

    def _read(self, prompt: str, texts: Sequence[str]) -> list[Encoded]:
        before = self._prompts[prompt]
        prompted = [before + text for text in texts]
        if not isinstance(self._model, Bert) or self._model.piece_dimension is None:
            return [Encoded(vector) for vector in self._encode(prompted)]
        vectors, each, ends = self._model.with_pieces(prompted)
        read = []
        for vector, pieces, end in zip(_unit(vectors), each, ends, strict=True):
            own = end > len(before)  # neither the prompt's pieces nor the marks of beginning and end
            read.append(Encoded(vector, pieces[own], end[own] - len(before)))
        return read


def _longest_first(texts: Sequence[str], progress: Callable[[int], None] | None) -> Iterator[list[int]]:
    """Positions of all texts, 64 at a time; longest first keeps padding small."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for begin in range(0, len(order), 64):
        rows = order[begin : begin + 64]
        yield rows
        if progress:
            progress(len(rows))


def _unit(vectors: Vectors) -> Vectors:
    return np.ascontiguousarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


class Torch:
    """Whatever sentence-transformers can load, run by it. Thread-safe: torch runs inference without shared state."""

    def __init__(self, name: str, threads: int) -> None:
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        torch.set_num_threads(threads)
        self._model = SentenceTransformer(name, device="cpu", model_kwargs={"dtype": torch.float32})
        self._model.eval()
        self.limit: int | None = self._model.max_seq_length
        self.prompts: dict[str, str] = dict(getattr(self._model, "prompts", None) or {})

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = self._model.encode(
            list(texts), batch_size=64, show_progress_bar=False, convert_to_numpy=True, prompt=""
        )
        return np.asarray(vectors, dtype=np.float32)

    def pieces(self, texts: Sequence[str]) -> list[int]:
        found = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in found["input_ids"]]

    def digest(self) -> str:
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()[:16]


def bundled_path() -> Path:
    """Folder of the encoder inside the package."""
    return Path(str(files("clusterqa"))) / "encoders" / BUNDLED_FOLDER


def folder_fingerprint(folder: Path) -> str:
    """
    Name and digest over the files of a model folder that change its vectors (weights, tokenizer, configuration).

    The model card does not count: a word corrected in it must not make an index worthless.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {".json", ".safetensors", ".bin", ".txt", ".model", ".onnx"}:
            digest.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{folder.name}@{digest.hexdigest()[:16]}"


def prompts_of(own: Mapping[str, str], name: str) -> dict[str, str]:
    """What goes before a question and a passage: the model's own prompts, else those of its family, else nothing."""
    query = own.get("query", "")
    document = own.get("document") or own.get("passage", "")
    if not query and not document:
        for family, prompts in _KNOWN_PROMPTS.items():
            if family in Path(name).name.lower().replace("_", "-").split("-"):
                return dict(prompts)
    return {"query": query, "document": document}
