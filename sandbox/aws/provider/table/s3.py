"""S3: buckets, objects, and the settings of a bucket that are resources of their own."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from sandbox.aws.provider.archives import content_of, zipped
from sandbox.aws.provider.errors import Failure, RefusedError
from sandbox.aws.provider.table.common import at_most_one
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Read, Scope, Tags
from sandbox.aws.provider.values import Archive, Asset, Bag

_NO_BUCKET = ("NoSuchBucket", "404", "NotFound")
_BUCKET = {"Bucket": "{bucket}"}
_HOSTED_ZONES = {
    "us-east-1": "Z3AQBSTGFJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-west-1": "Z1BKCTXD74EZPE",
}


# -- bucket ------------------------------------------------------------------------------------------


def _location(scope: Scope) -> Bag | None:
    """The one region that must not be named is the first."""
    return None if scope.region == "us-east-1" else {"LocationConstraint": scope.region}


def _empty_bucket(scope: Scope) -> None:
    """With `forceDestroy` everything in the bucket goes with it, old versions too."""
    if not scope.get("forceDestroy"):
        return
    for kind in ("Versions", "DeleteMarkers"):
        for item in scope.pages("ListObjectVersions", kind, Bucket=scope.resource_id):
            scope.call("DeleteObject", Bucket=scope.resource_id, Key=item["Key"], VersionId=item["VersionId"])
    for key in scope.pages("ListObjectsV2", "Contents[].Key", Bucket=scope.resource_id):
        scope.call("DeleteObject", Bucket=scope.resource_id, Key=key)


def _delete_bucket(scope: Scope) -> None:
    try:
        scope.call("DeleteBucket", Bucket=scope.resource_id)
    except RefusedError as error:
        if error.code == "BucketNotEmpty":
            raise RefusedError(
                error.operation,
                error.code,
                f"{error.message} Set forceDestroy to delete the objects along with the bucket.",
            ) from error
        raise


def _object_tags(operation: str) -> Call:
    return Call(
        op=operation,
        args={"Bucket": "{bucket}", "Key": "{key}", "Tagging": lambda s: {"TagSet": s.lookup("tags")}},
        send=(),
    )


BUCKET = Entry(
    token="aws:s3/bucket:Bucket",
    service="s3",
    id="{bucket}",
    create=Call(
        op="CreateBucket",
        args={
            **_BUCKET,
            "CreateBucketConfiguration": _location,
            "ObjectLockEnabledForBucket": "{objectLockEnabled}",
        },
        send=(),
        retry=("OperationAborted",),
    ),
    read=(Read(op="HeadBucket", args={"Bucket": "{id}"}, only=(), into={"bucketRegion": "BucketRegion"}),),
    delete=(Do(run=_empty_bucket), Do(run=_delete_bucket)),
    tags=Tags(
        create=None,
        read=None,
        read_call=Read(
            op="GetBucketTagging",
            args={"Bucket": "{id}"},
            at="TagSet",
            absent=("NoSuchTagSet", "NoSuchTagSetError"),
        ),
        change=Call(
            op="PutBucketTagging",
            args={"Bucket": "{id}", "Tagging": lambda s: {"TagSet": s.lookup("tags")}},
            send=(),
        ),
        remove=Call(op="DeleteBucketTagging", args={"Bucket": "{id}"}, send=()),
        style="Key",
        whole=True,
    ),
    replace=("bucket", "bucketPrefix", "objectLockEnabled"),
    identity=("bucket",),
    defaults={"forceDestroy": False},
    computed=("objectLockEnabled",),
    local=("forceDestroy", "bucketPrefix"),
    autoname=Autoname("bucket", longest=63, lower=True, prefix_prop="bucketPrefix"),
    derive={
        "bucket": "{id}",
        "arn": "arn:{partition}:s3:::{id}",
        "bucketDomainName": "{id}.s3.amazonaws.com",
        "bucketRegionalDomainName": "{id}.s3.{region}.amazonaws.com",
        "hostedZoneId": lambda s: _HOSTED_ZONES.get(s.region),
    },
    missing=_NO_BUCKET,
    exists=("BucketAlreadyExists", "BucketAlreadyOwnedByYou"),
)


# -- object ------------------------------------------------------------------------------------------

_CONTENT = ("source", "content", "contentBase64")
_OBJECT = {"Bucket": "{bucket}", "Key": "{key}"}


def _body(scope: Scope) -> bytes:
    source = scope.inputs.get("source")
    if isinstance(source, Archive):
        return zipped(source)
    if isinstance(source, Asset):
        return content_of(source)
    if scope.inputs.get("contentBase64") is not None:
        return base64.b64decode(scope.inputs["contentBase64"])
    return str(scope.inputs.get("content") or "").encode()


def _content_type(scope: Scope) -> str:
    stated = scope.inputs.get("contentType")
    guessed, _ = mimetypes.guess_type(str(scope.inputs.get("key")))
    return str(stated or guessed or "application/octet-stream")


def _tagging(scope: Scope) -> str | None:
    tags = scope.inputs.get("tags")
    return urlencode(tags) if tags else None


def _delete_object(scope: Scope) -> None:
    bucket, key = scope.get("bucket"), scope.get("key")
    versions = scope.pages("ListObjectVersions", "[Versions, DeleteMarkers][][]", Bucket=bucket, Prefix=key)
    for version in versions:
        if version["Key"] == key and version.get("VersionId") not in (None, "null"):
            scope.call("DeleteObject", Bucket=bucket, Key=key, VersionId=version["VersionId"])
    scope.call("DeleteObject", Bucket=bucket, Key=key)


_PUT_OBJECT: dict[str, Any] = {
    "op": "PutObject",
    "args": {
        **_OBJECT,
        "Body": _body,
        "ContentType": _content_type,
        "Tagging": _tagging,
        "SSEKMSKeyId": "{kmsKeyId}",
        "WebsiteRedirectLocation": "{websiteRedirect}",
        "ObjectLockRetainUntilDate": "{objectLockRetainUntilDate}",
    },
    "send": (
        "acl",
        "bucketKeyEnabled",
        "cacheControl",
        "checksumAlgorithm",
        "contentDisposition",
        "contentEncoding",
        "contentLanguage",
        "metadata",
        "objectLockLegalHoldStatus",
        "objectLockMode",
        "serverSideEncryption",
        "storageClass",
    ),
    "uses": (*_CONTENT, "contentType", "etag", "sourceHash"),
    "late": ("Body",),
    "names": {"objectLockLegalHoldStatus": "ObjectLockLegalHoldStatus"},
}


def _bare_etag(answer: Any) -> str:
    return str(answer.get("ETag", "")).strip('"')


BUCKET_OBJECT = Entry(
    token="aws:s3/bucketObjectv2:BucketObjectv2",
    service="s3",
    id="{bucket}/{key}",
    create=Call(**_PUT_OBJECT, retry=("NoSuchBucket",)),
    then=(Call(**_PUT_OBJECT, on="update"),),
    names={"acl": "ACL"},
    read=(
        Read(
            op="HeadObject",
            args=_OBJECT,
            only=(
                "bucketKeyEnabled",
                "cacheControl",
                "contentDisposition",
                "contentEncoding",
                "contentLanguage",
                "contentType",
                "metadata",
                "serverSideEncryption",
                "versionId",
            ),
            into={
                "etag": _bare_etag,
                "storageClass": "StorageClass || 'STANDARD'",
                "kmsKeyId": "SSEKMSKeyId",
                "websiteRedirect": "WebsiteRedirectLocation",
                "checksumCrc32": "ChecksumCRC32",
                "checksumCrc32c": "ChecksumCRC32C",
                "checksumCrc64nvme": "ChecksumCRC64NVME",
                "checksumSha1": "ChecksumSHA1",
                "checksumSha256": "ChecksumSHA256",
            },
        ),
    ),
    delete=(Do(run=_delete_object),),
    import_id="{bucket}/{key}",
    tags=Tags(
        create=None,
        read=None,
        read_call=Read(op="GetObjectTagging", args=_OBJECT, at="TagSet"),
        change=_object_tags("PutObjectTagging"),
        remove=Call(op="DeleteObjectTagging", args=_OBJECT, send=()),
        style="Key",
        whole=True,
    ),
    replace=("bucket", "key"),
    identity=("bucket", "key"),
    defaults={"forceDestroy": False},
    computed=(
        "acl",
        "bucketKeyEnabled",
        "contentType",
        "etag",
        "key",
        "kmsKeyId",
        "serverSideEncryption",
        "storageClass",
    ),
    local=("forceDestroy", "overrideProvider"),
    write_only=("acl", *_CONTENT, "sourceHash", "checksumAlgorithm"),
    autoname=Autoname("key", longest=1024),
    volatile={"etag": (*_CONTENT, "sourceHash"), "versionId": ()},
    derive={"arn": "arn:{partition}:s3:::{bucket}/{key}"},
    missing=(*_NO_BUCKET, "NoSuchKey"),
    emulator_gaps={"bucketKeyEnabled": "PutObject takes it, HeadObject does not show it"},
    rules=at_most_one(*_CONTENT),
)


# -- settings of a bucket ----------------------------------------------------------------------------


def _setting(kind: str, put: Call, read: Read, delete: tuple[Call, ...], **more: Any) -> Entry:
    """A resource that is one document of a bucket: put, put again, taken away."""
    again = Call(
        **{name: getattr(put, name) for name in ("op", "args", "send", "names", "uses")}, on="update"
    )
    return Entry(
        token=f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}",
        service="s3",
        id="{bucket}",
        create=put,
        then=(again,),
        read=(read,),
        delete=delete,
        import_id="{bucket}",
        identity=("bucket",),
        missing=(*_NO_BUCKET, *more.pop("missing", ())),
        replace=more.pop("replace", ("bucket", "expectedBucketOwner")),
        **more,
    )


_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

PUBLIC_ACCESS_BLOCK = _setting(
    "BucketPublicAccessBlock",
    Call(
        op="PutPublicAccessBlock",
        args={
            **_BUCKET,
            "PublicAccessBlockConfiguration": lambda s: {
                name[0].upper() + name[1:]: bool(s.inputs.get(name)) for name in _BLOCKS
            },
        },
        send=(),
        uses=_BLOCKS,
    ),
    Read(op="GetPublicAccessBlock", args=_BUCKET, at="PublicAccessBlockConfiguration"),
    (Call(op="DeletePublicAccessBlock", args=_BUCKET, send=()),),
    missing=("NoSuchPublicAccessBlockConfiguration",),
    replace=("bucket",),
    defaults=dict.fromkeys(_BLOCKS, False),
    local=("skipDestroy",),
)

ENCRYPTION = _setting(
    "BucketServerSideEncryptionConfiguration",
    Call(
        op="PutBucketEncryption",
        args=_BUCKET,
        names={
            "rules": "ServerSideEncryptionConfiguration.Rules",
            "rules.applyServerSideEncryptionByDefault.sseAlgorithm": "SSEAlgorithm",
            "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID",
        },
    ),
    Read(
        op="GetBucketEncryption",
        args=_BUCKET,
        only=(),
        into={"rules": "ServerSideEncryptionConfiguration.Rules"},
    ),
    (Call(op="DeleteBucketEncryption", args=_BUCKET, send=()),),
    remains="a bucket is always encrypted: with keys of S3 when nothing else is said",
    missing=("ServerSideEncryptionConfigurationNotFoundError",),
    unordered=("rules",),
)


def _has_versioning(answer: Any, _: Scope) -> Any:
    """A bucket that never had versioning answers with nothing at all."""
    return answer if answer.get("Status") else None


VERSIONING = _setting(
    "BucketVersioning",
    Call(
        op="PutBucketVersioning",
        args=_BUCKET,
        names={"mfa": "MFA", "versioningConfiguration.mfaDelete": "MFADelete"},
    ),
    Read(
        op="GetBucketVersioning",
        args=_BUCKET,
        at=_has_versioning,
        only=(),
        into={"versioningConfiguration": lambda found: {"status": found["Status"]}},
    ),
    (
        Call(
            op="PutBucketVersioning",
            args={**_BUCKET, "VersioningConfiguration": {"Status": "Suspended"}},
            send=(),
        ),
    ),
    remains="versioning cannot be taken away, only suspended",
    computed=("versioningConfiguration.mfaDelete",),
    write_only=("mfa",),
)

POLICY = _setting(
    "BucketPolicy",
    Call(op="PutBucketPolicy", args=_BUCKET, send=("policy",)),
    Read(op="GetBucketPolicy", args=_BUCKET, only=("policy",)),
    (Call(op="DeleteBucketPolicy", args=_BUCKET, send=()),),
    missing=("NoSuchBucketPolicy",),
    replace=("bucket",),
    policies=("policy",),
)


def _lifecycle_failures(inputs: Bag) -> Iterable[Failure]:
    if not inputs.get("rules"):
        yield Failure("rules", "is not set: a lifecycle configuration needs at least one rule")


LIFECYCLE = _setting(
    "BucketLifecycleConfiguration",
    Call(
        op="PutBucketLifecycleConfiguration",
        args=_BUCKET,
        names={"rules": "LifecycleConfiguration.Rules", "rules.id": "ID"},
    ),
    Read(op="GetBucketLifecycleConfiguration", args=_BUCKET, only=("rules",)),
    (Call(op="DeleteBucketLifecycle", args=_BUCKET, send=()),),
    names={"rules.id": "ID"},
    missing=("NoSuchLifecycleConfiguration",),
    computed=("transitionDefaultMinimumObjectSize",),
    unordered=("rules", "rules.transitions", "rules.noncurrentVersionTransitions"),
    rules=_lifecycle_failures,
)

ENTRIES = (
    BUCKET,
    BUCKET_OBJECT,
    PUBLIC_ACCESS_BLOCK,
    ENCRYPTION,
    VERSIONING,
    POLICY,
    LIFECYCLE,
)
