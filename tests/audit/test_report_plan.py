"""What would clear the findings: what is set where, in whose words, what is left, and what it costs."""

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from audit_cases import HOSTILE, hostile
from mixed_example import FOLDER, planned

from components.catalog import load as load_catalog
from components.placement import UNBOUNDED, Facts, Home, StateRead, Waivers, settle
from components.spec import Duration, Memory, Share
from policies.audit.dialects import property_of, value_of
from policies.audit.findings import Status, Terms, audit
from policies.audit.outcome import Outcome
from policies.audit.plan import Plan, Step, plan
from policies.audit.reports import as_json
from policies.audit.sources import Gathered, gather
from policies.fixes import Path as Property
from policies.reading.bags import UNKNOWN
from policies.reading.functions import FUNCTION
from policies.reading.nodes import LAUNCH_TEMPLATE
from policies.reading.relations import LOG_GROUP
from policies.resources import Dialect, Location, Resource

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
TODAY = datetime.date(2026, 11, 25)
BOUNDED = {"timeout": 30, "reservedConcurrentExecutions": 20}
SELECTOR = ("spec", "template", "spec", "nodeSelector", "topology.kubernetes.io/zone")


def terms(region: str = "us-east-1") -> Terms:
    catalog = load_catalog()
    return Terms(settle(catalog, {}), Waivers((), TODAY), catalog, region)


def planned_for(*resources: Resource, region: str = "us-east-1") -> Plan:
    gathered, against = Gathered(tuple(resources)), terms(region)
    return plan(audit(gathered, against.settings, against.waivers).findings, gathered, against)


def step(rule: str, *resources: Resource, region: str = "us-east-1") -> Step:
    (found,) = [each for each in planned_for(*resources, region=region).steps if each.finding.rule.id == rule]
    return found


# -- in whose words


@dataclass(frozen=True)
class Words:
    id: str
    resource_type: str
    name: str
    urn: str
    path: Property
    said: str
    dialect: Dialect = Dialect.PULUMI


IN_WORDS = (
    Words("Pulumi", FUNCTION, "embed", "urn:pulumi:a::b::c::embed", ("memorySize",), "memorySize"),
    Words(
        "Terraform",
        FUNCTION,
        "module.a.aws_lambda_function.embed[0]",
        "x#module.a.aws_lambda_function.embed[0]",
        ("reservedConcurrentExecutions",),
        "reserved_concurrent_executions",
        Dialect.TERRAFORM,
    ),
    Words(
        "a block of Terraform",
        LAUNCH_TEMPLATE,
        "aws_launch_template.gpu",
        "x#aws_launch_template.gpu",
        ("placement", "availabilityZone"),
        "placement.availability_zone",
        Dialect.TERRAFORM,
    ),
    Words(
        "CloudFormation", FUNCTION, "Embed", "x#Embed", ("memorySize",), "MemorySize", Dialect.CLOUDFORMATION
    ),
    Words(
        "an object of CloudFormation",
        LAUNCH_TEMPLATE,
        "Gpu",
        "x#Gpu",
        ("placement", "tenancy"),
        "LaunchTemplateData.Placement.Tenancy",
        Dialect.CLOUDFORMATION,
    ),
    Words(
        "what CloudFormation has deeper",
        "aws:eks/cluster:Cluster",
        "Cluster",
        "x#Cluster",
        ("enabledClusterLogTypes",),
        "Logging.ClusterLogging.EnabledTypes",
        Dialect.CLOUDFORMATION,
    ),
    Words(
        "Serverless Framework",
        FUNCTION,
        "EmbedLambdaFunction",
        "serverless.yml#EmbedLambdaFunction",
        ("reservedConcurrentExecutions",),
        "reservedConcurrency",
        Dialect.SERVERLESS,
    ),
    Words(
        "its logs",
        LOG_GROUP,
        "EmbedLogGroup",
        "serverless.yml#EmbedLogGroup",
        ("retentionInDays",),
        "provider.logRetentionInDays",
        Dialect.SERVERLESS,
    ),
    Words(
        "a manifest",
        DEPLOYMENT,
        "models/rank",
        "x#apps/v1/Deployment/models/rank",
        SELECTOR,
        'spec.template.spec.nodeSelector["topology.kubernetes.io/zone"]',
    ),
    Words(
        "a deployment in Terraform",
        DEPLOYMENT,
        "kubernetes_deployment_v1.rank",
        "x#kubernetes_deployment_v1.rank",
        SELECTOR,
        'spec.template.spec.node_selector["topology.kubernetes.io/zone"]',
        Dialect.TERRAFORM,
    ),
    Words(
        "blocks of a deployment in Terraform, of which there may be several",
        DEPLOYMENT,
        "kubernetes_deployment_v1.rank",
        "x#kubernetes_deployment_v1.rank",
        ("spec", "template", "spec", "tolerations"),
        "spec.template.spec.toleration",
        Dialect.TERRAFORM,
    ),
    Words(
        "a manifest in Terraform",
        DEPLOYMENT,
        "kubernetes_manifest.rank",
        "x#kubernetes_manifest.rank",
        ("spec", "replicas"),
        "manifest.spec.replicas",
        Dialect.TERRAFORM,
    ),
)


