"""Kinds of request log, one module each."""
