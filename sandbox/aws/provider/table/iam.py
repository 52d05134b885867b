"""IAM: roles, their policies, managed policies, instance profiles, OIDC providers. Global: no regions."""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provider.normalise import compact
from sandbox.aws.provider.table.common import pair_tags, pairs
from sandbox.aws.provider.table.model import Autoname, Call, Do, Each, Entry, Read, Scope, Tags

_MISSING = ("NoSuchEntity", "NoSuchEntityException")
_EXISTS = ("EntityAlreadyExists", "EntityAlreadyExistsException")
# Role and policy take effect everywhere only after a moment.
_NOT_YET = ("NoSuchEntity", "MalformedPolicyDocument: invalid principal")


def _tags(kind: str, member: str) -> Tags:
    return pair_tags(
        "Tags",
        Read(op=f"List{kind}Tags", args={member: "{id}"}, at="Tags"),
        Call(op=f"Tag{kind}", args={member: "{id}", "Tags": "{tags}"}, send=()),
        Call(op=f"Untag{kind}", args={member: "{id}", "TagKeys": "{keys}"}, send=()),
    )


# -- role --------------------------------------------------------------------------------------------


def _inline_policies(scope: Scope) -> list[dict[str, str]]:
    names = scope.pages("ListRolePolicies", "PolicyNames", RoleName=scope.resource_id)
    return [
        {
            "name": name,
            "policy": compact(
                scope.call("GetRolePolicy", RoleName=scope.resource_id, PolicyName=name)["PolicyDocument"]
            )
            or "",
        }
        for name in names
    ]


def _detach_everything(scope: Scope) -> None:
    """A role cannot go while anything is attached; what the program did not attach only by its leave."""
    role = scope.resource_id
    forced = scope.get("forceDetachPolicies")
    if forced or scope.get("managedPolicyArns"):
        for arn in scope.pages("ListAttachedRolePolicies", "AttachedPolicies[].PolicyArn", RoleName=role):
            scope.call("DetachRolePolicy", RoleName=role, PolicyArn=arn)
    if forced or scope.get("inlinePolicies"):
        for name in scope.pages("ListRolePolicies", "PolicyNames", RoleName=role):
            scope.call("DeleteRolePolicy", RoleName=role, PolicyName=name)
    for profile in scope.pages(
        "ListInstanceProfilesForRole", "InstanceProfiles[].InstanceProfileName", RoleName=role
    ):
        scope.call("RemoveRoleFromInstanceProfile", InstanceProfileName=profile, RoleName=role)


ROLE = Entry(
    token="aws:iam/role:Role",
    service="iam",
    id="{name}",
    create=Call(
        op="CreateRole",
        args={"RoleName": "{name}"},
        send=(
            "assumeRolePolicy",
            "description",
            "maxSessionDuration",
            "path",
            "permissionsBoundary",
        ),
        retry=("MalformedPolicyDocument: invalid principal",),
    ),
    names={"assumeRolePolicy": "AssumeRolePolicyDocument", "name": "RoleName", "uniqueId": "RoleId"},
    then=(
        Call(
            op="UpdateAssumeRolePolicy",
            args={"RoleName": "{id}", "PolicyDocument": "{assumeRolePolicy}"},
            send=(),
            on="update",
            when=("assumeRolePolicy",),
        ),
        Call(
            op="UpdateRole",
            args={"RoleName": "{id}"},
            send=("description", "maxSessionDuration"),
            on="update",
        ),
        Call(
            op="PutRolePermissionsBoundary",
            args={"RoleName": "{id}"},
            send=("permissionsBoundary",),
            on="update",
            unset=Call(op="DeleteRolePermissionsBoundary", args={"RoleName": "{id}"}, send=()),
        ),
        Each(
            prop="managedPolicyArns",
            add=Call(
                op="AttachRolePolicy",
                args={"RoleName": "{id}", "PolicyArn": "{item}"},
                send=(),
                retry=_NOT_YET,
            ),
            remove=Call(op="DetachRolePolicy", args={"RoleName": "{id}", "PolicyArn": "{item}"}, send=()),
        ),
        Each(
            prop="inlinePolicies",
            add=Call(
                op="PutRolePolicy",
                args={"RoleName": "{id}", "PolicyName": "{item.name}", "PolicyDocument": "{item.policy}"},
                send=(),
            ),
            remove=Call(
                op="DeleteRolePolicy", args={"RoleName": "{id}", "PolicyName": "{item.name}"}, send=()
            ),
        ),
    ),
    read=(
        Read(
            op="GetRole",
            args={"RoleName": "{id}"},
            at="Role",
            into={
                "assumeRolePolicy": lambda role: compact(role.get("AssumeRolePolicyDocument")),
                "permissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn",
            },
        ),
        Read(
            op="ListAttachedRolePolicies",
            args={"RoleName": "{id}"},
            only=(),
            into={"managedPolicyArns": "AttachedPolicies[].PolicyArn"},
            when=("managedPolicyArns",),
        ),
        Read(
            op="ListRolePolicies",
            args={"RoleName": "{id}"},
            at=lambda _, scope: {"inline": _inline_policies(scope)},
            only=(),
            into={"inlinePolicies": "inline"},
            when=("inlinePolicies",),
        ),
    ),
    delete=(
        Do(run=_detach_everything),
        Call(op="DeleteRole", args={"RoleName": "{id}"}, send=(), retry=("DeleteConflict",)),
    ),
    tags=_tags("Role", "RoleName"),
    replace=("name", "namePrefix", "path"),
    identity=("name",),
    defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
    computed=("managedPolicyArns", "inlinePolicies"),
    local=("forceDetachPolicies", "namePrefix"),
    policies=("assumeRolePolicy",),
    normalise={"inlinePolicies.policy": lambda text: json.loads(text) if isinstance(text, str) else text},
    unordered=("managedPolicyArns", "inlinePolicies"),
    autoname=Autoname(longest=64, prefix_prop="namePrefix"),
    missing=_MISSING,
    exists=_EXISTS,
    emulator_gaps={"description": "UpdateRole does not take an empty description: it cannot be removed"},
)

