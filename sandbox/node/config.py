"""What the agent is told: small enough that a test can run one without a whole sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.instance import Instance
from sandbox.processes import MARK


@dataclass(frozen=True)
class NodeConfig:
    """One agent's configuration."""

    octet: int
    """N of the pod network: 10.N.x.y in the cluster is 127.N.x.y on this machine."""
    kubeconfig: Path
    state: Path
    """Volumes, addresses and records of processes."""
    logs: Path
    """The containers' output, one file each."""
    dns_port: int
    path: str
    """Where programs such as haproxy are searched."""
    emulator_url: str = ""
    """The AWS emulator; empty when there is none, and then no node groups."""
    mark: Mapping[str, str] | None = None
    """Variables that every process gets, so that it is recognised when it outlives us."""

    @classmethod
    def of(cls, instance: Instance, environment: Mapping[str, str]) -> "NodeConfig":
        """The configuration of the agent of a sandbox."""
        return cls(
            octet=instance.loopback_octet,
            kubeconfig=instance.paths.kubeconfig_of("node-agent"),
            state=instance.paths.node,
            logs=instance.paths.logs / "pods",
            dns_port=instance.ports["dns"],
            path=environment.get("PATH", ""),
            emulator_url=instance.emulator_url,
            mark={MARK: environment[MARK]} if MARK in environment else None,
        )

    @property
    def nameserver(self) -> str:
        """The cluster's DNS, as `address:port`."""
        return f"127.0.0.1:{self.dns_port}"
