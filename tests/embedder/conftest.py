import sys
from pathlib import Path

# The example is a program of its own, not a package of this project: found as its bundle lays it out.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "embedder"))
