"""The programs of the real toolchain start, and say the versions that the modules pin."""

import os
import re
import subprocess
from dataclasses import dataclass
from importlib.metadata import version

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from sandbox.progress import Progress
from sandbox.toolchain import GROUPS, Toolchain, ensure, official
from sandbox.toolchain.modules import GO_MODULES
from sandbox.toolchain.store import Store

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    """What is built, whatever official programs this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(official.VARIABLE, "built")
        return ensure(GROUPS, Progress())


def pinned(group: str, module: str) -> str:
    """A module's version in a group's go.mod, without the v."""
    (directory,) = [definition.directory for definition in GO_MODULES if definition.group == group]
    match = re.search(rf"\s{re.escape(module)} v(\S+)", (directory / "go.mod").read_text())
    assert match
    return match[1]


@dataclass(frozen=True)
class Version:
    """How a program is asked for its version, which module pins it, and the answer (`{}` is the version)."""

    program: str
    arguments: tuple[str, ...]
    group: str
    module: str
    answer: str


KUBERNETES, ETCD = "k8s.io/kubernetes", "go.etcd.io/etcd/server/v3"
VERSIONS = (
    Version("pulumi", ("version",), "engine", "github.com/pulumi/pulumi/pkg/v3", "v{}\n"),
    Version("kube-apiserver", ("--version",), "cluster", KUBERNETES, "Kubernetes v{}\n"),
    Version("kube-scheduler", ("--version",), "cluster", KUBERNETES, "Kubernetes v{}\n"),
    Version("kube-controller-manager", ("--version",), "cluster", KUBERNETES, "Kubernetes v{}\n"),
    Version("kubectl", ("version", "--client"), "cluster", KUBERNETES, "Client Version: v{}\n"),
    Version("etcd", ("--version",), "cluster", ETCD, "etcd Version: {}\n"),
    Version("kwok", ("--version",), "kwok", "sigs.k8s.io/kwok", "kwok version v{} "),
)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.program) for case in VERSIONS])
def test_a_program_says_the_version_that_its_module_pins(toolchain: Toolchain, case: Version):
    argv = [str(toolchain.path(case.program)), *case.arguments]
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"}
    said = subprocess.run(argv, capture_output=True, text=True, check=True, env=env).stdout
    assert said.startswith(case.answer.format(pinned(case.group, case.module)))


def test_the_kubernetes_provider_says_the_version_of_the_python_sdk(toolchain: Toolchain):
    argv = [str(toolchain.path("pulumi-resource-kubernetes"))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                answer = ResourceProviderStub(channel).GetPluginInfo(Empty(), timeout=10)
        finally:
            process.kill()
    assert answer.version == version("pulumi-kubernetes")


def test_what_is_fetched_starts(toolchain: Toolchain):
    for program, arguments in (
        ("haproxy", ["-v"]),
        ("emulator-python", ["-c", "import ministack"]),
        ("chromium", ["--version"]),
    ):
        subprocess.run([str(toolchain.path(program)), *arguments], check=True, capture_output=True)


def test_with_everything_there_nothing_is_made_again(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch):
    def makes(_: Store, name: str, *_rest: object) -> None:
        pytest.fail(f"{name} is there, and was made again")

    monkeypatch.setattr(Store, "_build", makes)
    again = ensure(GROUPS, Progress())
    assert set(toolchain.programs) <= set(again.programs)
