"""The numpy encoder against sentence-transformers, and what must hold for any text."""

import json
from pathlib import Path

import numpy as np
import pytest
from embedder.app import encoder
from embedder.encoder import _PASS_TOKENS, _erf, _passes
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
_LONG = 500  # characters
SENTENCES = json.loads((HERE / "sentences.json").read_text())
REFERENCE = np.array(json.loads((HERE / "reference.json").read_text())["embeddings"], dtype=np.float32)


def test_every_sentence_has_a_reference():
    assert REFERENCE.shape == (len(SENTENCES), encoder().dimensions)


@pytest.mark.parametrize("row", range(len(SENTENCES)))
def test_alone_as_sentence_transformers_embeds_it(row: int):
    (embedding,) = encoder().encode([SENTENCES[row]])
    assert embedding @ REFERENCE[row] > 0.9999


def test_together_as_sentence_transformers_embeds_them():
    # The longest are embedded alone above; here they would be nearly all of the work.
    rows = [row for row, sentence in enumerate(SENTENCES) if len(sentence) < _LONG]
    similarities = (encoder().encode([SENTENCES[row] for row in rows]) * REFERENCE[rows]).sum(axis=1)
    assert similarities.min() > 0.9999


def test_no_texts_give_no_rows():
    assert encoder().encode([]).shape == (0, encoder().dimensions)


@settings(max_examples=8)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_rows_are_unit_length_and_do_not_depend_on_their_company(texts: list[str]):
    together = encoder().encode(texts)
    alone = np.vstack([encoder().encode([text]) for text in texts])
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert np.allclose(together, alone, atol=1e-4)


@given(st.lists(st.integers(min_value=2, max_value=256), max_size=80))
def test_passes_take_every_row_once_and_stay_small(lengths: list[int]):
    passes = list(_passes(lengths))
    assert sorted(row for rows in passes for row in rows) == list(range(len(lengths)))
    assert all(len(rows) * max(lengths[row] for row in rows) <= _PASS_TOKENS for rows in passes)


@pytest.mark.parametrize(
    ("x", "expected"),
    # NIST Digital Library of Mathematical Functions, 7.2.1, to seven digits.
    [(0.0, 0.0), (0.5, 0.5204999), (1.0, 0.8427008), (2.0, 0.9953223), (-1.0, -0.8427008), (6.0, 1.0)],
)
def test_erf(x: float, expected: float):
    assert _erf(np.array([x], dtype=np.float32))[0] == pytest.approx(expected, abs=5e-7)
