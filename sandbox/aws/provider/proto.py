"""The provider protocol's messages, without the SDK around them.

`import pulumi` brings in the automation API and OpenTelemetry: half a second that every `pulumi preview`
would wait for. The generated messages need none of it, so the package that holds them is loaded by
itself, under a name of its own. Where the SDK is loaded anyway (tests), its own copy is used.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_ALONE = "_pulumi_messages"


def _sdk_root() -> Path:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise ImportError("the pulumi package is not installed: run `make setup`")
    return Path(spec.origin).parent


def _load_alone() -> str:
    folder = _sdk_root() / "runtime" / "proto"
    package = ModuleType(_ALONE)
    package.__path__ = [str(folder)]
    sys.modules.setdefault(_ALONE, package)
    return _ALONE


_package = "pulumi.runtime.proto" if "pulumi.runtime.proto" in sys.modules else _load_alone()

provider_pb2 = importlib.import_module(f"{_package}.provider_pb2")
provider_pb2_grpc = importlib.import_module(f"{_package}.provider_pb2_grpc")
engine_pb2 = importlib.import_module(f"{_package}.engine_pb2")
engine_pb2_grpc = importlib.import_module(f"{_package}.engine_pb2_grpc")
plugin_pb2 = importlib.import_module(f"{_package}.plugin_pb2")
status_pb2 = importlib.import_module(f"{_package}.status_pb2")
