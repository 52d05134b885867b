"""One problem for each mistake in one field: where, what, and what to write instead."""

import json
from collections.abc import Mapping

import pytest
from stack_examples import ABSENT, DEDICATED, HYBRID, PURE, Raw, changed

from components.spec import StackError, load
from components.spec.yaml_source import read

EMBED = "workloads[0]"
GPU = "data_plane.pools[1]"


def problems_of(raw: object) -> list[tuple[str, str, str]]:
    try:
        load(raw)  # type: ignore[arg-type] - what is no mapping is a case too
    except StackError as error:
        return [(problem.path, problem.message, problem.remedy) for problem in error.problems]
    return []


@pytest.mark.parametrize("stack", [HYBRID, PURE, DEDICATED], ids=lambda stack: str(stack["topology"]))
def test_valid_stacks(stack: Raw) -> None:
    assert problems_of(stack) == []


def test_what_a_short_stack_means() -> None:
    stack = load(PURE)
    assert str(stack.network.cidr) == "10.20.0.0/16"
    assert str(stack.control_plane.guardrails.log_retention) == "14d"
    assert stack.control_plane.budget is None
    assert stack.workloads[0].latency.p99 is None
    pool = load(DEDICATED).data_plane.pools[0]  # type: ignore[union-attr]
    assert (pool.nodes.min, pool.nodes.max, pool.capacity) == (3, 3, "existing")


@pytest.mark.parametrize("scale", [1, 37, 0.001], ids=["of mean 1", "requests an hour", "small"])
def test_only_the_proportions_of_a_day_count(scale: float) -> None:
    weights = [0.5] * 8 + [1.5] * 12 + [0.5] * 4
    stack = load(changed(HYBRID, {f"{EMBED}.traffic.hourly": [weight * scale for weight in weights]}))
    assert stack.workloads[0].traffic.hourly == pytest.approx(weights)


