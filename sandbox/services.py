"""What the sandbox runs: every service with its command line, what it needs and how it shows that it works.

Everything listens on loopback, at ports of the instance. The control plane is Kubernetes' own programs, as
they would run on a machine of their own: TLS everywhere, each client with its own certificate, RBAC, nobody
anonymous. KWOK plays the kubelets, the node agent runs the pods that are real, and the emulator plays AWS.
"""

import http.client
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sandbox.cluster.api import ApiServer
from sandbox.cluster.pki import BOOTSTRAP, CLUSTER_CA, ETCD_CA, SERVICE_ACCOUNT, SERVICE_CIDR, Pki
from sandbox.environment import CREDENTIALS, REGION
from sandbox.instance import Instance
from sandbox.paths import REPO, STATE_VARIABLE
from sandbox.supervisor import Service

Programs = Callable[[str], Path]

EMULATOR = "emulator"
EMULATOR_PROGRAMS = "emulator programs"
CLUSTER_PROGRAMS = "cluster programs"
SHELL = "programs of a shell"
ACCESS = "cluster access"
# Where the emulator answers the API server's questions about bearer tokens.
TOKEN_REVIEW_PATH = "/_halfmetal/token-review"
# The half of the pod network from which KWOK gives addresses to pods that nobody runs; the node agent has
# the other half.
_PRETENDED_PODS = "10.{octet}.128.0/17"
_DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
_PROBE_TIMEOUT_S = 1.0


def services(instance: Instance, programs: Programs) -> list[Service]:
    """The services that this instance's topology needs."""
    table = _Table(instance, programs)
    if not instance.topology.has_cluster:
        return [table.emulator()]
    return [
        table.emulator(),
        table.etcd(),
        table.apiserver(),
        table.scheduler(),
        table.controller_manager(),
        table.kwok(),
        table.node_agent(),
    ]


def bootstrap_client(instance: Instance) -> ApiServer:
    """The API server as the one identity that may do everything; for `up` alone."""
    return ApiServer(
        instance.apiserver_url, instance.paths.ca_certificate, Pki(instance.paths.pki).pair(BOOTSTRAP)
    )


