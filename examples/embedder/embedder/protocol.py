"""The messages of the Open Inference Protocol (v2) that an embedding model takes and gives.

One input tensor `text` of datatype BYTES and shape [n], one output tensor `embedding` of datatype FP32 and
shape [n, dimensions], flattened in row-major order as the protocol asks.
"""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# More texts than this in one request belong in several: one request may not hold a server for minutes.
MAX_TEXTS = 256

INPUT = "text"
OUTPUT = "embedding"


class InputTensor(BaseModel):
    """The texts of one request."""

    # The protocol lets clients add parameters that a server does not know.
    model_config = ConfigDict(extra="ignore")

    name: Literal["text"]
    shape: Annotated[list[int], Field(min_length=1, max_length=2)]
    datatype: Literal["BYTES"]
    data: Annotated[list[str], Field(min_length=1, max_length=MAX_TEXTS)]

    @model_validator(mode="after")
    def _shape_matches_data(self) -> InputTensor:
        if prod(self.shape) != len(self.data):
            message = f"shape {self.shape} holds {prod(self.shape)} texts, but data has {len(self.data)}"
            raise ValueError(message)
        return self


class InferenceRequest(BaseModel):
    """Body of POST v2/models/NAME/infer."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]

    @property
    def texts(self) -> list[str]:
        return self.inputs[0].data


class OutputTensor(BaseModel):
    """One embedding a text, flattened."""

    name: str = OUTPUT
    shape: list[int]
    datatype: str = "FP32"
    data: list[float]


class InferenceResponse(BaseModel):
    """Answer of POST v2/models/NAME/infer."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class TensorMetadata(BaseModel):
    """Name, type and shape of a tensor; -1 stands for any length."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """Answer of GET v2/models/NAME."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