@pytest.mark.parametrize("case", IN_WORDS, ids=lambda case: case.id)
def test_a_property_is_called_what_it_is_in_its_file(case: Words):
    resource = Resource(case.resource_type, case.name, case.urn, {}, dialect=case.dialect)
    assert property_of(resource, case.path) == case.said


@dataclass(frozen=True)
class Shape:
    id: str
    dialect: Dialect
    resource_type: str
    name: str
    path: Property
    value: object
    said: object


TOLERATED = [{"key": "gpu", "tolerationSeconds": 5}]
TOLERATIONS = ("spec", "template", "spec", "tolerations")
EKS, LOGS = "aws:eks/cluster:Cluster", ("enabledClusterLogTypes",)
SHAPES = (
    Shape(
        "a list that CloudFormation has deeper",
        Dialect.CLOUDFORMATION,
        EKS,
        "Cluster",
        LOGS,
        ["api", "audit"],
        [{"Type": "api"}, {"Type": "audit"}],
    ),
    Shape("the same in Terraform", Dialect.TERRAFORM, EKS, "aws_eks_cluster.it", LOGS, ["api"], ["api"]),
    Shape(
        "an object of CloudFormation",
        Dialect.CLOUDFORMATION,
        LAUNCH_TEMPLATE,
        "Gpu",
        ("placement",),
        {"availabilityZone": "us-east-1a"},
        {"AvailabilityZone": "us-east-1a"},
    ),
    Shape(
        "blocks of Terraform",
        Dialect.TERRAFORM,
        DEPLOYMENT,
        "kubernetes_deployment_v1.rank",
        TOLERATIONS,
        TOLERATED,
        [{"key": "gpu", "toleration_seconds": 5}],
    ),
    Shape(
        "a manifest in Terraform",
        Dialect.TERRAFORM,
        DEPLOYMENT,
        "kubernetes_manifest.rank",
        TOLERATIONS,
        TOLERATED,
        TOLERATED,
    ),
    Shape(
        "words of its owner's",
        Dialect.TERRAFORM,
        FUNCTION,
        "aws_lambda_function.it",
        ("tags",),
        {"costCenter": "ml"},
        {"costCenter": "ml"},
    ),
    Shape("a manifest", Dialect.PULUMI, DEPLOYMENT, "it", TOLERATIONS, TOLERATED, TOLERATED),
)


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case.id)
def test_a_value_has_the_shape_that_it_has_in_its_file(case: Shape):
    resource = Resource(case.resource_type, case.name, f"x#{case.name}", {}, dialect=case.dialect)
    assert value_of(resource, case.path, case.value) == case.said


