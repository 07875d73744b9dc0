"""
The encoders of sentence-transformers folders and hub names, the bundled one among them.

Vectors become unit length here and nowhere else; an inner product of two is their cosine from here on. Prompts
("query: ", "passage: ") are the encoder's business: they are read from the model's own configuration.

A BERT with mean pooling in a folder, as the bundled encoder is, is run by OpenVINO (`openvino.py`); everything else that
sentence-transformers can load is run by it (`torch.py`).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from clusterqa.encoders.openvino import Bert
from clusterqa.encoders.torch import Torch
from clusterqa.errors import EncoderError
from clusterqa.ports import Encoder, Progress, Vectors
from clusterqa.records import Encoded
from clusterqa.settings import BUNDLED_ENCODER

Precision = Literal["float32", "int8"]

BUNDLED_FOLDER = "e5-small-lt-en"

PROFILE = "profile.json"
_WEIGHING = {".json", ".safetensors", ".bin", ".txt", ".model", ".onnx"}
_KNOWN_PROMPTS = {
    # Models whose card asks for prefixes but whose files do not carry them as prompts.
    "e5": {"query": "query: ", "document": "passage: "},
}


_HUB_NAME = re.compile(r"\w[\w.-]*(/[\w.-]+)?")
"""What may be a name on the Hugging Face hub; everything else is a folder's, and is not looked for there."""


class Model(Protocol):
    """What runs a model's arithmetic."""

    @property
    def limit(self) -> int | None:
        """Tokens read of a text; None when there is no limit."""
        ...

    @property
    def prompts(self) -> Mapping[str, str]:
        """The prompts of its own configuration, by name."""
        ...

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, of any length, shape (n, dimension); at least one text."""
        ...

    def tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has."""
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
        if not is_local and not _HUB_NAME.fullmatch(name):
            raise _no_folder(name)
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
            if not is_local and "/" not in name:
                raise _no_folder(name) from error
            raise EncoderError(
                f"The encoder {name!r} is run by sentence-transformers, which is not installed ({error.name} is missing). "
                "Install it with: pip install 'clusterqa[torch]'. The bundled encoder does without."
            ) from error
        except Exception as error:
            what = (
                f"The encoder of the folder {local} cannot be loaded"
                if is_local
                else f"There is no folder {name}, and from the hub no encoder of that name could be loaded"
            )
            raise EncoderError(
                f"{what} ({type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}). "
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

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for rows in _longest_first(texts, progress):
            vectors[rows] = self._encode([self._prompts["document"] + texts[row] for row in rows])
        return vectors

    def read_query(self, text: str) -> Encoded:
        return self._read("query", [text])[0]

    def read_passages(self, texts: Sequence[str], progress: Progress | None = None) -> list[Encoded]:
        found: dict[int, Encoded] = {}
        for rows in _longest_first(texts, progress):
            found.update(zip(rows, self._read("document", [texts[row] for row in rows]), strict=True))
        return [found[row] for row in range(len(texts))]

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        if not isinstance(self._model, Bert) or self._model.token_dimension is None:
            return []
        before = len(self._prompts["document"])
        spans = self._model.spans(self._prompts["document"] + text)
        return [(max(start - before, 0), end - before) if end > before else (0, 0) for start, end in spans]

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        limit = self._model.limit
        # A token is at least one character, so short texts need no tokenizer.
        long = [i for i, text in enumerate(texts) if limit is not None and len(text) + 16 > limit]
        if limit is None or not long:
            return []
        counts = self._model.tokens([self._prompts["document"] + texts[i] for i in long])
        return [i for i, count in zip(long, counts, strict=True) if count > limit]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return _unit(self._model(texts))

    def _read(self, prompt: str, texts: Sequence[str]) -> list[Encoded]:
        before = self._prompts[prompt]
        prompted = [before + text for text in texts]
        if not isinstance(self._model, Bert) or self._model.token_dimension is None:
            return [Encoded(vector) for vector in self._encode(prompted)]
        vectors, tokens = self._model.with_tokens(prompted)
        return [
            Encoded(vector, own.states, own.ids, np.maximum(own.spans[:, 1] - len(before), 0))
            for vector, own in zip(_unit(vectors), tokens, strict=True)
        ]


def _longest_first(texts: Sequence[str], progress: Progress | None) -> Iterator[list[int]]:
    """Positions of all texts, 64 at a time; longest first keeps padding small."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for begin in range(0, len(order), 64):
        rows = order[begin : begin + 64]
        yield rows
        if progress:
            progress(len(rows))


def _unit(vectors: Vectors) -> Vectors:
    return np.ascontiguousarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _no_folder(name: str) -> EncoderError:
    return EncoderError(
        f"There is no folder {name}. Name a sentence-transformers folder with --encoder or CLUSTERQA_ENCODER, or "
        "leave it out: the bundled encoder is used then."
    )


def bundled_path() -> Path:
    """Folder of the encoder inside the package."""
    return Path(str(files("clusterqa"))) / "encoders" / BUNDLED_FOLDER


def folder_fingerprint(folder: Path) -> str:
    """
    Name and digest over the files of a model folder that change its vectors (weights, tokenizer, configuration).

    The model card and the profile do not count: a word corrected there must not make an index worthless.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _WEIGHING and path.name != PROFILE:
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
