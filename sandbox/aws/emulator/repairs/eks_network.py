"""EKS clusters: their network.

AWS: EKS finds a cluster's VPC by its subnets and makes a security group in it that the control plane and all
nodes are in; the group goes with the cluster.
ministack: reports a group that EC2 does not know, and a VPC that is not there.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import ec2, eks

Response = tuple[int, dict[str, Any], Any]


def apply() -> None:
    """Make the group with the cluster, and remove it with the cluster."""
    eks._create_cluster = _with_security_group(eks._create_cluster)
    eks._delete_cluster = _without_security_group(eks._delete_cluster)


def _with_security_group(create: Callable[..., Response]) -> Callable[..., Response]:
    def handle(body: dict[str, Any], creator_arn: str | None = None) -> Response:
        before = body.get("name") in eks._clusters
        response = create(body, creator_arn)
        cluster = eks._clusters.get(body.get("name", ""))
        # Only where this call has made it: a refusal leaves the cluster of that name as it is.
        if cluster is None or before:
            return response
        network = cluster["resourcesVpcConfig"]
        network["vpcId"] = _vpc_of(network["subnetIds"]) or network["vpcId"]
        _make_group(cluster["name"], network["clusterSecurityGroupId"], network["vpcId"])
        described: Response = eks._json_resp(200, {"cluster": eks._sanitize(cluster)})
        return described

    return handle


def _without_security_group(delete: Callable[[str], Response]) -> Callable[[str], Response]:
    def handle(name: str) -> Response:
        cluster = eks._clusters.get(name) or {}
        response = delete(name)
        if name not in eks._clusters:
            ec2._security_groups.pop(
                cluster.get("resourcesVpcConfig", {}).get("clusterSecurityGroupId", ""), None
            )
        return response

    return handle


def _vpc_of(subnets: list[str]) -> str | None:
    return next((ec2._subnets[subnet]["VpcId"] for subnet in subnets if subnet in ec2._subnets), None)


def _make_group(cluster: str, group: str, vpc: str) -> None:
    members = {"IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []}
    anywhere = [{"CidrIp": "0.0.0.0/0"}]
    ec2._security_groups[group] = {
        "GroupId": group,
        "GroupName": f"eks-cluster-sg-{cluster}",
        "Description": "Control plane and nodes of an EKS cluster",
        "VpcId": vpc,
        "OwnerId": ec2.get_account_id(),
        "IpPermissions": [{**members, "UserIdGroupPairs": [{"GroupId": group}]}],
        "IpPermissionsEgress": [{**members, "IpRanges": anywhere, "UserIdGroupPairs": []}],
    }
