"""Where the sandbox keeps things.

Two places, and nothing outside them. The *cache* belongs to the user and is shared by every clone: the built
toolchain and the register of which clone holds which ports. The *state* belongs to one clone and is what
`halfmetal sandbox down` removes: data, keys, logs, pid files and the Pulumi backend.
"""

import os
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
STATE_VARIABLE = "HALFMETAL_STATE_DIR"


def cache_dir() -> Path:
    """The user's cache: `$XDG_CACHE_HOME/halfmetal`, or `~/.cache/halfmetal`."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative path is to be ignored.
    base = Path(configured) if configured.startswith("/") else Path.home() / ".cache"
    return base / "halfmetal"


def default_state_dir() -> Path:
    """This clone's own state directory, whatever the environment says."""
    return REPO / ".sandbox"


def state_dir() -> Path:
    """The state directory of this run: `$HALFMETAL_STATE_DIR`, or `.sandbox` in the clone."""
    configured = os.environ.get(STATE_VARIABLE, "")
    return Path(configured).expanduser().resolve() if configured else default_state_dir()


@dataclass(frozen=True)
class StatePaths:
    """Names inside one state directory."""

    root: Path

    @property
    def instance(self) -> Path:
        """What this sandbox is: ports, loopback network, topology."""
        return self.root / "instance.json"

    @property
    def run(self) -> Path:
        """One record per service that was started."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log per service."""
        return self.root / "logs"

    @property
    def bin(self) -> Path:
        """The programs that a shell of this sandbox finds first."""
        return self.root / "bin"

    @property
    def pki(self) -> Path:
        """Certificates and keys; readable by the owner only."""
        return self.root / "pki"

    @property
    def ca_certificate(self) -> Path:
        """The certificate authority that the API server's certificate is verified with."""
        return self.pki / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; its one context is `halfmetal`."""
        return self.root / "kubeconfig"

    @property
    def kubectl_cache(self) -> Path:
        """What `kubectl` remembers of the API server; it would keep that in the user's home."""
        return self.root / "kubectl-cache"

    def kubeconfig_of(self, identity: str) -> Path:
        """The kubeconfig of one of the sandbox's own clients, such as `node-agent`."""
        return self.root / "kubeconfigs" / f"{identity}.yaml"

    @property
    def cluster(self) -> Path:
        """Configuration written for the cluster's programs."""
        return self.root / "cluster"

    @property
    def etcd(self) -> Path:
        """etcd's data."""
        return self.root / "etcd"

    @property
    def emulator(self) -> Path:
        """The AWS emulator's data."""
        return self.root / "emulator"

    @property
    def node(self) -> Path:
        """What the node agent keeps: volumes and logs of the pods that it runs."""
        return self.root / "node"

    @property
    def tmp(self) -> Path:
        """Temporary files of every service."""
        return self.root / "tmp"

    @property
    def backend(self) -> Path:
        """The Pulumi backend: stacks, their history and locks."""
        return self.root / "backend"

    @property
    def pulumi_home(self) -> Path:
        """The engine's own home, so that the user's login and plugins are never touched."""
        return self.root / "pulumi"
