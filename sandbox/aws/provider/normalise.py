"""What means the same to AWS, brought into the same form, so that it is not taken for a change."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any


def json_document(text: Any) -> Any:
    """A JSON text as its content: white space and the order of keys mean nothing."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def policy(text: Any) -> Any:
    """An IAM policy as its meaning: besides JSON, lists are sets and a set of one is its element."""
    return _unordered(json_document(decoded(text)))


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        items = [_unordered(item) for item in value]
        return (
            items[0] if len(items) == 1 else sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
        )
    return value


def decoded(text: Any) -> Any:
    """IAM hands policies back percent-encoded."""
    return urllib.parse.unquote(text) if isinstance(text, str) and text.startswith("%7B") else text


def compact(value: Any) -> str | None:
    """A policy that an answer holds as text or as an object, as text."""
    if value is None or value == "":
        return None
    text = decoded(value)
    return text if isinstance(text, str) else json.dumps(text, separators=(",", ":"))


def lower(text: Any) -> Any:
    """Names that the service keeps in lower case."""
    return text.lower() if isinstance(text, str) else text