SERVERLESS = """
service: x
provider: {name: aws}
functions: {embed: {handler: a.b}}
resources: {Resources: {Plain: {Type: AWS::Lambda::Function, Properties: {Timeout: 3}}}}
"""
TEMPLATE = "Resources: {Plain: {Type: AWS::Lambda::Function, Properties: {Timeout: 3}}}"
PLANNED = {"address": "aws_lambda_function.embed", "type": "aws_lambda_function", "values": {"timeout": 3}}
PLAN = json.dumps(
    {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "values": {"root_module": {"resources": [{"mode": "managed", "name": "embed", **PLANNED}]}},
    }
)


@pytest.mark.parametrize(
    ("file", "text", "called"),
    [
        pytest.param(
            "services.yaml",
            SERVERLESS,
            {"EmbedLambdaFunction": "reservedConcurrency", "Plain": "ReservedConcurrentExecutions"},
            id="the Serverless Framework's own and what it only hands on",
        ),
        pytest.param(
            "serverless.yml",
            TEMPLATE,
            {"Plain": "ReservedConcurrentExecutions"},
            id="CloudFormation in a file of another's name",
        ),
        pytest.param(
            "a.json", PLAN, {"aws_lambda_function.embed": "reserved_concurrent_executions"}, id="Terraform"
        ),
    ],
)
def test_whose_words_they_are_is_told_by_what_is_in_a_file(
    file: str, text: str, called: dict[str, str], tmp_path: Path
):
    (tmp_path / file).write_text(text)
    functions = [each for each in gather([str(tmp_path / file)]).resources if each.resource_type == FUNCTION]
    assert {each.name: property_of(each, ("reservedConcurrentExecutions",)) for each in functions} == called


# -- what it costs


def function(home: Home = Home.FUNCTION, **facts: Any) -> Resource:
    props: dict[str, Any] = {"name": "embed", **BOUNDED, "memorySize": facts.pop("size", 1769)}
    if "architectures" in facts:
        props["architectures"] = facts.pop("architectures")
    return Resource(FUNCTION, "embed", "urn:embed", {**props, "tags": Facts(home=home, **facts).to_tags()})


@dataclass(frozen=True)
class Costs:
    id: str
    rule: str
    resource: Resource
    said: str
    how: str = ""
    region: str = "us-east-1"


def pods(rule_facts: dict[str, Any], **spec: Any) -> Resource:
    annotations = Facts(home=Home.POOL, **rule_facts).to_annotations()
    props = {"metadata": {"annotations": annotations}, "spec": {"template": {"spec": {}}, **spec}}
    return Resource(DEPLOYMENT, "rank", "urn:rank", props)


