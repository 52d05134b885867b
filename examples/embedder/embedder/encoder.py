"""A BERT encoder in numpy: enough of the architecture to run all-MiniLM-L6-v2, and nothing more.

A framework would bring gigabytes to a function whose whole allowance is 250 MB. The forward pass of an
encoder is a page of linear algebra, so the weights are read straight from their safetensors file (memory
mapped: pages are shared between the processes of one host) and multiplied here.

Shapes: B texts, T tokens (the longest of the batch), H = 384 hidden units, A = 12 attention heads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt
    from tokenizers import Encoding

    Array = npt.NDArray[np.float32]

# Tokens of one forward pass, padding included. Larger passes gain nothing on a CPU and cost memory: the
# attention alone is B x A x T x T floats.
_PASS_TOKENS = 2048


@dataclass(frozen=True)
class Config:
    """What the model's own `config.json` and `sentence_bert_config.json` say of its size."""

    layers: int
    heads: int
    hidden: int
    epsilon: float
    max_tokens: int

    @classmethod
    def read(cls, model_dir: Path) -> Config:
        bert = json.loads((model_dir / "config.json").read_text())
        sentence = json.loads((model_dir / "sentence_bert_config.json").read_text())
        return cls(
            layers=bert["num_hidden_layers"],
            heads=bert["num_attention_heads"],
            hidden=bert["hidden_size"],
            epsilon=bert["layer_norm_eps"],
            max_tokens=sentence["max_seq_length"],
        )


class Encoder:
    """Texts in, unit-length sentence embeddings out."""

    def __init__(self, model_dir: Path) -> None:
        """Load tokenizer and weights of `model_dir`.

        Raises:
            FileNotFoundError: a file of the model is missing.
        """
        self.config = Config.read(model_dir)
        self._weights: Mapping[str, Array] = load_file(model_dir / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.config.max_tokens)
        self._tokenizer.no_padding()

    @property
    def dimensions(self) -> int:
        return self.config.hidden

    def encode(self, texts: Sequence[str]) -> Array:
        """Embed `texts`.

        Returns:
            float32, shape (len(texts), 384); every row has length 1, in the order of `texts`.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        embeddings = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for rows in _passes([len(encoding.ids) for encoding in encodings]):
            embeddings[rows] = self._forward([encodings[row] for row in rows])
        return embeddings

    def _forward(self, encodings: Sequence[Encoding]) -> Array:
        longest = max(len(encoding.ids) for encoding in encodings)
        tokens = np.zeros((len(encodings), longest), dtype=np.intp)
        mask = np.zeros((len(encodings), longest), dtype=np.float32)
        for row, encoding in enumerate(encodings):
            tokens[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1.0
        hidden = self._embed(tokens)
        # Added to the attention scores: a padded position gets a weight of zero after the softmax.
        bias = (1.0 - mask[:, None, None, :]) * np.float32(-1e9)
        for layer in range(self.config.layers):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, bias)
        pooled = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: Array = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit

    def _embed(self, tokens: npt.NDArray[np.intp]) -> Array:
        words = self._weights["embeddings.word_embeddings.weight"][tokens]
        positions = self._weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        segment = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", words + positions + segment)

    def _layer(self, name: str, hidden: Array, bias: Array) -> Array:
        attended = self._linear(f"{name}.attention.output.dense", self._attention(name, hidden, bias))
        hidden = self._norm(f"{name}.attention.output.LayerNorm", hidden + attended)
        inner = _gelu(self._linear(f"{name}.intermediate.dense", hidden))
        return self._norm(f"{name}.output.LayerNorm", hidden + self._linear(f"{name}.output.dense", inner))

    def _attention(self, name: str, hidden: Array, bias: Array) -> Array:
        query, key, value = (
            self._heads(self._linear(f"{name}.attention.self.{part}", hidden))
            for part in ("query", "key", "value")
        )
        scale = np.float32(1.0 / np.sqrt(self.config.hidden // self.config.heads))
        weights = _softmax(query @ key.transpose(0, 1, 3, 2) * scale + bias)
        return (weights @ value).transpose(0, 2, 1, 3).reshape(hidden.shape)

    def _heads(self, x: Array) -> Array:
        batch, length, hidden = x.shape
        heads = self.config.heads
        return x.reshape(batch, length, heads, hidden // heads).transpose(0, 2, 1, 3)

    def _linear(self, name: str, x: Array) -> Array:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(variance + np.float32(self.config.epsilon))
        normed: Array = scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normed


def _passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows that go together: texts of like length, since padding is computed like any other token."""
    rows: list[int] = []
    # Longest first: the first row of a pass says how far the others are padded.
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and (len(rows) + 1) * lengths[rows[0]] > _PASS_TOKENS:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _softmax(x: Array) -> Array:
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    weights: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights


def _gelu(x: Array) -> Array:
    return np.float32(0.5) * x * (np.float32(1.0) + _erf(x * np.float32(1.0 / np.sqrt(2.0))))


def _erf(x: Array) -> Array:
    """The error function to 1.5e-7 (Abramowitz & Stegun, Handbook of Mathematical Functions, 7.1.26).

    numpy has none, and the one in scipy costs the bundle more than the weights do.
    """
    coefficients = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    t = np.float32(1.0) / (np.float32(1.0) + np.float32(0.3275911) * np.abs(x))
    polynomial = np.zeros_like(t)
    for coefficient in coefficients:
        polynomial = (polynomial + np.float32(coefficient)) * t
    return np.sign(x) * (np.float32(1.0) - polynomial * np.exp(-np.square(x)))
