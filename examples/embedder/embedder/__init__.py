"""all-MiniLM-L6-v2 sentence embeddings on plain CPUs, served by the Open Inference Protocol (v2, REST)."""