class _Table:
    """The definitions, each a method; they share the instance's names and ports."""

    def __init__(self, instance: Instance, programs: Programs) -> None:
        self._instance = instance
        self._programs = programs
        self._paths = instance.paths
        self._ports = instance.ports
        self._pki = Pki(instance.paths.pki)

    def emulator(self) -> Service:
        port = self._ports["emulator"]
        return Service(
            name=EMULATOR,
            command=lambda: [
                str(self._programs("emulator-python")),
                str(REPO / "sandbox" / "aws" / "emulator" / "main.py"),
            ],
            env=self._environment(
                {
                    "GATEWAY_PORT": str(port),
                    "STATE_DIR": str(self._paths.emulator),
                    "EKS_BASE_PORT": str(self._ports["apiserver"]),
                    "HALFMETAL_EKS_CA_FILE": str(self._paths.ca_certificate),
                    "HALFMETAL_NODE_ADDRESS": self._instance.loopback(0, 1),
                    **CREDENTIALS,
                }
            ),
            ready=lambda: _answers(port, "/_ministack/health"),
            needs=(EMULATOR_PROGRAMS,),
            ports=(port,),
        )

    def etcd(self) -> Service:
        client, peer = (f"https://127.0.0.1:{self._ports[name]}" for name in ("etcd_client", "etcd_peer"))
        server = self._pki.pair("etcd")
        authority = self._pki.pair(ETCD_CA).certificate
        arguments = {
            "name": "sandbox",
            "data-dir": self._paths.etcd,
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"sandbox={peer}",
            "cert-file": server.certificate,
            "key-file": server.key,
            "client-cert-auth": "true",
            "trusted-ca-file": authority,
            "peer-cert-file": server.certificate,
            "peer-key-file": server.key,
            "peer-client-cert-auth": "true",
            "peer-trusted-ca-file": authority,
            "log-level": "warn",
            # A sandbox that loses its machine is made again; every write would pay for a disk otherwise.
            "unsafe-no-fsync": "true",
        }
        probe = ApiServer(client, authority, self._pki.pair("etcd-client"))
        return Service(
            name="etcd",
            command=lambda: [str(self._programs("etcd")), *_flags(arguments)],
            env=self._environment(),
            ready=lambda: probe.answers("/health"),
            needs=(CLUSTER_PROGRAMS,),
            ports=(self._ports["etcd_client"], self._ports["etcd_peer"]),
            files=(server.certificate, authority),
        )

    def apiserver(self) -> Service:
        serving, etcd = self._pki.pair("kube-apiserver"), self._pki.pair("etcd-client")
        webhook = self._paths.cluster / "token-review.yaml"
        authority = self._pki.pair(CLUSTER_CA).certificate
        arguments = {
            "bind-address": "127.0.0.1",
            "secure-port": self._ports["apiserver"],
            "advertise-address": "127.0.0.1",
            # It publishes no endpoints for itself: Kubernetes refuses loopback ones.
            "endpoint-reconciler-type": "none",
            "service-cluster-ip-range": SERVICE_CIDR,
            "etcd-servers": f"https://127.0.0.1:{self._ports['etcd_client']}",
            "etcd-cafile": self._pki.pair(ETCD_CA).certificate,
            "etcd-certfile": etcd.certificate,
            "etcd-keyfile": etcd.key,
            "tls-cert-file": serving.certificate,
            "tls-private-key-file": serving.key,
            "client-ca-file": authority,
            "anonymous-auth": "false",
            "authorization-mode": "RBAC",
            "authentication-token-webhook-config-file": webhook,
            "authentication-token-webhook-version": "v1",
            # Short, so that an access entry that is taken away is felt at once.
            "authentication-token-webhook-cache-ttl": "5s",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self._pki.service_account_public_key,
            "service-account-signing-key-file": self._pki.pair(SERVICE_ACCOUNT).key,
            "profiling": "false",
        }
        client = bootstrap_client(self._instance)
        return Service(
            name="kube-apiserver",
            command=lambda: [str(self._programs("kube-apiserver")), *_flags(arguments)],
            env=self._environment(),
            ready=lambda: client.answers("/readyz"),
            needs=("etcd",),
            ports=(self._ports["apiserver"],),
            files=(serving.certificate, etcd.certificate, authority, webhook),
            grace_s=15.0,
        )

    def scheduler(self) -> Service:
        return self._component("kube-scheduler", self._ports["scheduler"], {})

    def controller_manager(self) -> Service:
        authority = self._pki.pair(CLUSTER_CA)
        arguments = {
            "use-service-account-credentials": "true",
            # Each controller first makes an account for itself; the default limit makes that seconds.
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
            "service-account-private-key-file": self._pki.pair(SERVICE_ACCOUNT).key,
            "root-ca-file": authority.certificate,
            "cluster-signing-cert-file": authority.certificate,
            "cluster-signing-key-file": authority.key,
        }
        service = self._component("kube-controller-manager", self._ports["controller_manager"], arguments)
        # It is healthy before it does anything. Its work is seen in the account without which no pod is made.
        client = bootstrap_client(self._instance)
        return replace(service, ready=lambda: service.ready() and client.answers(_DEFAULT_ACCOUNT))

    def _component(self, name: str, port: int, arguments: Mapping[str, object]) -> Service:
        kubeconfig, serving = self._paths.kubeconfig_of(name), self._pki.pair(f"{name}-server")
        common = {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            # Its callers are verified with our authority; there are no front proxies to look up.
            "authentication-skip-lookup": "true",
            "client-ca-file": self._paths.ca_certificate,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "tls-cert-file": serving.certificate,
            "tls-private-key-file": serving.key,
            "leader-elect": "false",
            "profiling": "false",
        }
        # Health is the one thing that these two tell anybody.
        probe = ApiServer(f"https://127.0.0.1:{port}", self._paths.ca_certificate, None)
        return Service(
            name=name,
            command=lambda: [str(self._programs(name)), *_flags({**common, **arguments})],
            env=self._environment(),
            ready=lambda: probe.answers("/healthz"),
            needs=("kube-apiserver",),
            ports=(port,),
            files=(kubeconfig, serving.certificate),
        )

    def kwok(self) -> Service:
        port = self._ports["kwok"]
        kubeconfig, stages = self._paths.kubeconfig_of("kwok"), self._paths.cluster / "stages.yaml"
        arguments = {
            "kubeconfig": kubeconfig,
            "config": stages,
            "manage-all-nodes": "true",
            "cidr": _PRETENDED_PODS.format(octet=self._instance.loopback_octet),
            "node-ip": self._instance.address(0, 1),
            "node-lease-duration-seconds": 40,
            "server-address": f"127.0.0.1:{port}",
        }
        return Service(
            name="kwok",
            command=lambda: [str(self._programs("kwok")), *_flags(arguments)],
            env=self._environment(),
            ready=lambda: _answers(port, "/healthz"),
            needs=(ACCESS, CLUSTER_PROGRAMS),
            ports=(port,),
            files=(kubeconfig, stages),
        )

    def node_agent(self) -> Service:
        port = self._ports["dns"]
        kubeconfig = self._paths.kubeconfig_of("node-agent")
        return Service(
            name="node-agent",
            command=lambda: [sys.executable, "-P", "-m", "sandbox.node"],
            env=self._environment(
                {
                    STATE_VARIABLE: str(self._paths.root),
                    "AWS_ENDPOINT_URL": self._instance.emulator_url,
                    "AWS_REGION": REGION,
                    "AWS_DEFAULT_REGION": REGION,
                    "AWS_EC2_METADATA_DISABLED": "true",
                    **CREDENTIALS,
                },
                path=self._paths.bin,
            ),
            ready=lambda: _listens(port),
            needs=(ACCESS, SHELL, EMULATOR),
            ports=(port,),
            files=(kubeconfig,),
            # It ends the processes of its pods first, each with a grace of its own.
            grace_s=20.0,
        )

    def _environment(
        self, more: Mapping[str, str] | None = None, *, path: Path | None = None
    ) -> dict[str, str]:
        """A small environment of our own: no proxy, credential or option of the user's reaches a service."""
        kept = {name: os.environ[name] for name in ("HOME", "USER", "XDG_CACHE_HOME") if name in os.environ}
        search = os.pathsep.join([*([str(path)] if path else []), "/usr/local/bin", "/usr/bin", "/bin"])
        return {
            **kept,
            "PATH": search,
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._paths.tmp),
            "PYTHONUNBUFFERED": "1",
            **(more or {}),
        }


def _flags(arguments: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in arguments.items()]


def _answers(port: int, path: str) -> bool:
    """Whether a plain HTTP path on loopback is served with success now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_PROBE_TIMEOUT_S).close()
    except OSError:
        return False
    return True
