"""What the sandbox tells the emulator, all of it by environment.

| variable | meaning |
|---|---|
| `GATEWAY_PORT` | the one port of every service, on 127.0.0.1 |
| `STATE_DIR` | where state, S3 objects and temporary files are kept |
| `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | the account's root credentials, the ones a shell gets |
| `EKS_BASE_PORT` | the API server's port: the endpoint of every EKS cluster |
| `HALFMETAL_EKS_CA_FILE` | PEM file of the authority that signed the API server's certificate |
| `HALFMETAL_NODE_ADDRESS` | where node ports are open: 127.N.0.1 |
"""

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """The emulator's configuration, read once at its start."""

    port: int
    state: Path
    node_address: str
    eks_endpoint: str
    eks_authority: Path | None

    @property
    def scratch(self) -> Path:
        """Temporary files: unpacked functions, pid files. Emptied at every start."""
        return self.state / "tmp"

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> "Settings":
        """Read the variables above; SystemExit names what is missing of the first three."""
        for name in ("GATEWAY_PORT", "STATE_DIR", "AWS_ACCESS_KEY_ID"):
            if not environment.get(name):
                raise SystemExit(f"{name} is not set: see sandbox/aws/emulator/settings.py")
        authority = environment.get("HALFMETAL_EKS_CA_FILE", "")
        return cls(
            port=int(environment["GATEWAY_PORT"]),
            state=Path(environment["STATE_DIR"]).resolve(),
            node_address=environment.get("HALFMETAL_NODE_ADDRESS", LOOPBACK),
            eks_endpoint=f"https://{LOOPBACK}:{environment.get('EKS_BASE_PORT', '6443')}",
            eks_authority=Path(authority) if authority else None,
        )

    def apply_to(self, environment: MutableMapping[str, str]) -> None:
        """Set what ministack reads when it is imported: loopback only, everything kept below `state`."""
        environment.update(
            BIND_HOST=LOOPBACK,
            PERSIST_STATE="1",
            STATE_DIR=str(self.state),
            S3_PERSIST="1",
            S3_DATA_DIR=str(self.state / "s3"),
            TMPDIR=str(self.scratch),
            # Listeners on ports of their own, for services that nothing here uses.
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            # Never somebody's real container engine: EKS clusters here are the sandbox's API server.
            DOCKER_HOST=f"unix://{self.scratch / 'no-docker.sock'}",
        )


SETTINGS = Settings.from_environment(os.environ)
