"""Whatever sentence-transformers can load, run by it: the only importer of torch and sentence_transformers."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)


class Torch:
    """A model by its folder or hub name. Thread-safe: torch runs inference without shared state."""

    def __init__(self, name: str, threads: int) -> None:
        if not Path(name).is_dir() and not _is_cached(name):
            log.warning("There is no folder %s; looking for an encoder of that name on the Hugging Face hub.", name)
            _look_up_hub()
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

    def tokens(self, texts: Sequence[str]) -> list[int]:
        found = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in found["input_ids"]]

    def digest(self) -> str:
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()[:16]


def _is_cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(
        try_to_load_from_cache(name if "/" in name else f"sentence-transformers/{name}", "config.json"), str
    )


def _look_up_hub() -> None:
    """Raises OSError where the hub has no address, as without a network; its own client would try for a minute first."""
    from huggingface_hub import constants

    if not getproxies():
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