READS: dict[str, Any] = {
    "zones": ("us-east-1b",),
    "state": (StateRead("features", ("us-east-1a",)),),
    "latency_p99": Duration.of(1, "ms"),
    "service_time": Duration.of(10, "ms"),
    "state_bytes": Memory.of(1, "MiB"),
}
COSTS = (
    Costs(
        "concurrency", "runaway-function", Resource(FUNCTION, "x", "urn:x", {"timeout": 3}), "costs nothing"
    ),
    Costs(
        "a busy function to a pool",
        "sustained-utilization",
        function(utilization=Share.parse("75%")),
        "saves $",
        "less $56.75 of the function (1769MiB for 75% of the month at $0.0000166667/GB-s",
    ),
    Costs(
        "an arm function to an arm node",
        "sustained-utilization",
        function(utilization=Share.parse("75%"), architectures=["arm64"]),
        "saves $",
        "g.",
    ),
    Costs(
        "a function that needs an accelerator",
        "accelerator-needs-metal",
        function(accelerator_count=1, accelerator_type="L4"),
        "costs $587.50 a month",
        "1 g6.xlarge at $0.8048/h, less what the function costs, which is not known",
    ),
    Costs(
        "an accelerator that the catalog does not have",
        "accelerator-needs-metal",
        function(accelerator_count=1, accelerator_type="Z9"),
        "price not known",
        "prices no machine",
    ),
    Costs(
        "where no price is known",
        "accelerator-needs-metal",
        function(accelerator_count=1, accelerator_type="L4"),
        "price not known",
        region="ap-south-2",
    ),
    Costs(
        "less memory than it is given",
        "memory-over-function-limit",
        function(size=20_480, utilization=Share.parse("10%")),
        "saves $43.80 a month",
        "10% of the month at",
    ),
    Costs(
        "less memory, used who knows how much",
        "memory-over-function-limit",
        function(size=20_480),
        "price not known",
        "how much it runs is not known",
    ),
    Costs(
        "state in the same zone",
        "state-locality",
        pods({**READS, "utilization": Share.parse("50%")}),
        "saves $2,566.41 a month",
        "131,400,000 requests of 1MiB",
    ),
    Costs("state in the same zone, read who knows how often", "state-locality", pods(READS), "costs nothing"),
    Costs(
        "a replica with an accelerator",
        "warm-before-tail",
        pods({"twin": True, "accelerator_type": "L4"}, replicas=0),
        "costs $587.50 a month",
        "if the pool has none free",
    ),
    Costs(
        "machines of one's own",
        "compliance-isolation",
        Resource(
            LAUNCH_TEMPLATE,
            "cards",
            "urn:cards",
            {"tags": Facts(home=Home.POOL, compliance=("pci-dss",)).to_tags(), "instanceType": "m7g.large"},
        ),
        "costs at least $1,460.00 a month",
        "a dedicated m7g.large",
    ),
    Costs(
        "a cluster that a provider runs",
        "unattended-cluster",
        pods({"managed_cluster": False, "operations_team": False}),
        "costs $73.00 a month",
    ),
)


@pytest.mark.parametrize("case", COSTS, ids=lambda case: case.id)
def test_what_it_costs(case: Costs):
    price = step(case.rule, case.resource, region=case.region).price
    assert str(price).startswith(case.said)
    assert case.how in price.how


def test_what_several_findings_ask_for_is_paid_for_once():
    detect = function(
        accelerator_count=1,
        accelerator_type="L4",
        memory=Memory.of(12, "GiB"),
        utilization=Share.parse("75%"),
    )
    made = planned_for(detect)
    each = {str(one.price) for one in made.steps if one.price.dollars}
    assert len(each) == 1
    assert sum(bool(one.price.dollars) for one in made.steps) == 3
    (dollars,) = {one.price.dollars for one in made.steps if one.price.dollars}
    assert made.dollars == dollars


def test_what_is_saved_by_a_value_is_not_saved_again_by_what_is_done_by_hand():
    made = planned_for(function(size=12_000, utilization=Share.parse("75%")))
    told = {one.finding.rule.id: one.price.how for one in made.steps}
    assert "less $328.50 of the function (10GiB for 75% of the month" in told["sustained-utilization"]
    # All that the function costs today, less the share of a machine that does its work with 10 GiB.
    priced = {one.finding.rule.id: one.price.dollars or 0 for one in made.steps}
    assert made.dollars == priced["memory-over-function-limit"] + priced["sustained-utilization"]


def test_a_fee_for_the_region_is_paid_once():
    tags = Facts(home=Home.POOL, compliance=("pci-dss",)).to_tags()
    templates = [
        Resource(LAUNCH_TEMPLATE, name, f"urn:{name}", {"tags": tags, "instanceType": "m7g.large"})
        for name in ("one", "two")
    ]
    assert planned_for(*templates).dollars == 1460


# -- what is changed, and what is left


