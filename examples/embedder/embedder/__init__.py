"""all-MiniLM-L6-v2 sentence embeddings on plain CPUs, served by the Open Inference Protocol (v2, REST)."""

import os

# One thread a request: its matrices are too small to be shared out, and where CPUs are shared, threads that
# wait for each other cost several times what the work does. numpy reads this when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