def test_stack_never_changes() -> None:
    stack = load(HYBRID)
    with pytest.raises(ValueError, match="frozen"):
        stack.workloads[0].needs.cpu = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "value", "at", "message", "remedy"),
    [
        # Words
        pytest.param("topology", "hybird", "", "choices", "did you mean hybrid?", id="misspelt choice"),
        pytest.param(
            "topology", "kubernetes", "", "choices", "choose from pure, hybrid", id="no choice at all"
        ),
        pytest.param("topology", 7, "", "choices", "choose from pure", id="a number for a choice"),
        pytest.param("topology", ABSENT, "", "missing", "add `topology: hybrid`", id="missing choice"),
        pytest.param("region", "us-east", "", "AWS region", "us-east-1", id="half a region"),
        pytest.param("zones", [], "", "empty list", "`[us-east-1a", id="no zones"),
        pytest.param(
            "zones", "us-east-1a", "", "is text, where a list", "`[us-east-1a", id="text for a list"
        ),
        pytest.param("zones[1]", "us-east-1", "", "availability zone", "us-east-1a", id="a region as a zone"),
        pytest.param("zones[1]", "us-east-1a", "zones", "more than once", "once", id="a zone twice"),
        # Quantities
        pytest.param("control_plane.memory", 256, "", "bare number", "256MiB", id="memory without unit"),
        pytest.param("control_plane.memory", "64MiB", "", "below the least", "128MiB", id="tiny function"),
        pytest.param(
            "control_plane.memory", "256MB", "", "multiple of 1MiB", "245MiB", id="decimal function memory"
        ),
        pytest.param(
            "control_plane.timeout", "2500ms", "", "multiple of 1s", "3s", id="half a second of timeout"
        ),
        pytest.param("control_plane.timeout", "2h", "", "above the most", "90m", id="hours of timeout"),
        pytest.param(f"{EMBED}.traffic.rate", 20, "", "bare number", "20/s", id="rate without unit"),
        pytest.param(f"{EMBED}.traffic.rate", "0/s", "", "is zero", "leave the key out", id="no traffic"),
        pytest.param(
            f"{EMBED}.traffic.utilization", 0.35, "", "bare number", "35%", id="share as a fraction"
        ),
        pytest.param(f"{EMBED}.traffic.utilization", "120%", "", "absurdly", "unit", id="busier than always"),
        pytest.param(f"{EMBED}.traffic.utilization", float("nan"), "", "finite", "35%", id="not a number"),
        pytest.param(f"{EMBED}.traffic.burstiness", -1, "", "no possible ratio", "0 to", id="below a tick"),
        pytest.param(
            f"{EMBED}.traffic.burstiness", float("nan"), "", "no possible ratio", "0 to", id="no burstiness"
        ),
        pytest.param(
            f"{EMBED}.traffic.burstiness", "1.2", "", "not a number", "plain number", id="text for a ratio"
        ),
        pytest.param(
            f"{EMBED}.traffic.service_variation", True, "", "not a number", "plain number", id="a flag"
        ),
        pytest.param(
            f"{EMBED}.traffic.hourly", [1] * 23, "", "has 23 weights", "one weight for each", id="short day"
        ),
        pytest.param(
            f"{EMBED}.traffic.hourly", [0] * 24, "", "zero in every hour", "leave the key out", id="no hour"
        ),
        pytest.param(
            f"{EMBED}.traffic.hourly", "flat", "", "is text, where a list", "`[0.5", id="text for a day"
        ),
        pytest.param(
            f"{EMBED}.traffic.hourly",
            [1] * 23 + [-1],
            f"{EMBED}.traffic.hourly[23]",
            "no possible ratio",
            "0 to",
            id="negative hour",
        ),
        pytest.param(f"{EMBED}.needs.memory", "-1GiB", "", "negative", "16GiB", id="negative memory"),
        pytest.param(f"{EMBED}.needs.memory", {"gib": 1}, "", "not a size", "16GiB", id="keys for a size"),
        pytest.param(f"{EMBED}.needs.memory", None, "", "not a size", "16GiB", id="size left empty"),
        pytest.param(f"{EMBED}.needs.cpu", "two", "", "CPU cores", "500m", id="cores in words"),
        pytest.param(f"{EMBED}.needs.cpu", 0, "", "no possible number", "1m", id="no cores"),
        pytest.param(f"{EMBED}.needs.cpu", True, "", "CPU cores", "500m", id="true cores"),
        pytest.param(f"{EMBED}.needs.cpu", float("inf"), "", "no possible number", "1m", id="infinite cores"),
        pytest.param(
            "control_plane.guardrails.log_retention", "10d", "", "CloudWatch", "14d", id="odd retention"
        ),
        pytest.param(
            "control_plane.budget.limit", "$4.10/h", "", "by the month", "$2993/month", id="hourly budget"
        ),
        pytest.param("control_plane.budget.limit", "$0/month", "", "is zero", "$500/month", id="no budget"),
        pytest.param("control_plane.budget.notify", ["ops"], "[0]", "e-mail", "ops@", id="no e-mail address"),
        # Counts, flags, text
        pytest.param("data_plane.gateway.port", 80800, "", "too large", "65535", id="port out of range"),
        pytest.param("data_plane.gateway.port", "8080", "", "is text", "`8080`", id="port in quotes"),
        pytest.param("data_plane.gateway.port", True, "", "true or false", "`8080`", id="flag for a port"),
        pytest.param("data_plane.gateway.node_port", 8080, "", "too small", "30000", id="low node port"),
        pytest.param(f"{EMBED}.placement.replicas", 0, "", "too small", "1 or more", id="no replicas"),
        pytest.param(
            f"{EMBED}.placement.replicas", 1.5, "", "is a number, where a whole", "`2`", id="half a replica"
        ),
        pytest.param(f"{GPU}.efa", "yes", "", "is text, where true or false", "`false`", id="yes for true"),
        pytest.param(
            "data_plane.cluster.version", 1.3, "", "is a number", '"1.3"', id="version without quotes"
        ),
        pytest.param(
            "data_plane.cluster.version", "v1.34", "", "Kubernetes version", '"1.34"', id="v in version"
        ),
        pytest.param(
            f"{EMBED}.serve.container.args", ["--seed", 7], "[1]", "is a number", '"7"', id="number in args"
        ),
        pytest.param(
            f"{EMBED}.serve.container.env", {"N": 2}, ".N", "is a number", '"2"', id="number in env"
        ),
        pytest.param(
            f"{EMBED}.serve.container.env", {"A B": "1"}, '["A B"]', "environment", "LOG", id="bad env name"
        ),
        # Names and references to the outside
        pytest.param(f"{EMBED}.name", "Embed_1", "", "DNS label", "lower-case", id="name with capitals"),
        pytest.param(f"{EMBED}.name", "e" * 41, "", "40 characters", "shorten", id="name too long"),
        pytest.param(f"{EMBED}.name", 7, "", "is a number, where text", "`embed`", id="number for a name"),
        pytest.param(
            f"{EMBED}.serve.container.image", "a/b:latest", "", "tag that stays", "0.1.0", id="latest"
        ),
        pytest.param(f"{EMBED}.serve.container.image", "a/b", "", "tag that stays", "0.1.0", id="no tag"),
        pytest.param(f"{EMBED}.serve.container.ready", "health", "", "path", "/", id="ready without slash"),
        pytest.param(
            f"{EMBED}.serve.function.bundle", "/srv/x", "", "repository", "examples", id="absolute bundle"
        ),
        pytest.param(
            f"{EMBED}.serve.function.bundle", "a/../../x", "", "repository", "examples", id="bundle outside"
        ),
        pytest.param(
            f"{EMBED}.serve.function.handler", "handler", "", "handler", "app.", id="handler of no module"
        ),
        pytest.param(f"{EMBED}.serve.function.runtime", "python", "", "runtime", "python3.11", id="runtime"),
        pytest.param(f"{GPU}.instance", "g6", "", "instance type", "g6.xlarge", id="family for an instance"),
        pytest.param(f"{GPU}.accelerator.count", 0, "", "too small", "1 or more", id="no accelerators"),
        pytest.param(f"{GPU}.capacity_block.id", "block", "", "reservation", "cr-", id="odd capacity block"),
        pytest.param(
            "network.cidr", "10.20.0.1/16", "", "start of its block", "10.20.0.0/16", id="host bits"
        ),
        pytest.param("network.cidr", "8.8.0.0/16", "", "private", "10.20", id="public block"),
        pytest.param("network.cidr", "10.0.0.0/8", "", "size that a VPC", "/16", id="block too wide"),
        pytest.param("network.cidr", "10.20.0.0", "", "IPv4 address block", "/16", id="no prefix length"),
        pytest.param("network.cidr", "fd00::/64", "", "IPv4 address block", "/16", id="IPv6 block"),
        # Shapes
        pytest.param(f"{EMBED}.needs", ABSENT, "", "missing", "`needs: {cpu: 1", id="section missing"),
        pytest.param(f"{EMBED}.needs", None, "", "is empty", "remove the key", id="section left empty"),
        pytest.param(
            f"{EMBED}.needs", [], "", "is a list, where a set of keys", "`{cpu: 1", id="list for a section"
        ),
        pytest.param(
            "workloads", {}, "", "is a set of keys, where a list", "`[{name", id="section for a list"
        ),
        pytest.param("workloads", [], "", "empty list", "at least 1", id="no workloads"),
        pytest.param(
            "workloads[3]", "embed", "", "is text, where a set of keys", "set of keys", id="text for an item"
        ),
        pytest.param(
            "data_plane.cluster.provider", "gke", "", "choices", "eks, existing", id="unknown provider"
        ),
        pytest.param("data_plane.cluster.provider", ABSENT, "", "missing", "eks, existing", id="no provider"),
        pytest.param(
            "data_plane.cluster.context", "x", "", "unknown key", "known here: provider", id="key of another"
        ),
        # Unknown keys
        pytest.param(
            "netwrk", {}, "", "unknown key", "remove it: network is there", id="misspelt beside the right"
        ),
        pytest.param(
            "data_plane.cluster.nodes", 3, "", "unknown key", "known here: provider, version", id="unknown"
        ),
        pytest.param(
            f"{EMBED}.serve.function.logRetention", "3d", "", "unknown", "log_retention?", id="camel case"
        ),
        pytest.param(
            f"{EMBED}.serve.function.log-retention", "3d", "", "unknown", "log_retention?", id="kebab case"
        ),
        pytest.param(
            "workloads[2].p99", "3ms", "", "unknown", "did you mean latency.p99?", id="one level too high"
        ),
        pytest.param(
            "policies.rules", {"state-localty": {}}, ".state-localty", "choices", "locality?", id="rule"
        ),
        pytest.param(
            "policies.rules", {"zone-capacity": {"a": []}}, ".zone-capacity.a", "threshold", "number", id="t"
        ),
        pytest.param(
            "policies.rules.state-locality.enforcement", "off", "", "choices", "disabled", id="enforcement"
        ),
        # Secrets
        pytest.param(
            f"{EMBED}.name", {"secure": "v1:abc"}, "", "is a secret", "secret store", id="encrypted text"
        ),
        pytest.param(
            f"{EMBED}.needs", {"secure": "v1:abc"}, "", "is a secret", "plain", id="encrypted section"
        ),
    ],
)
def test_one_mistake(path: str, value: object, at: str, message: str, remedy: str) -> None:
    where = at if at and not at.startswith((".", "[")) else path + at
    [(found, says, advises)] = problems_of(changed(HYBRID, {path: value}))
    assert found == where
    assert message in says
    assert remedy in advises