def test_the_mixed_example(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(FOLDER)
    outcome = planned()
    assert outcome.plan is not None
    told = {
        (each.finding.subject, each.finding.rule.id): (
            [(change.called, change.before, change.after) for change in each.changes],
            bool(each.left),
        )
        for each in outcome.plan.steps
    }
    assert told["thumbnails", "runaway-function"] == ([("retentionInDays", "not set", "14")], False)
    assert told["detect", "runaway-function"] == ([("reservedConcurrentExecutions", "not set", "20")], True)
    assert told["cards", "compliance-isolation"] == ([("placement.tenancy", "not set", "dedicated")], False)
    assert told["chat", "warm-before-tail"] == ([("spec.replicas", "0", "1")], False)
    assert told["rerank", "sustained-utilization"] == ([], True)
    assert {each.finding.status for each in outcome.plan.steps} == {Status.REFUSED, Status.ADVISED_AGAINST}


def test_what_is_planned_changes_nothing_that_is_there():
    props = {"timeout": 3}
    resource = Resource(FUNCTION, "x", "urn:x", props)
    step("runaway-function", resource)
    assert resource.props is props
    assert props == {"timeout": 3}


TERRAFORM = {
    "version": 4,
    "terraform_version": "1.9.0",
    "resources": [
        {
            "mode": "managed",
            "type": "aws_lambda_function",
            "name": "embed",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": {"function_name": "embed", "timeout": 30}}],
        }
    ],
}
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Embed:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: embed
      Timeout: 30
"""


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param(
            "terraform.tfstate", json.dumps(TERRAFORM), "reserved_concurrent_executions", id="Terraform"
        ),
        pytest.param("template.yaml", TEMPLATE, "ReservedConcurrentExecutions", id="CloudFormation"),
    ],
)
def test_from_a_source_to_its_own_words(tmp_path: Path, name: str, text: str, said: str):
    (tmp_path / name).write_text(text, encoding="utf-8")
    gathered, against = gather([str(tmp_path / name)]), terms()
    made = plan(audit(gathered, against.settings, against.waivers).findings, gathered, against)
    (only,) = made.steps
    assert [change.called for change in only.changes] == [said]


def test_values_that_are_not_known_stay_so():
    resource = Resource(
        FUNCTION, "x", "urn:pulumi:x", {"timeout": 7200, "reservedConcurrentExecutions": UNKNOWN}
    )
    (change,) = step("runaway-function", resource).changes
    assert (change.called, change.before, change.after) == ("timeout", "7200", "900")


def test_names_that_mean_harm_have_a_plan():
    found = hostile()
    gathered = Gathered(tuple({id(each.resource): each.resource for each in found.findings}.values()))
    made = plan(found.findings, gathered, terms())
    assert len(made.steps) >= len(HOSTILE) - 1
    told = json.loads(as_json.report(Outcome(found, plan=made)))["fix_plan"]
    assert len(told["steps"]) == len(made.steps)


def test_a_placed_function_that_fits_has_nothing_to_change():
    assert not [
        each
        for each in planned_for(function(jitter=UNBOUNDED)).steps
        if each.finding.rule.id != "runaway-function"
    ]


def test_one_object_in_two_files_is_cleared_where_it_is_changed():
    """Their findings are told apart by number, and the first of them goes."""
    needs = Facts(home=Home.FUNCTION, memory=Memory.of(12, "GiB")).to_tags()
    bags: dict[str, dict[str, Any]] = {
        "a.yaml": {"memorySize": 20_480},
        "b.yaml": {"memorySize": 10_240, "tags": needs},
    }
    both = [
        Resource(FUNCTION, "Embed", f"{file}#Embed", {**BOUNDED, **props}, location=Location(file, 1))
        for file, props in bags.items()
    ]
    left = {
        each.finding.address: each.left
        for each in planned_for(*both).steps
        if each.finding.rule.id == "memory-over-function-limit"
    }
    assert left["a.yaml#Embed"] == ""
    assert "it needs 12,288 MB" in left["b.yaml#Embed"]


@pytest.mark.slow
def test_ten_times_as_much_takes_about_ten_times_as_long():
    def taken(count: int) -> float:
        functions = [Resource(FUNCTION, f"f{n}", f"urn:f{n}", {"timeout": 3}) for n in range(count)]
        begin = process_time()
        planned_for(*functions)
        return process_time() - begin

    taken(100)
    assert taken(2000) < 30 * max(taken(200), 0.01)
