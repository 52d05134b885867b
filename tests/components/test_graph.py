"""What the three topologies make, and what depends on what."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from recording import Recording, Resource

from components.spec.consistency.workloads import GATEWAY_NAMES

LAMBDA = "aws:lambda/.*"
ROUTE = "aws:apigatewayv2/route:Route"
IN_CLUSTER = "kubernetes:.*"


def _types_behind(recording: Recording, resource: Resource) -> set[str]:
    return {made.type for made in recording.behind(resource)}


def _integration_of(recording: Recording, route: Resource) -> Resource:
    (found,) = [
        made for made in recording.of("aws:apigatewayv2/integration:Integration") if made.urn in route.needs
    ]
    return found


def _routes_to(recording: Recording, workload: str, api: str = "api") -> list[Resource]:
    base = f"ANY /v2/models/{workload}"
    return [
        made
        for made in recording.of(ROUTE)
        if made.inputs["routeKey"] in {base, f"{base}/{{proxy+}}"}
        and made.inputs["apiId"].endswith(f"-{api}-http-id")
    ]


# What EC2 takes as the description of a security group or a rule (botocore's model).
EC2_TEXT = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")


def _nested(inputs: dict[str, Any], key: str) -> Iterator[Any]:
    """Values of a key in the lists of a resource's inputs."""
    for value in inputs.values():
        if isinstance(value, list):
            yield from (item[key] for item in value if isinstance(item, dict) and key in item)


class TestEveryTopology:
    def test_uses_only_what_the_sdks_have(self, each: Recording):
        assert each.unknown == []

    def test_names_everything_after_its_component(self, each: Recording):
        by_urn = {made.urn: made for made in each.resources}
        misnamed = [
            made.name
            for made in each.resources
            if made.parent in by_urn and not made.name.startswith(f"{by_urn[made.parent].name}-")
        ]
        assert misnamed == []

    def test_registers_the_outputs_of_every_component(self, each: Recording):
        assert {made.urn for made in each.resources if made.is_component} <= each.finished

    def test_keeps_parents_shallow(self, each: Recording):
        # Deep chains of parents are what makes a preview take minutes (pulumi#10333).
        assert max(map(each.depth, each.resources)) == 2

    def test_depends_on_resources_never_on_components(self, each: Recording):
        # A dependency on a component without children is ignored without a word (pulumi#8721).
        components = {made.urn for made in each.resources if made.is_component}
        assert [made.name for made in each.resources if made.needs & components] == []

    def test_gives_no_two_resources_one_name(self, each: Recording):
        urns = [made.urn for made in each.resources]
        assert len(urns) == len(set(urns))

    def test_reaches_aws_through_a_provider_of_its_region_only(self, each: Recording):
        (provider,) = each.of("pulumi:providers:aws")
        assert json.loads(provider.inputs["defaultTags"])["tags"].keys() == {
            "halfmetal:stack",
            "halfmetal:topology",
        }
        strangers = [
            made.name for made in each.of("aws:.*") if made.custom and provider.urn not in made.needs
        ]
        assert strangers == []

    def test_describes_in_characters_that_ec2_takes(self, each: Recording):
        described = [
            text
            for made in each.of("aws:ec2/securityGroup.*")
            for text in (made.inputs.get("description"), *_nested(made.inputs, "description"))
            if isinstance(text, str)
        ]
        assert [text for text in described if not EC2_TEXT.fullmatch(text)] == []

    def test_tags_the_machines_and_disks_that_a_template_makes(self, each: Recording):
        # Default tags of the provider are on the template, and on nothing that is made of it.
        for template in each.of("aws:ec2/launchTemplate:LaunchTemplate"):
            kinds = {given["resourceType"]: given["tags"] for given in template.inputs["tagSpecifications"]}
            assert kinds.keys() == {"instance", "volume"}
            for tags in kinds.values():
                assert {"halfmetal:stack", "halfmetal:topology"} <= tags.keys()

    def test_leaves_room_in_aws_names_for_the_engines_suffix(self, each: Recording):
        # The engine adds a dash and seven characters.
        limits = {
            "aws:lambda/function:Function": 64,
            "aws:iam/role:Role": 64,
            "aws:lb/loadBalancer:LoadBalancer": 32,
            "aws:lb/targetGroup:TargetGroup": 32,
            "aws:eks/nodeGroup:NodeGroup": 63,
            "aws:s3/bucket:Bucket": 63,
        }
        too_long = [
            made.name for kind, most in limits.items() for made in each.of(kind) if len(made.name) + 8 > most
        ]
        assert too_long == []

    def test_answers_control_routes_by_the_control_function(self, each: Recording):
        keys = {made.inputs["routeKey"]: made for made in each.of(ROUTE)}
        for key in ("GET /health", "GET /models", "GET /models/{name}"):
            assert _integration_of(each, keys[key]).inputs["integrationType"] == "AWS_PROXY"

    def test_registers_every_workload(self, each: Recording):
        items = [json.loads(made.inputs["item"]) for made in each.of("aws:dynamodb/tableItem:TableItem")]
        assert {item["name"]["S"] for item in items} == {model["name"] for model in each.outputs["models"]}
        assert all(item["reasons"]["L"] and item["refused"]["L"] for item in items)

    def test_has_a_budget_that_somebody_hears_of(self, each: Recording):
        budget = each.one("aws:budgets/budget:Budget").inputs
        assert budget["timeUnit"] == "MONTHLY"
        assert all(
            notice["subscriberEmailAddresses"] == ["ops@example.com"] for notice in budget["notifications"]
        )


