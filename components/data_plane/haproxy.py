"""The gateway's configuration, as a plain function of its routes.

What it does for a model server: it finds every ready pod by DNS, asks each whether it is ready, gives each no
more requests at once than it can work on, and lets the rest wait in a short queue. A request that would have
to wait too long is told so at once (503, `Retry-After`), because an answer that comes after the caller has
gone costs a GPU all the same.

A workload may have a function twin. While every replica is busy and its queue is as long as the stack file
lets it be, the next request goes there, through an API of its own; so does every request while no replica is
ready. A request that a function would not take (too large, or as many there as may run) waits for a pod.

It works from HAProxy 2.6 on. Two variables come from the pod: `POD_IP`, the address to listen on, and, where
the cluster's DNS is not in `/etc/resolv.conf`, `NAMESERVER` (host:port).
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from components.data_plane.going import whole_seconds
from components.spec import Duration, Memory
from components.spec.workload import QUEUED_PER_SLOT

HEALTH: Final = "/healthz"

# What HAProxy keeps for a connection: 16 KiB of each direction, and what it knows of the session.
_CONNECTION_KIB: Final = 33
# What it takes before there is any connection, generously.
_IDLE_MIB: Final = 96

# Enough for health checks and idle clients of the smallest gateway.
_LEAST_CONNECTIONS: Final = 1000

# Pods beyond the replicas while they are being replaced.
_SURGE: Final = 1

# How long a request may wait for a pod that takes it.
_QUEUE_SECONDS: Final = 10

_PORTS: Final = {"http": 80, "https": 443}

# A body that is no text comes to a function in base64, four characters for three bytes.
_BASE64: Final = (3, 4)


@dataclass(frozen=True)
class Twin:
    """When a workload's function takes a request, as one pod of the gateway sees it."""

    queue: int
    """Requests that wait before the next one goes there."""
    copies: int
    """Requests that it may have there at once."""


@dataclass(frozen=True)
class Tail:
    """What is in front of the function twins."""

    url: str
    """Address of an API that has each workload under the path that it has here."""
    payload: Memory
    """The most that a function takes as one request."""

    @property
    def largest_body(self) -> int:
        """In bytes, so that the function takes it whatever it is."""
        part, whole = _BASE64
        return self.payload.bytes * part // whole


@dataclass(frozen=True)
class Upstream:
    """One workload behind the gateway."""

    workload: str
    host: str
    """DNS name with an address for every ready pod."""
    port: int
    replicas: int
    max_concurrency: int
    """Requests that one pod takes at once."""
    ready: str
    """Path that answers 200 when a pod can take requests."""
    twin: Twin | None = None

    @property
    def path(self) -> str:
        """Where it is reached, from the gateway's root; the Open Inference Protocol's own path."""
        return f"/v2/models/{self.workload}"

    @property
    def backend(self) -> str:
        """Its name in the configuration: no workload can be called like a part of it."""
        return f"model-{self.workload}"

    @property
    def tail_backend(self) -> str:
        """The same of its function twin."""
        return f"tail-{self.workload}"

    @property
    def queue(self) -> int:
        """Requests that may wait before the next is turned away."""
        return self.replicas * self.max_concurrency * QUEUED_PER_SLOT

    @property
    def held(self) -> int:
        """Requests that are under way at once, at most."""
        return self.replicas * self.max_concurrency + self.queue + (self.twin.copies if self.twin else 0)


def longest_seconds(patience: Duration) -> int:
    """The longest that a request is under way in the gateway: in the queue, then with a pod."""
    return _QUEUE_SECONDS + whole_seconds(patience)


