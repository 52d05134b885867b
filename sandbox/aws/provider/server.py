"""The provider protocol over gRPC: takes secrets off, asks `Provider`, puts secrets back on.

Requests run on threads, as many at a time as the engine sends: they spend their time waiting for AWS. An
error of any kind reaches the engine as one line; what has no line of its own (a fault in this program) is
named with the place where it happened.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent import futures
from functools import wraps
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2

from sandbox.aws.provider import sdk
from sandbox.aws.provider.compare import Change
from sandbox.aws.provider.diff import Diff
from sandbox.aws.provider.errors import Failure, HalfDoneError, ProviderError
from sandbox.aws.provider.naming import Proposal
from sandbox.aws.provider.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)
from sandbox.aws.provider.provider import Known, Provider, token_of
from sandbox.aws.provider.values import (
    Bag,
    conceal,
    decode,
    encode,
    reveal,
    secret_paths,
)
from sandbox.aws.provider.values import (
    Path as PropertyPath,
)

_THREADS = 256
_MEGABYTES_400 = 400 << 20
_OPTIONS = [("grpc.max_receive_message_length", _MEGABYTES_400), ("grpc.max_send_message_length", -1)]
_KINDS = {
    ("add", False): "ADD",
    ("add", True): "ADD_REPLACE",
    ("update", False): "UPDATE",
    ("update", True): "UPDATE_REPLACE",
    ("delete", False): "DELETE",
    ("delete", True): "DELETE_REPLACE",
}

Handler = Callable[["Servicer", Any, grpc.ServicerContext], Any]


def _one_line(verb: str) -> Callable[[Handler], Handler]:
    """Whatever a request fails with becomes one line; `verb` says what was being done."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(self: Servicer, request: Any, context: grpc.ServicerContext) -> Any:
            try:
                return handler(self, request, context)
            except HalfDoneError as error:
                _abort_half_done(context, error, f"{verb} {_subject(request)}: {error}", request)
            except ProviderError as error:
                context.abort(grpc.StatusCode.UNKNOWN, f"{verb} {_subject(request)}: {error}")
            except Exception as error:  # noqa: BLE001  # the last line of defence: the engine wants a line
                context.abort(grpc.StatusCode.INTERNAL, f"{verb} {_subject(request)}: {_fault(error)}")

        return guarded

    return decorate


def _subject(request: Any) -> str:
    urn = getattr(request, "urn", "")
    return token_of(urn) if urn.count("::") >= 3 else getattr(request, "tok", "") or "the AWS provider"  # noqa: PLR2004


def _fault(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    text = " ".join(str(error).split())
    return f"a fault in the sandbox's AWS stand-in at {where}: {type(error).__name__}: {text}"


def _abort_half_done(context: grpc.ServicerContext, error: HalfDoneError, message: str, request: Any) -> None:
    """The engine keeps the resource, marks it as not finished, and tries an update the next time."""
    secrets = _secrets(request.properties if hasattr(request, "properties") else request.news)
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=encode(conceal(error.state, secrets)),
        inputs=request.properties if hasattr(request, "properties") else request.news,
        reasons=[error.reason],
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)


def _secrets(*structs: Any) -> list[PropertyPath]:
    return [path for struct in structs for path in secret_paths(decode(struct))]


def _plain(struct: Any) -> Bag:
    bag: Bag = reveal(decode(struct))
    return bag


