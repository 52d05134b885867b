"""The Open Inference Protocol as the app speaks it, over ASGI and over Lambda's events."""

import asyncio
import base64
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from embedder.app import MAX_BODY_BYTES, app, encoder
from embedder.function import handler
from embedder.protocol import MAX_TEXTS


def infer_body(texts: list[str], **changes: Any) -> dict[str, Any]:
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    return {"inputs": [tensor | changes]}


async def _ask(method: str, path: str, content: bytes | None) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://embedder") as client:
        return await client.request(method, path, content=content)


def ask(method: str, path: str, body: Any = None) -> httpx.Response:
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    return asyncio.run(_ask(method, path, content))


@dataclass(frozen=True)
class Reading:
    path: str
    answer: dict[str, Any]


@pytest.mark.parametrize(
    "case",
    [
        Reading("/v2/health/live", {"live": True}),
        Reading("/v2/health/ready", {"ready": True}),
        Reading("/v2", {"name": "halfmetal-embedder", "version": "1", "extensions": []}),
        Reading("/v2/models/embed/ready", {"name": "embed", "ready": True}),
        Reading("/v2/models/embed/versions/1/ready", {"name": "embed", "ready": True}),
        Reading(
            "/v2/models/embed",
            {
                "name": "embed",
                "versions": ["1"],
                "platform": "numpy_all-minilm-l6-v2",
                "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
                "outputs": [{"name": "embedding", "datatype": "FP32", "shape": [-1, 384]}],
            },
        ),
    ],
    ids=lambda case: case.path,
)
def test_reading(case: Reading):
    response = ask("GET", case.path)
    assert (response.status_code, response.json()) == (200, case.answer)


@pytest.mark.parametrize("path", ["/v2/models/embed/infer", "/v2/models/embed/versions/1/infer"])
def test_infer_embeds_in_order(path: str):
    texts = ["a cat", "a considerably longer sentence about dogs", "a cat"]
    answer = ask("POST", path, infer_body(texts) | {"id": "r-1", "parameters": {"ignored": 1}}).json()
    (output,) = answer["outputs"]
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("r-1", "embed", "1")
    assert (output["name"], output["datatype"], output["shape"]) == ("embedding", "FP32", [3, 384])
    embeddings = np.array(output["data"], dtype=np.float32).reshape(3, 384)
    assert np.allclose(embeddings, encoder().encode(texts), atol=1e-5)


@dataclass(frozen=True)
class Refusal:
    name: str
    body: Any
    status: int
    says: str
    path: str = "/v2/models/embed/infer"


REFUSALS = [
    Refusal("not JSON", b"{", 400, "Invalid JSON"),
    Refusal("no inputs", {}, 400, "inputs: Field required"),
    Refusal("no texts", infer_body([]), 400, "inputs.0.data"),
    Refusal("too many texts", infer_body(["x"] * (MAX_TEXTS + 1)), 400, f"at most {MAX_TEXTS} items"),
    Refusal("numbers for texts", infer_body(["x"], data=[1]), 400, "inputs.0.data.0"),
    Refusal("another tensor", infer_body(["x"], name="image"), 400, "inputs.0.name"),
    Refusal("another datatype", infer_body(["x"], datatype="FP32"), 400, "inputs.0.datatype"),
    Refusal(
        "a shape of another size",
        infer_body(["x"], shape=[2]),
        400,
        "shape [2] holds 2 texts, but data has 1",
    ),
    Refusal("two tensors", {"inputs": infer_body(["x"])["inputs"] * 2}, 400, "inputs"),
    Refusal("a body over the limit", b" " * (MAX_BODY_BYTES + 1), 413, "fewer texts"),
    Refusal("another model", infer_body(["x"]), 404, "this server has 'embed'", "/v2/models/other/infer"),
    Refusal("another version", infer_body(["x"]), 404, "no version '9'", "/v2/models/embed/versions/9/infer"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refusal_names_the_mistake(case: Refusal):
    response = ask("POST", case.path, case.body)
    assert response.status_code == case.status
    assert case.says in response.json()["error"]


def test_method_not_allowed():
    assert ask("GET", "/v2/models/embed/infer").status_code == 405


@pytest.mark.parametrize("encoded", [False, True], ids=["plain body", "base64 body"])
def test_function_answers_an_http_api_event(encoded: bool):  # noqa: FBT001 - a case of the table
    body = json.dumps(infer_body(["a cat"]))
    path = "/v2/models/embed/infer"
    event = {
        "version": "2.0",
        "routeKey": "ANY /v2/models/embed/{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api"},
        "requestContext": {
            "http": {"method": "POST", "path": path, "sourceIp": "127.0.0.1"},
            "stage": "$default",
        },
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }
    with asyncio.Runner() as runner:
        # As in Lambda's main thread, which has a loop of its own; Mangum takes the current one.
        asyncio.set_event_loop(runner.get_loop())
        answer = handler(event, SimpleNamespace())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["outputs"][0]["shape"] == [1, 384]