@pytest.mark.parametrize(
    "misspelt",
    [
        pytest.param({"topology": ABSENT, "topolgy": "hybrid"}, id="needed key"),
        pytest.param(
            {"data_plane": ABSENT, "data_plan": HYBRID["data_plane"]}, id="section that others refer to"
        ),
        pytest.param({"state": ABSENT, "stat": HYBRID["state"]}, id="list that others refer to"),
        pytest.param({f"{GPU}.accelerator": ABSENT, f"{GPU}.acelerator": {"type": "L4"}}, id="optional key"),
        pytest.param(
            {f"{GPU}.capacity_block": ABSENT, f"{GPU}.capacityBlock": {}}, id="key another one needs"
        ),
        pytest.param(
            {f"{EMBED}.serve": ABSENT, f"{EMBED}.container": {"image": "a/b:1"}}, id="a level too high"
        ),
        pytest.param({f"{EMBED}.needs.memory": ABSENT, f"{EMBED}.memory": "1GiB"}, id="beside its section"),
        pytest.param({f"{EMBED}.placement": ABSENT, f"{EMBED}.plcement": {}}, id="section with defaults"),
    ],
)
def test_misspelt_key_is_one_problem(misspelt: Mapping[str, object]) -> None:
    [(_, message, remedy)] = problems_of(changed(HYBRID, misspelt))
    assert message == "is an unknown key"
    assert remedy.startswith("did you mean")


