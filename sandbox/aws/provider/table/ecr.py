"""ECR: repositories of container images."""

from __future__ import annotations

from sandbox.aws.provider.table.common import pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Entry, Read

_REPOSITORY = {"repositoryName": "{id}"}

REPOSITORY = Entry(
    token="aws:ecr/repository:Repository",
    service="ecr",
    id="{name}",
    create=Call(op="CreateRepository", args={"repositoryName": "{name}"}),
    names={
        "name": "repositoryName",
        "encryptionConfigurations": "encryptionConfiguration",
        "arn": "repositoryArn",
    },
    then=(
        Call(
            op="PutImageTagMutability",
            args=_REPOSITORY,
            send=("imageTagMutability", "imageTagMutabilityExclusionFilters"),
            on="update",
        ),
        Call(
            op="PutImageScanningConfiguration",
            args=_REPOSITORY,
            send=("imageScanningConfiguration",),
            on="update",
        ),
    ),
    empty={"imageScanningConfiguration": {"scanOnPush": False}},
    read=(
        Read(
            op="DescribeRepositories",
            args={"repositoryNames": ["{id}"]},
            at="repositories[0]",
            into={"repositoryUrl": "repositoryUri"},
        ),
    ),
    delete=(Call(op="DeleteRepository", args={**_REPOSITORY, "force": "{forceDelete}"}, send=()),),
    tags=pair_tags(
        "tags",
        Read(op="ListTagsForResource", args={"resourceArn": "{arn}"}, at="tags"),
        Call(op="TagResource", args={"resourceArn": "{arn}", "tags": "{tags}"}, send=()),
        Call(op="UntagResource", args={"resourceArn": "{arn}", "tagKeys": "{keys}"}, send=()),
    ),
    replace=("encryptionConfigurations", "name"),
    identity=("name",),
    defaults={"imageTagMutability": "MUTABLE"},
    computed=(
        "encryptionConfigurations.encryptionType",
        "encryptionConfigurations.kmsKey",
        "encryptionConfigurations",
    ),
    local=("forceDelete",),
    autoname=Autoname(longest=256, lower=True),
    missing=("RepositoryNotFoundException",),
    exists=("RepositoryAlreadyExistsException",),
)

ENTRIES = (REPOSITORY,)
