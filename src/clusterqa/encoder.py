"""
Texts to unit vectors: the only importer of sentence_transformers and torch.

Vectors become unit length here and nowhere else; an inner product of two is their cosine from here on. Prompts
("query: ", "passage: ") are the encoder's business: they are read from the model's own configuration.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from clusterqa.errors import EncoderError
from clusterqa.settings import BUNDLED_ENCODER

Vectors = NDArray[np.float32]
Precision = Literal["float32", "int8"]

BUNDLED_FOLDER = "e5-small-lt-en"

_KNOWN_PROMPTS = {
    # Models whose card asks for prefixes but whose files do not carry them as prompts.
    "e5": {"query": "query: ", "document": "passage: "},
}


class Encoder(Protocol):
    """What search needs of an encoder; tests bring one whose cosines can be worked out on paper."""

    fingerprint: str
    """Changes whenever the vectors would; stored beside them."""
    dimension: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each question, shape (n, dimension)."""
        ...

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """One unit row for each passage, shape (n, dimension); `progress` is told how many more are done."""
        ...

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts that are longer than the model reads."""
        ...


class SentenceEncoder:
    """A sentence-transformers model behind the Encoder port. Thread-safe: torch runs inference without shared state."""

    def __init__(self, model: Any, fingerprint: str, prompts: dict[str, str]) -> None:
        self._model = model
        self._prompts = prompts
        self.fingerprint = fingerprint
        self.dimension = int(model.encode(["a"], show_progress_bar=False).shape[1])

    @classmethod
    def load(cls, name: str = BUNDLED_ENCODER, threads: int = 2, precision: Precision = "float32") -> SentenceEncoder:
        """
        Load the bundled encoder, a folder, or a hub name.

        The bundled one and folders never touch the network. "int8" multiplies matrices in eight-bit integers: about
        twice as fast, with slightly other vectors, so the fingerprint says so. Raises EncoderError with the next step.
        """
        local = bundled_path() if name == BUNDLED_ENCODER else Path(name).expanduser()
        is_local = local.is_dir()
        if name == BUNDLED_ENCODER and not is_local:
            raise EncoderError(f"The bundled encoder is missing at {local}. Install the package again.")
        if is_local:
            os.environ["HF_HUB_OFFLINE"] = "1"
            os.environ["TRANSFORMERS_OFFLINE"] = "1"
            fingerprint = folder_fingerprint(local)
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        torch.set_num_threads(threads)
        try:
            model = SentenceTransformer(
                str(local) if is_local else name, device="cpu", model_kwargs={"dtype": torch.float32}
            )
        except Exception as error:
            where = f"folder {local}" if is_local else f"name {name!r}"
            raise EncoderError(
                f"The encoder of {where} cannot be loaded ({type(error).__name__}: {str(error)[:200]}). "
                "Give a sentence-transformers folder or hub name with --encoder or CLUSTERQA_ENCODER; "
                "a hub name needs the network the first time. Without the setting the bundled encoder is used."
            ) from error
        model.eval()
        if not is_local:
            digest = hashlib.sha256()
            for key, tensor in sorted(model.state_dict().items()):
                digest.update(key.encode())
                digest.update(tensor.cpu().numpy().tobytes())
            fingerprint = f"{name}@{digest.hexdigest()[:16]}"
        if precision == "int8":
            _to_int8(model)
            fingerprint += "+int8"
        return cls(model, fingerprint, _prompts(model, name))

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._prompts["query"] + text for text in texts])

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        # Longest first keeps padding small; results go back to their places.
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for begin in range(0, len(order), 64):
            rows = order[begin : begin + 64]
            vectors[rows] = self._encode([self._prompts["document"] + texts[row] for row in rows])
            if progress:
                progress(len(rows))
        return vectors

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        limit = self._model.max_seq_length
        # A piece is at least one character, so short texts need no tokenizer.
        long = [i for i, text in enumerate(texts) if limit is not None and len(text) + 16 > limit]
        if not long:
            return []
        pieces = self._model.tokenizer(
            [self._prompts["document"] + texts[i] for i in long], truncation=False, verbose=False
        )
        return [i for i, ids in zip(long, pieces["input_ids"], strict=True) if len(ids) > limit]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts),
            batch_size=64,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
            prompt="",
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)


def _to_int8(model: Any) -> None:
    """Replace the transformer's linear layers by ones with int8 weights, scaled by row, and activations, by call."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is on its way to another package; until then this is where it stands
            from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

            for name, module in list(model[0].named_children()):
                small = quantize_dynamic(module, {torch.nn.Linear: per_channel_dynamic_qconfig}, dtype=torch.qint8)
                setattr(model[0], name, small)
    except (ImportError, RuntimeError) as error:
        raise EncoderError(
            f"This machine or this version of torch has no int8 arithmetic ({error}). Set precision to float32."
        ) from error


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


def _prompts(model: Any, name: str) -> dict[str, str]:
    own = dict(getattr(model, "prompts", None) or {})
    query = own.get("query", "")
    document = own.get("document") or own.get("passage", "")
    if not query and not document:
        for family, prompts in _KNOWN_PROMPTS.items():
            if family in Path(name).name.lower().replace("_", "-").split("-"):
                return dict(prompts)
    return {"query": query, "document": document}
