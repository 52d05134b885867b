"""Stands in for an object detector that needs a GPU. It is here to be refused, never to run."""

from typing import Any


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer that there is no detector."""
    del event, context
    return {"statusCode": 501, "body": "this example is not meant to run"}
