"""The plugin as the engine meets it: a process, a port, messages."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from provider_driver import environment_for, urn_of

from sandbox.aws.provider import sdk
from sandbox.aws.provider.proto import provider_pb2, provider_pb2_grpc, status_pb2
from sandbox.aws.provider.values import UNKNOWN, Secret, decode, encode

DEADLINE_S = 60.0
TOPIC = urn_of("aws:sns/topic:Topic")
PARAMETER = urn_of("aws:ssm/parameter:Parameter")


class Plugin:
    """A plugin process and a channel to it."""

    def __init__(self, ledger: Path, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.aws.provider", "--logtostderr", "-v=9", "127.0.0.1:1"],
            env={"PATH": "/usr/bin:/bin", "HALFMETAL_AWS_LEDGER": str(ledger), **environment_for(url)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        port = self.process.stdout.readline().strip()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def configure(self, **given: Any) -> Any:
        return self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(given), acceptSecrets=True))

    def check(self, urn: str, **given: Any) -> Any:
        return self.stub.Check(provider_pb2.CheckRequest(urn=urn, news=encode(given), randomSeed=b"seed"))

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        self.channel.close()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, errors


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """A plugin that all share, configured, with no emulator behind it."""
    made = Plugin(tmp_path_factory.mktemp("ledger"), "http://127.0.0.1:9")
    made.configure(maxRetries="0")
    yield made
    made.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
def test_it_is_ready_at_once_and_leaves_quietly(tmp_path: Path, number: int) -> None:
    """Half a second is the aim; the limit here leaves room for a busy machine."""
    plugin = Plugin(tmp_path, "http://127.0.0.1:9")
    assert plugin.stub.GetPluginInfo(empty_pb2.Empty()).version == sdk.version()
    status, errors = plugin.stop(number)
    assert (status, errors) == (0, "")


def test_what_the_provider_can_do_is_told(plugin: Plugin) -> None:
    answer = plugin.configure(maxRetries="0")
    assert answer.acceptSecrets
    assert answer.supportsPreview
    assert answer.supports_autonaming_configuration


def test_wrong_configuration_is_found_in_check(plugin: Plugin) -> None:
    news = encode({"endpoints": '[{"s3": "https://s3.amazonaws.com"}]'})
    answer = plugin.stub.CheckConfig(provider_pb2.CheckRequest(news=news))
    (failure,) = answer.failures
    assert failure.property == "endpoints"
    assert "not a loopback address" in failure.reason


def test_a_failure_names_the_property_and_has_no_trace(plugin: Plugin) -> None:
    answer = plugin.check(TOPIC, displayNme="x")
    (failure,) = answer.failures
    assert failure.property == "displayNme"
    assert failure.reason == "displayNme is not a property of it; did you mean displayName?"


def test_an_unknown_type_is_a_failure_of_the_resource(plugin: Plugin) -> None:
    answer = plugin.check(urn_of("aws:ec2/instance:Instance"), ami="ami-1")
    (failure,) = answer.failures
    assert "does not know the resource type aws:ec2/instance:Instance" in failure.reason


def test_an_error_is_one_line(plugin: Plugin) -> None:
    inputs = plugin.check(TOPIC).inputs
    with pytest.raises(grpc.RpcError) as caught:
        plugin.stub.Create(provider_pb2.CreateRequest(urn=TOPIC, properties=inputs))
    details = caught.value.details()
    assert details.startswith("creating aws:sns/topic:Topic: sns:CreateTopic: the AWS emulator at")
    assert "\n" not in details
    assert "Traceback" not in details


def test_secrets_stay_secret_through_check_and_preview(plugin: Plugin) -> None:
    checked = plugin.check(PARAMETER, type="SecureString", value=Secret("swordfish"), tags={"a": Secret("b")})
    inputs = decode(checked.inputs)
    assert inputs["value"] == Secret("swordfish")
    assert inputs["tags"] == {"a": Secret("b")}
    request = provider_pb2.CreateRequest(urn=PARAMETER, properties=checked.inputs, preview=True)
    state = decode(plugin.stub.Create(request).properties)
    assert state["value"] == Secret("swordfish")
    assert state["version"] is UNKNOWN


def test_some_outputs_are_secret_whatever_the_program_says(plugin: Plugin) -> None:
    inputs = plugin.check(PARAMETER, type="String", value="plain").inputs
    request = provider_pb2.CreateRequest(urn=PARAMETER, properties=inputs, preview=True)
    assert decode(plugin.stub.Create(request).properties)["value"] == Secret("plain")


def test_a_diff_is_detailed(plugin: Plugin) -> None:
    urn = urn_of("aws:iam/role:Role")
    old = {"name": "x", "path": "/a/", "assumeRolePolicy": "{}", "tags": {"kubernetes.io/a": "1"}}
    new = {"name": "x", "path": "/b/", "assumeRolePolicy": "{}", "description": "d"}
    answer = plugin.stub.Diff(
        provider_pb2.DiffRequest(id="x", urn=urn, olds=encode(old), old_inputs=encode(old), news=encode(new))
    )
    kinds = provider_pb2.PropertyDiff
    assert {path: found.kind for path, found in answer.detailedDiff.items()} == {
        "description": kinds.ADD,
        "path": kinds.UPDATE_REPLACE,
        "tags": kinds.DELETE,
    }
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == ["path"]
    assert answer.deleteBeforeReplace
    assert answer.hasDetailedDiff


def test_the_schema_describes_what_is_supported(plugin: Plugin) -> None:
    schema = json.loads(plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    function = schema["resources"]["aws:lambda/function:Function"]
    assert function["requiredInputs"] == ["role"]
    assert function["inputProperties"]["memorySize"] == {"type": "integer"}
    assert function["inputProperties"]["name"]["willReplaceOnChanges"]
    reference = function["inputProperties"]["tracingConfig"]["$ref"].removeprefix("#/types/")
    assert schema["types"][reference]["properties"] == {"mode": {"type": "string"}}


@pytest.mark.engine
def test_a_half_made_resource_reaches_the_engine(emulator: str, tmp_path: Path) -> None:
    """What fails after the create comes with the id, so that nothing is forgotten."""
    made = Plugin(tmp_path, emulator)
    try:
        made.configure()
        urn = urn_of("aws:cloudwatch/logGroup:LogGroup")
        inputs = decode(made.check(urn, retentionInDays=7).inputs)
        # Past check, as a value that only the update knows would be.
        broken = encode({**inputs, "retentionInDays": 4})
        with pytest.raises(grpc.RpcError) as caught:
            made.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=broken))
        packed = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
        detail = provider_pb2.ErrorResourceInitFailed()
        assert status_pb2.Status.FromString(packed).details[0].Unpack(detail)
        assert detail.id == inputs["name"]
        assert "PutRetentionPolicy" in detail.reasons[0]
        assert decode(detail.inputs)["retentionInDays"] == 4
    finally:
        made.stop()