TWENTY_MISTAKES: dict[str, object] = {
    "topology": "hybird",
    "netwrok": {"nat": "none"},
    "zones[1]": "eu-west-1b",
    "control_plane.memory": 256,
    "control_plane.guardrails.log_retention": "10d",
    "control_plane.budget.limit": "$4.10/h",
    "data_plane.cluster.version": 1.34,
    "data_plane.gateway.port": 80800,
    "data_plane.pools[0].zones[0]": "us-east-1c",
    "data_plane.pools[0].nodes": {"min": 5, "desired": 2, "max": 4},
    "data_plane.pools[1].accelerator.memory": "24Gi",
    "data_plane.pools[1].zones": ["us-east-1a", "us-east-1a"],
    "state[1].zones": [],
    "workloads[0].serve.container.image": "halfmetal/embedder:latest",
    "workloads[0].traffic.peak": "10/s",
    "workloads[0].state.reads[0]": "feature",
    "workloads[0].placement.pool": "cpu-b",
    "workloads[1].needs.accelerator.type": "H100",
    "workloads[2].name": "embed",
    "workloads[2].placement.replicas": 2,
}


def test_twenty_mistakes_are_twenty_problems() -> None:
    raw = changed(HYBRID, {"network": ABSENT, **TWENTY_MISTAKES})
    found = {path for path, _, _ in problems_of(raw)}
    assert len(problems_of(raw)) == 20
    assert found == set(TWENTY_MISTAKES)


def test_problems_come_in_the_order_of_the_document() -> None:
    raw = changed(HYBRID, {"network": ABSENT, **TWENTY_MISTAKES})
    tops = [path.split(".")[0].split("[")[0] for path, _, _ in problems_of(raw)]
    order = [*raw]
    assert tops == sorted(tops, key=order.index)


def test_text_and_json_of_an_error() -> None:
    with pytest.raises(StackError) as caught:
        load(changed(HYBRID, {f"{EMBED}.needs.memory": "1Gi", "region": "mars"}))
    text = str(caught.value)
    assert text.splitlines()[0] == "2 problems in the stack file"
    assert "workloads[0].needs.memory (embed): '1Gi' is not spelled as a size of memory" in text
    assert "remedy: write '1GiB'" in text
    first, second = json.loads(caught.value.to_json())["problems"]
    assert (first["path"], second["subject"], second["value"]) == ("region", "embed", "1Gi")


@pytest.mark.parametrize("raw", [None, [], "hybrid", 7, True], ids=repr)
def test_what_is_no_set_of_keys(raw: object) -> None:
    [(path, message, _)] = problems_of(raw)
    assert path == ""
    assert "set of keys" in message or message == "is empty"


def test_values_are_shown_short_however_large_they_are() -> None:
    bomb: object = "lol"
    for _ in range(40):
        bomb = [bomb] * 10
    circle: list[object] = []
    circle.append(circle)
    for value in (bomb, circle, 10**9999, "x" * 10**6, {"a": {"b": {"c": {}}}}):
        with pytest.raises(StackError) as caught:
            load(changed(HYBRID, {"topology": None}) | {"topology": value, "extra": value})
        assert len(str(caught.value)) < 1000
        assert json.loads(caught.value.to_json())


def test_yaml_of_the_wrong_kind_of_key() -> None:
    raw = read("topology: pure\n1: x\n").value
    assert ("1", "is a key that is no text", "remove it") in [
        (path, message, remedy) for path, message, remedy in problems_of(raw)
    ]