class TestEveryFunction:
    def test_is_bounded_and_watched(self, each: Recording):
        for function in each.of("aws:lambda/function:Function"):
            stem = function.name.removesuffix("-function")
            inputs = function.inputs
            assert inputs["reservedConcurrentExecutions"] > 0
            assert 0 < inputs["timeout"] <= 900
            assert inputs["publish"] is True
            assert each.one("aws:cloudwatch/logGroup:LogGroup", f"{stem}-log").inputs["retentionInDays"] == 14
            alarms = [made for made in each.of("aws:cloudwatch/.*Alarm") if made.name.startswith(f"{stem}-")]
            assert {alarm.inputs["metricName"] for alarm in alarms} == {"Errors", "Throttles"}
            assert all(alarm.inputs["alarmActions"] for alarm in alarms)

    def test_may_do_only_what_it_must(self, each: Recording):
        for policy in each.of("aws:iam/rolePolicy:RolePolicy"):
            for statement in json.loads(policy.inputs["policy"])["Statement"]:
                assert statement["Resource"] != "*"
                assert not any("*" in action for action in statement["Action"])

    def test_carries_the_facts_it_was_placed_by(self, each: Recording):
        for function in each.of("aws:lambda/function:Function"):
            assert function.inputs["tags"]["halfmetal:home"] == "function"

    def test_is_called_by_alias_and_only_by_its_routes(self, each: Recording):
        allowed = {
            made.inputs["sourceArn"].split(":api/*/", 1)[1]
            for made in each.of("aws:lambda/permission:Permission")
        }
        to_functions = {
            re.sub("^ANY ", "* ", made.inputs["routeKey"]).replace(" ", "", 1)
            for made in each.of(ROUTE)
            if _integration_of(each, made).inputs["integrationType"] == "AWS_PROXY"
        }
        assert allowed == to_functions
        assert {made.inputs["qualifier"] for made in each.of("aws:lambda/permission:Permission")} == {"live"}


class TestPure:
    def test_has_no_cluster_and_no_network(self, deployed: dict[str, Recording]):
        pure = deployed["pure"]
        assert pure.of(IN_CLUSTER, "pulumi:providers:kubernetes", "aws:(eks|ec2|lb|autoscaling)/.*") == []

    def test_stores_a_large_bundle_in_a_private_bucket(self, deployed: dict[str, Recording]):
        pure = deployed["pure"]
        function = pure.one("aws:lambda/function:Function", "fn-embed-function")
        assert {"s3Bucket", "s3Key"} <= function.inputs.keys()
        assert "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock" in _types_behind(pure, function)
        assert "code" in pure.one("aws:lambda/function:Function", "control-function").inputs


