"""The engine's calls, each handed to the module that answers it."""

# ruff: noqa: N802 - the names of the methods are the protocol's

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.language_host import install, options, packages, plugin, program
from sandbox.language_host.children import Children
from sandbox.language_host.environment import Environment, Program, ambient, resolve
from sandbox.language_host.errors import HostError
from sandbox.language_host.streams import Source

_VERSION_SCRIPT = "import platform, sys; print(sys.executable); print(platform.python_version())"


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The language runtime service of Pulumi's plugin protocol, for Python."""

    def __init__(self, engine: str, children: Children, shut_down: Callable[[], None]) -> None:
        self._engine = engine
        self._children = children
        self._shut_down = shut_down

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Sent only by an engine that attaches to a running host; one that starts it passes an argument."""
        del context
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        del request, context
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        del request, context
        self._shut_down()
        return empty_pb2.Empty()

    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        with _told(context):
            return program.run(
                request,
                _program(request.info),
                engine=self._engine,
                children=self._children,
                on_cancel=context.add_callback,
            )

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        with _told(context):
            yield from plugin.run(
                request, _program(request.info), children=self._children, on_cancel=context.add_callback
            )

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        with _told(context):
            output = install.install(
                _program(request.info), is_plugin=request.is_plugin, children=self._children
            )
            for source, piece in output:
                if source is Source.STDOUT:
                    yield language_pb2.InstallDependenciesResponse(stdout=piece)
                else:
                    yield language_pb2.InstallDependenciesResponse(stderr=piece)

    def About(
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        with _told(context):
            if not request.HasField("info"):
                executable, python = _about(ambient())
                return language_pb2.AboutResponse(executable=executable, version=python)
            asked = _program(request.info)
            executable, python = _about(resolve(asked))
            checker = asked.options.typechecker or "none"
            return language_pb2.AboutResponse(
                executable=executable,
                version=python,
                metadata={"toolchain": asked.toolchain, "typechecker": checker},
            )

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        with _told(context):
            found = packages.installed(
                resolve(_program(request.info)), transitive=request.transitiveDependencies
            )
            return language_pb2.GetProgramDependenciesResponse(
                dependencies=[language_pb2.DependencyInfo(name=p.name, version=p.version) for p in found]
            )

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        with _told(context):
            needed = packages.plugins(resolve(_program(request.info)))
            return language_pb2.GetRequiredPackagesResponse(packages=map(_dependency, needed))

    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        with _told(context):
            needed = packages.plugins(resolve(_program(request.info)))
            return language_pb2.GetRequiredPluginsResponse(
                plugins=[
                    plugin_pb2.PluginDependency(
                        name=p.name, kind="resource", version=p.version, server=p.server
                    )
                    for p in needed
                ]
            )

    def RuntimeOptionsPrompts(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "prompting for runtime options")

    def Template(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "adapting project templates")

    def GenerateProgram(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "generating programs")

    def GenerateProject(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "generating projects")

    def GeneratePackage(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "generating SDKs")

    def Pack(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "packing SDKs")

    def Link(self, request: object, context: grpc.ServicerContext) -> NoReturn:
        _unimplemented(request, context, "linking local packages")


@contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """Answers a HostError with its message; gRPC would print a traceback beside it."""
    try:
        yield
    except HostError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _unimplemented(request: object, context: grpc.ServicerContext, what: str) -> NoReturn:
    del request
    context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        f"this Python language host does not support {what}; use that of the official Pulumi CLI",
    )
    raise AssertionError("abort raises")


def _program(info: language_pb2.ProgramInfo) -> Program:
    root = Path(info.root_directory)
    given: dict[str, Any] = json_format.MessageToDict(info.options)
    return Program(
        root=root,
        directory=Path(info.program_directory or root),
        options=options.parse(given),
    )


def _dependency(needed: packages.Plugin) -> plugin_pb2.PackageDependency:
    return plugin_pb2.PackageDependency(
        name=needed.name,
        kind="resource",
        version=needed.version,
        server=needed.server,
        parameterization=_parameterization(needed.parameterization),
        extension=_parameterization(needed.extension),
    )


def _parameterization(given: packages.Parameterization | None) -> plugin_pb2.PackageParameterization | None:
    if given is None:
        return None
    return plugin_pb2.PackageParameterization(name=given.name, version=given.version, value=given.value)


def _about(environment: Environment) -> tuple[str, str]:
    asked = subprocess.run(
        [environment.python, "-c", _VERSION_SCRIPT],
        env=environment.variables(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise HostError(f"{environment.python} cannot be run: {asked.stderr.strip()}")
    executable, python = asked.stdout.split("\n")[:2]
    return executable, python
