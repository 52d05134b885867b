"""Where function code lies that is too large to be sent to Lambda directly."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import s3

from components.base import Component
from components.control_plane.bundle import Bundle


@dataclass(frozen=True)
class ArtifactsArgs:
    """Nothing to choose: the bucket holds zips that can be built again."""


@dataclass(frozen=True)
class StoredBundle:
    """Where one bundle lies."""

    bucket: pulumi.Output[str]
    key: pulumi.Output[str]


class Artifacts(Component):
    """A private bucket of function bundles.

    Creates: the bucket, encrypted by S3's own keys; a block on every kind of public access; one object for
    each bundle added, named by its content, so that a new version never overwrites what a function runs.
    """

    def __init__(self, name: str, args: ArtifactsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        del args
        super().__init__(name, opts)
        # Everything in it is built from this repository, so destroying a stack may empty it.
        self._bucket = s3.Bucket(self.child("bucket"), force_destroy=True, opts=self.options())
        self._private = s3.BucketPublicAccessBlock(
            self.child("private"),
            bucket=self._bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.options(),
        )
        self._stored: dict[str, StoredBundle] = {}
        self.register_outputs({"bucket": self._bucket.id})

    def add(self, bundle: Bundle) -> StoredBundle:
        """The bundle's place in the bucket; the same bundle is stored once."""
        if bundle.sha256 not in self._stored:
            stored = s3.BucketObjectv2(
                self.child(bundle.sha256[:12]),
                bucket=self._bucket.id,
                key=f"bundles/{bundle.sha256}.zip",
                source=pulumi.FileAsset(str(bundle.path)),
                content_type="application/zip",
                opts=self.options(depends_on=[self._private]),
            )
            self._stored[bundle.sha256] = StoredBundle(stored.bucket, stored.key)
        return self._stored[bundle.sha256]