ROLE_POLICY = Entry(
    token="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    id="{role}:{name}",
    create=Call(
        op="PutRolePolicy",
        args={"RoleName": "{role}", "PolicyName": "{name}", "PolicyDocument": "{policy}"},
        send=(),
        retry=_NOT_YET,
    ),
    then=(
        Call(
            op="PutRolePolicy",
            args={"RoleName": "{role}", "PolicyName": "{name}", "PolicyDocument": "{policy}"},
            send=(),
            on="update",
        ),
    ),
    read=(
        Read(
            op="GetRolePolicy",
            args={"RoleName": "{role}", "PolicyName": "{name}"},
            only=(),
            into={
                "policy": lambda answer: compact(answer.get("PolicyDocument")),
                "role": "RoleName",
                "name": "PolicyName",
            },
        ),
    ),
    delete=(Call(op="DeleteRolePolicy", args={"RoleName": "{role}", "PolicyName": "{name}"}, send=()),),
    import_id="{role}:{name}",
    replace=("name", "namePrefix", "role"),
    identity=("name", "role"),
    local=("namePrefix",),
    policies=("policy",),
    autoname=Autoname(longest=128, prefix_prop="namePrefix"),
    missing=_MISSING,
)

ROLE_POLICY_ATTACHMENT = Entry(
    token="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    id="{role}/{policyArn}",
    create=Call(
        op="AttachRolePolicy",
        args={"RoleName": "{role}", "PolicyArn": "{policyArn}"},
        send=(),
        retry=_NOT_YET,
    ),
    read=(
        Read(
            op="ListAttachedRolePolicies",
            args={"RoleName": "{role}"},
            at="AttachedPolicies[?PolicyArn=='{policyArn}'] | [0]",
            only=(),
            into={"policyArn": "PolicyArn"},
        ),
    ),
    delete=(Call(op="DetachRolePolicy", args={"RoleName": "{role}", "PolicyArn": "{policyArn}"}, send=()),),
    import_id="{role}/{policyArn}",
    replace=("policyArn", "role"),
    identity=("policyArn", "role"),
    missing=_MISSING,
)


# -- managed policy ----------------------------------------------------------------------------------

_VERSIONS_KEPT = 5