class Servicer(provider_pb2_grpc.ResourceProviderServicer):  # type: ignore[name-defined,misc]  # see proto
    """One plugin process: the engine configures it once."""

    def __init__(self, provider: Provider, stop: Callable[[], None]) -> None:
        self.provider = provider
        self._stop = stop

    # -- the plugin itself ---------------------------------------------------------------------------

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, supports_autonaming_configuration=True
        )

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        return plugin_pb2.PluginInfo(version=sdk.version())

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        self.provider.cancel()
        return empty_pb2.Empty()

    @_one_line("describing")
    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        from sandbox.aws.provider.schema import package_schema  # noqa: PLC0415  # wanted by tools only

        return provider_pb2.GetSchemaResponse(schema=package_schema())

    # -- configuration -------------------------------------------------------------------------------

    @_one_line("checking the configuration of")
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        failures = self.provider.check_config(decode(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    @_one_line("comparing the configuration of")
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        # Nothing replaces the provider: a resource whose region the provider changed says so in its own diff.
        olds, news = _plain(request.old_inputs), _plain(request.news)
        changed = sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name))
        kind = provider_pb2.DiffResponse
        return provider_pb2.DiffResponse(changes=kind.DIFF_SOME if changed else kind.DIFF_NONE, diffs=changed)

    @_one_line("configuring")
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        given = decode(request.args) if request.HasField("args") else dict(request.variables)
        self.provider.configure(given)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=True,
            supports_autonaming_configuration=True,
        )

    # -- resources -----------------------------------------------------------------------------------

    @_one_line("checking")
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        try:
            inputs, failures = self.provider.check(
                request.urn,
                _plain(request.news),
                _plain(request.olds),
                request.randomSeed,
                _proposal(request),
            )
        except ProviderError as error:
            return provider_pb2.CheckResponse(
                inputs=request.news, failures=_failures([Failure("", str(error))])
            )
        return provider_pb2.CheckResponse(
            inputs=encode(conceal(inputs, _secrets(request.news))), failures=_failures(failures)
        )

    @_one_line("comparing")
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        found = self.provider.diff(request.urn, _known(request, request.olds), _plain(request.news))
        return _diff_response(found)

    @_one_line("creating")
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        news = _plain(request.properties)
        secrets = _secrets(request.properties)
        if request.preview:
            state = self.provider.preview_create(request.urn, news)
            return provider_pb2.CreateResponse(properties=self._wire(request.urn, state, secrets))
        made = self.provider.create(request.urn, news, request.timeout)
        return provider_pb2.CreateResponse(
            id=made.resource_id, properties=self._wire(request.urn, made.state, secrets)
        )

    @_one_line("reading")
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        secrets = _secrets(request.inputs, request.properties)
        known = Known(request.id, _plain(request.inputs), _plain(request.properties))
        found = self.provider.read(request.urn, known)
        if not found.resource_id:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.resource_id,
            properties=self._wire(request.urn, found.state, secrets),
            inputs=self._wire(request.urn, found.inputs, secrets),
        )

    @_one_line("updating")
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        news = _plain(request.news)
        known = _known(request, request.olds)
        if request.preview:
            state = self.provider.preview_update(request.urn, known, news)
        else:
            state = self.provider.update(request.urn, known, news, request.timeout)
        return provider_pb2.UpdateResponse(properties=self._wire(request.urn, state, _secrets(request.news)))

    @_one_line("deleting")
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        self.provider.delete(request.urn, _known(request, request.properties), request.timeout)
        return empty_pb2.Empty()

    def _wire(self, urn: str, bag: Bag, secrets: list[PropertyPath]) -> Any:
        always = [(name,) for name in self.provider.secret_outputs(urn)]
        return encode(conceal(bag, [*secrets, *always]))

    # -- functions -----------------------------------------------------------------------------------

    @_one_line("calling")
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        from sandbox.aws.provider.invokes import invoke  # noqa: PLC0415  # most programs call none

        result, failures = invoke(request.tok, _plain(request.args), self.provider.access)
        response = provider_pb2.InvokeResponse(failures=_failures(failures))
        getattr(response, "return").CopyFrom(encode(result))
        return response


def _known(request: Any, state: Any) -> Known:
    """What the engine holds; states written by engines that kept no old inputs stand for themselves."""
    return Known(request.id, _plain(request.old_inputs) or _plain(state), _plain(state))


def _proposal(request: Any) -> Proposal:
    if not request.HasField("autonaming"):
        return Proposal()
    mode = provider_pb2.CheckRequest.AutonamingOptions
    options = request.autonaming
    return Proposal(options.proposed_name, options.mode == mode.ENFORCE, options.mode == mode.DISABLE)


def _failures(failures: list[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=item.path, reason=_reason(item)) for item in failures]


def _reason(failure: Failure) -> str:
    """The engine prints the reason alone for some kinds of failure: it names the property by itself."""
    return f"{failure.path} {failure.reason}" if failure.path else failure.reason


def _diff_response(found: Diff) -> Any:
    kind = provider_pb2.DiffResponse
    return provider_pb2.DiffResponse(
        changes=kind.DIFF_SOME if found.changes else kind.DIFF_NONE,
        replaces=sorted(
            {change.path.split(".")[0] for change in found.changes if change.shown in found.replacing}
        ),
        diffs=list(found.properties),
        detailedDiff={change.shown: _property_diff(change, found) for change in found.changes},
        hasDetailedDiff=True,
        deleteBeforeReplace=found.delete_before_replace,
    )


def _property_diff(change: Change, found: Diff) -> Any:
    name = _KINDS[change.kind, change.shown in found.replacing]
    return provider_pb2.PropertyDiff(kind=getattr(provider_pb2.PropertyDiff, name))


class EngineLog:
    """Tells the engine what a resource is waiting for; it shows the last word beside the resource."""

    def __init__(self, address: str) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None
        self._said: dict[str, str] = {}

    def __call__(self, urn: str, text: str) -> None:
        if self._stub is None or self._said.get(urn) == text:
            return
        self._said[urn] = text
        request = engine_pb2.LogRequest(
            severity=engine_pb2.INFO, message=text, urn=urn, streamId=0, ephemeral=True
        )
        # An engine that is gone or busy must not hold the resource up: nobody waits for the answer.
        self._stub.Log.future(request, timeout=5)


def serve(ledger_folder: Path, engine: str = "") -> None:
    """Serve until the engine is done with the plugin: it sends SIGINT then, which is no error."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS, "request"), options=_OPTIONS)
    provider = Provider(ledger_folder, EngineLog(engine))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider, stopped.set), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    stopped.wait()
    provider.cancel()
    server.stop(grace=1).wait()


def _warm_up() -> None:
    """Import what the first resource will need while the engine is still starting the program."""
    from sandbox.aws.provider import services  # noqa: PLC0415

    services.model("lambda")