class TestHybrid:
    @pytest.mark.parametrize("workload", ["embed", "chat"])
    def test_data_route_of_a_pool_meets_no_function(self, deployed: dict[str, Recording], workload: str):
        hybrid = deployed["hybrid"]
        routes = _routes_to(hybrid, workload)
        assert len(routes) == 2
        for route in routes:
            integration = _integration_of(hybrid, route).inputs
            assert (integration["integrationType"], integration["connectionType"]) == (
                "HTTP_PROXY",
                "VPC_LINK",
            )
            assert not any(re.fullmatch(LAMBDA, kind) for kind in _types_behind(hybrid, route))

    def test_data_route_of_a_function_meets_no_cluster(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        for route in _routes_to(hybrid, "index"):
            behind = _types_behind(hybrid, route)
            assert "aws:lambda/alias:Alias" in behind
            assert not any(kind.startswith(("kubernetes:", "aws:eks/", "aws:lb/")) for kind in behind)

    def test_a_twin_is_on_an_api_of_its_own(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        routes = _routes_to(hybrid, "embed", api="tail")
        assert len(routes) == 2
        for route in routes:
            assert _integration_of(hybrid, route).inputs["integrationType"] == "AWS_PROXY"
            assert "aws:lambda/alias:Alias" in _types_behind(hybrid, route)
        assert _routes_to(hybrid, "index", api="tail") == _routes_to(hybrid, "chat", api="tail") == []

    def test_a_topology_without_twins_has_one_api(self, deployed: dict[str, Recording]):
        apis = {name: len(made.of("aws:apigatewayv2/api:Api")) for name, made in deployed.items()}
        assert apis == {"pure": 1, "hybrid": 2, "dedicated": 1}

    def test_the_gateway_sends_the_tail_there_once_it_can_be_answered(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        config = hybrid.one("kubernetes:core/v1:ConfigMap", "-gateway-config")
        text = config.inputs["data"]["haproxy.cfg"]
        assert "server function api.example.com:443" in text
        assert re.findall(r"^backend tail-(\S+)$", text, re.MULTILINE) == ["embed"]
        needed = {route.urn for route in _routes_to(hybrid, "embed", api="tail")}
        assert needed < config.needs
        allowed = hybrid.of("aws:lambda/permission:Permission")
        assert {made.urn for made in allowed if "-twin-" in made.name} < config.needs

    def test_a_twin_carries_what_the_rules_read(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        tags = hybrid.one("aws:lambda/function:Function", "fn-embed-function").inputs["tags"]
        pods = hybrid.one("kubernetes:apps/v1:Deployment", "model-embed-pods").inputs["metadata"]
        told = {"twin": "true", "warm-replicas": "2"}
        assert {key: tags[f"halfmetal:{key}"] for key in told} == told
        assert {key: pods["annotations"][f"halfmetal.dev/{key}"] for key in told} == told

    def test_outputs_and_registry_name_what_takes_the_tail(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        models = {model["name"]: model for model in hybrid.outputs["models"]}
        assert {name: model.get("tail") for name, model in models.items()} == {
            "embed": "function",
            "chat": None,
            "index": None,
        }
        way = "API Gateway, VPC link, gateway, pod; tail: function"
        assert models["embed"]["path"] == way
        (item,) = [
            json.loads(made.inputs["item"])
            for made in hybrid.of("aws:dynamodb/tableItem:TableItem")
            if made.name.endswith("-embed")
        ]
        assert (item["tail"]["S"], item["path"]["S"]) == ("function", way)

    def test_link_reaches_the_gateway_and_only_its_port(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        port = hybrid.one("aws:lb/targetGroup:TargetGroup").inputs["port"]
        service = hybrid.one("kubernetes:core/v1:Service", "gateway-address").inputs["spec"]
        rule = hybrid.one("aws:ec2/securityGroupRule:SecurityGroupRule").inputs
        assert port == service["ports"][0]["nodePort"] == rule["fromPort"] == rule["toPort"]

    def test_gateway_shares_no_name_with_a_workload(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        service = hybrid.one("kubernetes:core/v1:Service", "gateway-address").inputs
        known_by = service["spec"]["selector"]["app.kubernetes.io/name"]
        assert {service["metadata"]["name"], known_by} == set(GATEWAY_NAMES)

    def test_gateway_shares_no_node_with_what_is_tainted(self, deployed: dict[str, Recording]):
        pod = deployed["hybrid"].one("kubernetes:apps/v1:Deployment", "gateway-pods")
        spec = pod.inputs["spec"]["template"]["spec"]
        assert spec["nodeSelector"] == {"halfmetal.dev/pool": "cpu-a"}
        assert not spec.get("tolerations")

    def test_gpu_workload_gets_onto_its_pool_in_its_zone(self, deployed: dict[str, Recording]):
        pod = deployed["hybrid"].one("kubernetes:apps/v1:Deployment", "model-chat-pods")
        spec = pod.inputs["spec"]["template"]["spec"]
        wanted = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        (zone,) = wanted["nodeSelectorTerms"][0]["matchExpressions"]
        assert spec["nodeSelector"] == {"halfmetal.dev/pool": "gpu-a"}
        assert (zone["key"], zone["values"]) == ("topology.kubernetes.io/zone", ["us-east-1a"])
        assert [toleration["key"] for toleration in spec["tolerations"]] == ["nvidia.com/gpu"]
        assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"

    def test_workload_starts_with_the_arguments_of_the_stack_file(self, deployed: dict[str, Recording]):
        chat, embed = (
            deployed["hybrid"].one("kubernetes:apps/v1:Deployment", f"model-{name}-pods").inputs["spec"]
            for name in ("chat", "embed")
        )
        args = chat["template"]["spec"]["containers"][0]["args"]
        assert args[:2] == ["--model=Qwen/Qwen2.5-7B-Instruct", "--served-model-name=chat"]
        # No list at all: an empty one would take the image's own arguments away.
        assert "args" not in embed["template"]["spec"]["containers"][0]

    def test_other_facts_restart_no_pod(self, deployed: dict[str, Recording]):
        for name in ("chat", "embed"):
            made = deployed["hybrid"].one("kubernetes:apps/v1:Deployment", f"model-{name}-pods").inputs
            assert made["metadata"]["annotations"]["halfmetal.dev/home"] == "pool"
            assert "annotations" not in made["spec"]["template"]["metadata"]

    def test_gpu_workload_is_replaced_without_a_second_gpu(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        rolling = {
            name: hybrid.one("kubernetes:apps/v1:Deployment", f"model-{name}-pods").inputs["spec"]["strategy"]
            for name in ("chat", "embed")
        }
        assert rolling["chat"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
        assert rolling["embed"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize(
    ("topology", "address"),
    [
        pytest.param("hybrid", ".spec.clusterIP", id="a node port has it at once"),
        pytest.param("dedicated", ".status.loadBalancer.ingress[0]", id="a load balancer is given one"),
    ],
)
def test_gateway_is_waited_for_until_it_has_an_address(
    topology: str, address: str, deployed: dict[str, Recording]
):
    service = deployed[topology].one("kubernetes:core/v1:Service", "gateway-address").inputs
    assert service["metadata"]["annotations"]["pulumi.com/waitFor"] == f"jsonpath={{{address}}}"


class TestDedicated:
    def test_data_route_meets_nothing_serverless(self, deployed: dict[str, Recording]):
        dedicated = deployed["dedicated"]
        for made in dedicated.of(IN_CLUSTER):
            assert not any(kind.startswith("aws:") for kind in _types_behind(dedicated, made))

    def test_gpus_of_one_replica_share_memory(self, deployed: dict[str, Recording]):
        # Without room in /dev/shm (64 MiB by default) the processes of one replica, one a GPU, cannot talk.
        chat, embed = (
            deployed["dedicated"].one("kubernetes:apps/v1:Deployment", f"model-{name}-pods").inputs["spec"]
            for name in ("chat", "embed")
        )
        pod = chat["template"]["spec"]
        assert pod["volumes"] == [{"name": "shared-memory", "emptyDir": {"medium": "Memory"}}]
        assert pod["containers"][0]["volumeMounts"] == [{"name": "shared-memory", "mountPath": "/dev/shm"}]
        assert "volumes" not in embed["template"]["spec"]

    def test_has_no_route_to_a_model_on_the_api(self, deployed: dict[str, Recording]):
        assert [key for key in _keys(deployed["dedicated"]) if "/v2/" in key] == []

    def test_models_are_reached_by_the_gateways_own_address(self, deployed: dict[str, Recording]):
        outputs = deployed["dedicated"].outputs
        assert outputs["gateway_url"] == "http://lb.example.com:8080"
        assert all(model["url"].startswith("http://lb.example.com:8080/v2/") for model in outputs["models"])

    def test_makes_no_node_and_no_device_plugin_of_a_cluster_of_others(self, deployed: dict[str, Recording]):
        assert deployed["dedicated"].of("aws:(eks|ec2)/.*", "kubernetes:apps/v1:DaemonSet") == []

    def test_provider_is_replaced_only_with_its_context(self, deployed: dict[str, Recording]):
        inputs = deployed["dedicated"].one("pulumi:providers:kubernetes").inputs
        assert inputs["context"] == "halfmetal"
        assert inputs["clusterIdentifier"] == "context:halfmetal"
        assert "kubeconfig" not in inputs


class TestOrderOfDestroy:
    """What depends on something goes before it."""

    @pytest.mark.parametrize(
        "kind",
        [
            pytest.param("aws:eks/accessPolicyAssociation:AccessPolicyAssociation", id="access, last"),
            pytest.param("aws:eks/nodeGroup:NodeGroup", id="nodes, that end the pods"),
            pytest.param("aws:ec2/natGateway:NatGateway", id="the way out of the nodes"),
        ],
    )
    def test_what_is_in_the_cluster_goes_before(self, deployed: dict[str, Recording], kind: str):
        hybrid = deployed["hybrid"]
        for made in hybrid.of(IN_CLUSTER):
            # Policies are there before the first node is.
            if not made.name.startswith("hybrid-admission-") or "AccessPolicy" in kind:
                assert kind in _types_behind(hybrid, made), made.name

    def test_what_keeps_the_namespace_to_the_rules_goes_after_all_that_is_in_it(
        self, deployed: dict[str, Recording]
    ):
        hybrid = deployed["hybrid"]
        bindings = {made.name for made in hybrid.of(".*:ValidatingAdmissionPolicyBinding")}
        assert bindings
        for made in hybrid.of("kubernetes:(?:apps|core|networking.k8s.io)/.*"):
            if made.inputs["metadata"].get("namespace") == "halfmetal-hybrid":
                assert bindings <= {behind.name for behind in hybrid.behind(made)}, made.name

    def test_a_binding_goes_before_what_it_binds(self, deployed: dict[str, Recording]):
        """Without its policy or its parameters it would refuse everything."""
        hybrid = deployed["hybrid"]
        for made in hybrid.of(".*:ValidatingAdmissionPolicyBinding"):
            rule = made.name.rpartition("-")[0]
            behind = {each.name for each in hybrid.behind(made)}
            assert {rule, "hybrid-admission-figures-deny", "hybrid-admission-figures-warn"} <= behind

    def test_a_policy_comes_after_the_figures_that_it_asks_for(self, deployed: dict[str, Recording]):
        """One that asks for a new threshold would refuse everything without it."""
        hybrid = deployed["hybrid"]
        for made in hybrid.of(".*:ValidatingAdmissionPolicy"):
            behind = {each.name for each in hybrid.behind(made)}
            assert {"hybrid-admission-figures-deny", "hybrid-admission-figures-warn"} <= behind

    @pytest.mark.parametrize("stack", ["hybrid", "dedicated"])
    def test_figures_change_where_they_are(self, deployed: dict[str, Recording], stack: str):
        """While they are replaced there are none, and everything is refused."""
        assert deployed[stack].one("pulumi:providers:kubernetes").inputs["enableConfigMapMutable"] == "true"

    def test_everything_in_the_namespace_goes_before_it(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        for made in hybrid.of(IN_CLUSTER):
            if made.inputs["metadata"].get("namespace") == "halfmetal-hybrid":
                assert "kubernetes:core/v1:Namespace" in _types_behind(hybrid, made), made.name

    def test_nodes_go_before_what_they_may_do(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        for group in hybrid.of("aws:eks/nodeGroup:NodeGroup"):
            attached = {made.name for made in hybrid.behind(group) if "PolicyAttachment" in made.type}
            assert {f"hybrid-cluster-nodes-{policy}" for policy in ("node", "network", "images")} <= attached

    def test_nodes_go_before_every_route_that_leads_out(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        routes = {made.name for made in hybrid.of("aws:ec2/route:Route")}
        assert "hybrid-network-public-out" in routes
        for group in hybrid.of("aws:eks/nodeGroup:NodeGroup"):
            assert routes <= {made.name for made in hybrid.behind(group)}

    def test_nat_gateway_goes_before_the_internet_gateway(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        nat = hybrid.one("aws:ec2/natGateway:NatGateway")
        assert "aws:ec2/internetGateway:InternetGateway" in _types_behind(hybrid, nat)


class TestModelServices:
    def test_a_pod_has_its_whole_startup_and_the_engine_waits_for_all_of_them(
        self, deployed: dict[str, Recording]
    ):
        models = [
            made
            for made in deployed["hybrid"].of("kubernetes:apps/v1:Deployment")
            if made.name.endswith("-pods") and "model" in made.name
        ]
        assert models
        for made in models:
            spec = made.inputs["spec"]
            (container,) = spec["template"]["spec"]["containers"]
            probe = container["startupProbe"]
            startup_s = probe["periodSeconds"] * probe["failureThreshold"]
            going_s = spec["template"]["spec"]["terminationGracePeriodSeconds"]
            # Kubernetes counts from before the old pod's GPU is free and a node has the image.
            assert spec["progressDeadlineSeconds"] > going_s + startup_s
            assert made.update_timeout == f"{spec['progressDeadlineSeconds'] * spec['replicas']:.0f}s"


class TestCluster:
    def test_kubeconfig_holds_no_token(self, deployed: dict[str, Recording]):
        config = json.loads(deployed["hybrid"].outputs["kubeconfig"])
        user = config["users"][0]["user"]
        assert user.keys() == {"exec"}
        assert user["exec"]["args"][:2] == ["eks", "get-token"]

    def test_provider_is_replaced_only_with_the_cluster(self, deployed: dict[str, Recording]):
        inputs = deployed["hybrid"].one("pulumi:providers:kubernetes").inputs
        assert inputs["clusterIdentifier"].endswith("hybrid-cluster-eks")

    def test_access_is_decided_by_entries_alone(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        access = hybrid.one("aws:eks/cluster:Cluster").inputs["accessConfig"]
        assert access == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
        entry = hybrid.one("aws:eks/accessEntry:AccessEntry").inputs
        assert entry["principalArn"].endswith(":user/deployer")

    def test_launch_template_is_named_by_number(self, deployed: dict[str, Recording]):
        # `$Latest` never equals what AWS answers, so every preview would show a change (pulumi-eks#980).
        for group in deployed["hybrid"].of("aws:eks/nodeGroup:NodeGroup"):
            assert group.inputs["launchTemplate"]["version"] == "3"

    def test_nodes_are_upgraded_with_their_cluster(self, deployed: dict[str, Recording]):
        hybrid = deployed["hybrid"]
        for group in hybrid.of("aws:eks/nodeGroup:NodeGroup"):
            assert group.inputs["version"] == hybrid.one("aws:eks/cluster:Cluster").inputs["version"]

    def test_pods_cannot_take_the_role_of_their_node(self, deployed: dict[str, Recording]):
        for template in deployed["hybrid"].of("aws:ec2/launchTemplate:LaunchTemplate"):
            options = template.inputs["metadataOptions"]
            assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)

    @pytest.mark.parametrize(
        ("pool", "image"), [("cpu-a", "AL2023_ARM_64_STANDARD"), ("gpu-a", "AL2023_x86_64_NVIDIA")]
    )
    def test_nodes_run_the_image_of_their_kind(self, deployed: dict[str, Recording], pool: str, image: str):
        group = deployed["hybrid"].one("aws:eks/nodeGroup:NodeGroup", f"pool-{pool}-nodes")
        assert group.inputs["amiType"] == image
        assert group.inputs["labels"]["halfmetal.dev/pool"] == pool

    def test_autoscaler_knows_a_node_before_there_is_one(self, deployed: dict[str, Recording]):
        told = {
            made.inputs["tag"]["key"].rpartition("node-template/")[2]: made.inputs["tag"]["value"]
            for made in deployed["hybrid"].of("aws:autoscaling/tag:Tag")
            if "gpu-a" in made.name
        }
        assert told == {
            "label/halfmetal.dev/pool": "gpu-a",
            "taint/nvidia.com/gpu": "present:NoSchedule",
            "resources/nvidia.com/gpu": "1",
        }

    def test_autoscaler_keeps_the_size_it_chose(self, deployed: dict[str, Recording]):
        for group in deployed["hybrid"].of("aws:eks/nodeGroup:NodeGroup"):
            assert group.ignored == ("scalingConfig.desiredSize",)

    def test_device_plugin_tolerates_every_taint_of_its_pools(self, deployed: dict[str, Recording]):
        daemons = deployed["hybrid"].one("kubernetes:apps/v1:DaemonSet")
        spec = daemons.inputs["spec"]["template"]["spec"]
        assert spec["nodeSelector"] == {"halfmetal.dev/pool": "gpu-a"}
        assert [toleration["key"] for toleration in spec["tolerations"]] == ["nvidia.com/gpu"]


def _keys(recording: Recording) -> list[str]:
    return [made.inputs["routeKey"] for made in recording.of(ROUTE)]