def _new_version(scope: Scope) -> None:
    """A policy keeps five versions: the oldest that is not in force makes room."""
    arn = scope.resource_id
    versions = scope.pages("ListPolicyVersions", "Versions", PolicyArn=arn)
    if len(versions) >= _VERSIONS_KEPT:
        oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
        scope.call("DeletePolicyVersion", PolicyArn=arn, VersionId=oldest["VersionId"])
    scope.call("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=scope.inputs["policy"], SetAsDefault=True)


def _delete_versions(scope: Scope) -> None:
    arn = scope.resource_id
    for version in scope.pages("ListPolicyVersions", "Versions[?!IsDefaultVersion].VersionId", PolicyArn=arn):
        scope.call("DeletePolicyVersion", PolicyArn=arn, VersionId=version)


def _document(answer: Any, scope: Scope) -> Any:
    policy = answer["Policy"]
    version = scope.call("GetPolicyVersion", PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
    return {**policy, "Document": version["PolicyVersion"]["Document"]}


POLICY = Entry(
    token="aws:iam/policy:Policy",
    service="iam",
    id="{arn}",
    create=Call(
        op="CreatePolicy",
        args={"PolicyName": "{name}", "PolicyDocument": "{policy}"},
        send=("description", "path"),
        keep={"arn": "Policy.Arn"},
    ),
    names={"name": "PolicyName"},
    then=(Do(run=_new_version, uses=("policy",), on="update"),),
    read=(
        Read(
            op="GetPolicy",
            args={"PolicyArn": "{id}"},
            at=_document,
            into={"policy": lambda found: compact(found.get("Document"))},
        ),
    ),
    delete=(Do(run=_delete_versions), Call(op="DeletePolicy", args={"PolicyArn": "{id}"}, send=())),
    tags=_tags("Policy", "PolicyArn"),
    replace=("description", "name", "namePrefix", "path"),
    identity=("name",),
    defaults={"path": "/"},
    local=("namePrefix", "delayAfterPolicyCreationInMs"),
    policies=("policy",),
    autoname=Autoname(longest=128, prefix_prop="namePrefix"),
    missing=_MISSING,
    exists=_EXISTS,
    derive={"arn": "{id}"},
    recover_id="arn:{partition}:iam::{account}:policy{path}{name}",
)


# -- instance profile, OIDC provider -----------------------------------------------------------------


def _swap_role(scope: Scope) -> None:
    for role in scope.pages(
        "GetInstanceProfile", "InstanceProfile.Roles[].RoleName", InstanceProfileName=scope.resource_id
    ):
        scope.call("RemoveRoleFromInstanceProfile", InstanceProfileName=scope.resource_id, RoleName=role)
    if scope.inputs.get("role"):
        scope.call(
            "AddRoleToInstanceProfile",
            InstanceProfileName=scope.resource_id,
            RoleName=scope.inputs["role"],
        )


def _drop_role(scope: Scope) -> None:
    for role in scope.pages(
        "GetInstanceProfile", "InstanceProfile.Roles[].RoleName", InstanceProfileName=scope.resource_id
    ):
        scope.call("RemoveRoleFromInstanceProfile", InstanceProfileName=scope.resource_id, RoleName=role)


INSTANCE_PROFILE = Entry(
    token="aws:iam/instanceProfile:InstanceProfile",
    service="iam",
    id="{name}",
    create=Call(op="CreateInstanceProfile", args={"InstanceProfileName": "{name}"}, send=("path",)),
    names={"name": "InstanceProfileName", "uniqueId": "InstanceProfileId"},
    then=(Do(run=_swap_role, uses=("role",)),),
    read=(
        Read(
            op="GetInstanceProfile",
            args={"InstanceProfileName": "{id}"},
            at="InstanceProfile",
            into={"role": "Roles[0].RoleName"},
        ),
    ),
    delete=(
        Do(run=_drop_role),
        Call(op="DeleteInstanceProfile", args={"InstanceProfileName": "{id}"}, send=()),
    ),
    tags=_tags("InstanceProfile", "InstanceProfileName"),
    replace=("name", "namePrefix", "path"),
    identity=("name",),
    defaults={"path": "/"},
    local=("namePrefix",),
    autoname=Autoname(longest=128, prefix_prop="namePrefix"),
    missing=_MISSING,
    exists=_EXISTS,
)

OPEN_ID_CONNECT_PROVIDER = Entry(
    token="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    service="iam",
    id="{arn}",
    create=Call(op="CreateOpenIDConnectProvider", keep={"arn": "OpenIDConnectProviderArn"}),
    names={"clientIdLists": "ClientIDList", "thumbprintLists": "ThumbprintList"},
    then=(
        Call(
            op="UpdateOpenIDConnectProviderThumbprint",
            args={"OpenIDConnectProviderArn": "{id}"},
            send=("thumbprintLists",),
            on="update",
        ),
        Each(
            prop="clientIdLists",
            add=Call(
                op="AddClientIDToOpenIDConnectProvider",
                args={"OpenIDConnectProviderArn": "{id}", "ClientID": "{item}"},
                send=(),
            ),
            remove=Call(
                op="RemoveClientIDFromOpenIDConnectProvider",
                args={"OpenIDConnectProviderArn": "{id}", "ClientID": "{item}"},
                send=(),
            ),
            on="update",
        ),
    ),
    read=(Read(op="GetOpenIDConnectProvider", args={"OpenIDConnectProviderArn": "{id}"}),),
    delete=(Call(op="DeleteOpenIDConnectProvider", args={"OpenIDConnectProviderArn": "{id}"}, send=()),),
    tags=Tags(
        create=lambda tags: {"Tags": pairs(tags)},
        read="Tags",
        change=Call(
            op="TagOpenIDConnectProvider",
            args={"OpenIDConnectProviderArn": "{id}", "Tags": "{tags}"},
            send=(),
        ),
        remove=Call(
            op="UntagOpenIDConnectProvider",
            args={"OpenIDConnectProviderArn": "{id}", "TagKeys": "{keys}"},
            send=(),
        ),
        style="Key",
    ),
    replace=("url",),
    identity=("url",),
    computed=("thumbprintLists",),
    normalise={"url": lambda url: url.removeprefix("https://") if isinstance(url, str) else url},
    unordered=("clientIdLists",),
    derive={"arn": "{id}"},
    missing=_MISSING,
    exists=_EXISTS,
    emulator_gaps=dict.fromkeys(
        ("clientIdLists", "tags", "thumbprintLists"), "the calls that change it are not implemented"
    ),
    recover_id=lambda s: f"arn:aws:iam::{s.account}:oidc-provider/{s.inputs['url'].removeprefix('https://')}",
)

ENTRIES = (
    ROLE,
    ROLE_POLICY,
    ROLE_POLICY_ATTACHMENT,
    POLICY,
    INSTANCE_PROFILE,
    OPEN_ID_CONNECT_PROVIDER,
)
