"""The sandbox's own certificate authorities, and a certificate for everyone who talks to the cluster.

Two authorities, so that who may speak to the API server may not speak to etcd: the *cluster* authority signs
the servers' certificates and the clients' identities (the common name is the user, the organisations are the
groups, as Kubernetes reads them); the *etcd* authority signs etcd and its one client. Everything is made at
the first `up`, kept, and made again when it is about to expire or its files do not belong together.
"""

from dataclasses import dataclass
from pathlib import Path

CLUSTER_CA = "ca"
ETCD_CA = "etcd-ca"
SERVICE_ACCOUNT = "service-account"
SERVICE_CIDR = "172.20.0.0/16"
FIRST_SERVICE_ADDRESS = "172.20.0.1"


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Leaf:
    """A certificate to be signed: who it names, by which authority, for what."""

    name: str
    user: str
    groups: tuple[str, ...] = ()
    authority: str = CLUSTER_CA
    client: bool = True
    hosts: tuple[str, ...] = ()
    """Names and addresses that it serves; empty for one that only ever connects."""


_LOOPBACK = ("localhost", "127.0.0.1")
_APISERVER_HOSTS = (
    *_LOOPBACK,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    FIRST_SERVICE_ADDRESS,
)
# The sandbox's clients of the API server, by the name of their kubeconfig.
ADMINISTRATOR = "administrator"
BOOTSTRAP = "bootstrap"
IDENTITIES: tuple[Leaf, ...] = (
    # Grants everyone else their roles, and asks whether the API server is ready; used by `up` alone.
    Leaf(BOOTSTRAP, "halfmetal:bootstrap", ("system:masters",)),
    Leaf(ADMINISTRATOR, "halfmetal:administrator", ("halfmetal:administrators",)),
    Leaf("kube-scheduler", "system:kube-scheduler"),
    Leaf("kube-controller-manager", "system:kube-controller-manager"),
    Leaf("kwok", "halfmetal:kwok"),
    Leaf("node-agent", "halfmetal:node-agent"),
)
_SERVERS: tuple[Leaf, ...] = (
    Leaf("kube-apiserver", "kube-apiserver", client=False, hosts=_APISERVER_HOSTS),
    Leaf("kube-scheduler-server", "kube-scheduler", client=False, hosts=_LOOPBACK),
    Leaf("kube-controller-manager-server", "kube-controller-manager", client=False, hosts=_LOOPBACK),
    # etcd is its own client: it forwards its JSON gateway to itself.
    Leaf("etcd", "etcd", authority=ETCD_CA, hosts=_LOOPBACK),
    Leaf("etcd-client", "kube-apiserver", authority=ETCD_CA),
)


@dataclass(frozen=True)
class Pki:
    """The keys of one sandbox, as files."""

    directory: Path

    def pair(self, name: str) -> Pair:
        """The files of one certificate, whether or not it exists yet."""
        return Pair(self.directory / f"{name}.crt", self.directory / f"{name}.key")

    @property
    def service_account_public_key(self) -> Path:
        """What service account tokens are verified with."""
        return self.directory / f"{SERVICE_ACCOUNT}.pub"

    def ensure(self) -> None:
        """Make what is missing, expiring or broken; leave the rest as it is."""
        # Importing the library takes a tenth of a second that `status` and `env` need not pay.
        from sandbox.cluster import certificates  # noqa: PLC0415

        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (CLUSTER_CA, ETCD_CA):
            authority = self.pair(name)
            if not certificates.usable(authority, issuer=authority):
                certificates.make_authority(authority, f"halfmetal sandbox {name}")
        for leaf in (*IDENTITIES, *_SERVERS):
            issuer = self.pair(leaf.authority)
            if not certificates.usable(self.pair(leaf.name), issuer=issuer):
                certificates.make_leaf(self.pair(leaf.name), leaf, issuer)
        signing = Pair(self.service_account_public_key, self.pair(SERVICE_ACCOUNT).key)
        if not (signing.key.exists() and signing.certificate.exists()):
            certificates.make_signing_keys(signing)
