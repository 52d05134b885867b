"""The control function: its routes and its errors, on a table that is a dictionary."""

import json
import logging
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from components.control_plane.bundle import REPO
from components.topology.common import CONTROL_CODE

EMBED = {"name": "embed", "home": "pool", "replicas": Decimal(2), "reasons": ["why"]}
CHAT = {"name": "chat", "home": "pool", "refused": [{"home": "function", "reason": "a GPU"}]}


@dataclass
class Table:
    """A DynamoDB table that answers in pages of one."""

    items: list[dict[str, Any]] = field(default_factory=lambda: [EMBED, CHAT])

    def get_item(self, Key: dict[str, str]) -> dict[str, Any]:  # noqa: N803 - boto3's own spelling
        found = [item for item in self.items if item["name"] == Key["name"]]
        return {"Item": found[0]} if found else {}

    def scan(self, ExclusiveStartKey: int = 0) -> dict[str, Any]:  # noqa: N803 - boto3's own spelling
        page: dict[str, Any] = {"Items": self.items[ExclusiveStartKey : ExclusiveStartKey + 1]}
        if ExclusiveStartKey + 1 < len(self.items):
            page["LastEvaluatedKey"] = ExclusiveStartKey + 1
        return page


class Broken(Table):
    def scan(self, ExclusiveStartKey: int = 0) -> dict[str, Any]:  # noqa: N803 - boto3's own spelling
        raise ConnectionError(f"the table is away, asked from {ExclusiveStartKey}")


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of itself."""

    function_name: str = "control"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:control"
    aws_request_id: str = "request-1"


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(REPO / CONTROL_CODE))
    monkeypatch.setenv("STACK", "hybrid")
    monkeypatch.setenv("TOPOLOGY", "hybrid")
    from control import app, registry  # noqa: PLC0415 - it is no package of this repository, but a function's

    monkeypatch.setattr(registry, "_table", Table)
    yield app
    for name in [name for name in sys.modules if name == "control" or name.startswith("control.")]:
        del sys.modules[name]


def ask(control: Any, path: str, method: str = "GET") -> tuple[int, dict[str, Any], str]:
    event = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "requestId": "request-1",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
        },
        "isBase64Encoded": False,
    }
    answer = control.handler(event, Context())
    headers = {key.lower(): value for key, value in answer["headers"].items()}
    return answer["statusCode"], json.loads(answer["body"]), headers["content-type"]


def test_health_needs_no_table(control: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(control.registry, "_table", Broken)
    assert ask(control, "/health")[:2] == (200, {"status": "ok", "stack": "hybrid", "topology": "hybrid"})


def test_models_are_read_page_by_page_and_sorted(control: Any):
    status, body, _ = ask(control, "/models")
    assert status == 200
    assert [model["name"] for model in body["models"]] == ["chat", "embed"]


def test_a_model_is_told_with_its_reasons(control: Any):
    assert ask(control, "/models/embed")[:2] == (200, {**EMBED, "replicas": 2})


@pytest.mark.parametrize(
    ("path", "method", "detail"),
    [
        pytest.param("/models/nobody", "GET", "no model is named 'nobody'", id="no such model"),
        pytest.param("/elsewhere", "GET", "nothing is at /elsewhere", id="no such route"),
        pytest.param("/models", "DELETE", "nothing is at /models", id="no such method"),
    ],
)
def test_what_is_not_there_is_a_problem_document(control: Any, path: str, method: str, detail: str):
    status, body, kind = ask(control, path, method)
    assert (status, body["status"], kind) == (404, 404, "application/problem+json")
    assert detail in body["detail"]


def test_a_fault_is_logged_and_told_without_its_inside(
    control: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(control.registry, "_table", Broken)
    with caplog.at_level(logging.ERROR):
        status, body, kind = ask(control, "/models")
    assert (status, kind) == (500, "application/problem+json")
    assert "request-1" in body["detail"]
    assert "away" not in json.dumps(body)
