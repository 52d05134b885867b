"""Finds the example as its bundle lays it out: it is a program of its own, not a package of this project."""

import os
import sys
from pathlib import Path

# Before numpy is loaded. One thread, as in a pod: on a busy machine two wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "embedder"))