def render(upstreams: Iterable[Upstream], port: int, patience: Duration, tail: Tail | None = None) -> str:
    """The configuration file. The same upstreams give the same text, whatever their order.

    `patience` is how long a pod may take to answer. A process that is being replaced lives as long, so that
    a new configuration ends no request either. `tail` is where the twins are; without it nobody has one.
    """
    served = sorted(upstreams, key=lambda upstream: upstream.workload)
    twins = [] if tail is None else [(each, each.twin, tail) for each in served if each.twin is not None]
    parts = [
        _global(served, patience),
        _defaults(patience),
        _frontend(served, port, tail),
        *map(_backend, served),
        *(_tail_backend(upstream, twin, tail) for upstream, twin, tail in twins),
        _NOWHERE,
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def connections(upstreams: Iterable[Upstream]) -> int:
    """Connections that the gateway takes: all that pods, twins and queues can hold, twice over.

    Each takes two of a process's open files, and HAProxy does not start if it may not open as many.
    """
    return max(_LEAST_CONNECTIONS, 2 * sum(upstream.held for upstream in upstreams))


def memory_mib(upstreams: Iterable[Upstream]) -> int:
    """Memory, in MiB, with which no connection that it takes ends it."""
    return _IDLE_MIB + math.ceil(connections(upstreams) * _CONNECTION_KIB / 1024)


def _problem(status: int, title: str, detail: str) -> str:
    """The arguments of `http-request return` and `http-error` for a problem document (RFC 9457)."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return f"status {status} content-type application/problem+json string '{body}'"


_RETRY: Final = 'hdr Retry-After "1"'
_BUSY: Final = _problem(503, "Service Unavailable", "every replica is busy and the queue is full")
_GONE: Final = _problem(503, "Service Unavailable", "no replica is ready")
_NO_TAIL: Final = _problem(503, "Service Unavailable", "no replica could take it, nor could its function")
_SLOW: Final = _problem(504, "Gateway Timeout", "the model did not answer in time")
_UNKNOWN: Final = _problem(404, "Not Found", "no model of the data plane is at this path")

# Numbers that HAProxy may write with a sign are quoted, or a line would be no JSON.
_LOG: Final = (
    '{"time":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]","request":"%[var(txn.id),json(utf8s)]",'
    '"caller":"%ci","method":"%HM","path":"%[var(txn.path),json(utf8s)]","backend":"%b","server":"%s",'
    '"status":%ST,"bytes":%B,"queue_ms":%Tw,"connect_ms":%Tc,"response_ms":%Tr,"total_ms":%Ta,'
    '"retries":"%rc","ended":"%ts"}'
)


def _defaults(patience: Duration) -> str:
    return f"""
defaults
    mode http
    log global
    option httplog
    option dontlognull
    option http-keep-alive
    option forwardfor
    # Whoever hung up while waiting is dropped, and takes no pod's time.
    option abortonclose
    # Only what never reached a server is tried again: inference is no operation to do twice.
    option redispatch 1
    retries 2
    retry-on conn-failure
    timeout connect 1s
    timeout client 75s
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout queue {_QUEUE_SECONDS}s
    timeout server {whole_seconds(patience)}s
    http-error {_GONE} {_RETRY}
    http-error {_SLOW}

resolvers cluster
.if defined(NAMESERVER)
    nameserver pod "${{NAMESERVER}}"
.else
    parse-resolv-conf
.endif
    accepted_payload_size 8192
    timeout resolve 1s
    timeout retry 1s
    hold valid 1s
    hold obsolete 2s
"""


_NOWHERE: Final = f"""
backend nowhere
    http-request return {_UNKNOWN}
"""


def _global(served: Iterable[Upstream], patience: Duration) -> str:
    return f"""
global
    log stdout format raw local0 info
    maxconn {connections(served)}
    hard-stop-after {longest_seconds(patience)}s
"""


def _frontend(served: Iterable[Upstream], port: int, tail: Tail | None) -> str:
    lines = [
        "frontend data",
        f'    bind "${{POD_IP}}:{port}"',
        f"    log-format '{_LOG}'",
        "    http-request set-header x-request-id %[uuid()] unless { req.hdr(x-request-id) -m found }",
        "    http-request set-var(txn.id) req.hdr(x-request-id)",
        "    http-request set-var(txn.path) path",
        "    http-after-response set-header x-request-id %[var(txn.id)] if { var(txn.id) -m found }",
        f"    http-request set-log-level silent if {{ path {HEALTH} }}",
        f"    http-request return status 200 content-type text/plain string ok if {{ path {HEALTH} }}",
    ]
    for upstream in served:
        if upstream.twin is not None and tail is not None:
            lines += _to_tail(upstream, upstream.twin, tail)
        named = f"{{ path {upstream.path} }} || {{ path_beg {upstream.path}/ }}"
        lines.append(f"    use_backend {upstream.backend} if {named}")
    return "\n".join([*lines, "    default_backend nowhere"])


def _to_tail(upstream: Upstream, twin: Twin, tail: Tail) -> Iterator[str]:
    """Before the rule that sends everything to pods: what its function twin takes."""
    at, pods, there = f"at-{upstream.workload}", upstream.backend, upstream.tail_backend
    yield f"    acl {at} path {upstream.path}"
    yield f"    acl {at} path_beg {upstream.path}/"
    takes = (
        f"{{ nbsrv({there}) gt 0 }} {{ be_conn({there}) lt {twin.copies} }}"
        f" {{ req.body_size le {tail.largest_body} }}"
    )
    yield f"    use_backend {there} if {at} {{ nbsrv({pods}) lt 1 }} {takes}"
    busy = f"{{ be_conn_free({pods}) lt 1 }} {{ queue({pods}) ge {twin.queue} }}"
    yield f"    use_backend {there} if {at} {busy} {takes}"


def _backend(upstream: Upstream) -> str:
    slots = upstream.replicas + _SURGE
    full = f"{{ queue({upstream.backend}) ge {upstream.queue} }}"
    return f"""
backend {upstream.backend}
    balance leastconn
    http-reuse safe
    option httpchk
    http-check send meth GET uri {upstream.ready} ver HTTP/1.1 hdr Host {upstream.workload}
    http-check expect status 200
    http-request return {_BUSY} {_RETRY} if {full}
    default-server inter 2s fastinter 250ms downinter 250ms fall 2 rise 1 maxconn {upstream.max_concurrency}
    server-template pod- {slots} {upstream.host}:{upstream.port} \
resolvers cluster resolve-prefer ipv4 init-addr none check
"""


def _tail_backend(upstream: Upstream, twin: Twin, tail: Tail) -> str:
    """The function twin, as the API that is in front of it. It is not asked for its health: that would be
    paid for, and keep a copy warm that nobody needs.
    """
    address = urlsplit(tail.url)
    host, port = address.hostname, address.port or _PORTS[address.scheme]
    # Of many APIs at one address each is known by name.
    verified = f" ssl verify required ca-file @system-ca sni str({host})" if address.scheme == "https" else ""
    return f"""
backend {upstream.tail_backend}
    http-error {_NO_TAIL} {_RETRY}
    http-request set-header Host {address.netloc}
    server function {host}:{port} maxconn {twin.copies}{verified} \
resolvers cluster resolve-prefer ipv4 init-addr none
"""
