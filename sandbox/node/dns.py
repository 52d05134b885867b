"""The cluster's DNS, for the processes that are pods here.

Answers `SERVICE.NAMESPACE.svc.cluster.local` with the ready endpoints' addresses as they are on this machine,
`HOSTNAME.SERVICE…` with one endpoint's, and SRV for `_PORT._tcp.SERVICE…`. A headless service's name means
exactly that in any cluster; a service with a cluster address, which nothing here routes to, gets the same.
A name under `localhost`, which APIs of the emulator have, is this machine (RFC 6761, 6.3). Others outside the
cluster's domain are refused: a resolver asks its next server.
"""

import asyncio
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dnslib import EDNS0, QTYPE, RCODE, RR, SRV, A, DNSError, DNSHeader, DNSLabel, DNSRecord

from sandbox.node.endpoints import Endpoint, Endpoints

logger = logging.getLogger(__name__)
DOMAIN: Final = ("cluster", "local")
_LOCALHOST = "localhost"
_LOOPBACK = "127.0.0.1"
_TTL_S = 5
_PLAIN_UDP = 512
_LENGTH = struct.Struct("!H")
_IDLE_S = 30.0
_SERVICE_LABELS = 2  # SERVICE.NAMESPACE, before svc


@dataclass(frozen=True)
class Name:
    """A name below svc.cluster.local, taken apart."""

    service: str
    namespace: str
    hostname: str = ""
    port: str = ""
    """Of an SRV name: `_PORT._PROTOCOL` before the service."""


def parse(labels: tuple[str, ...]) -> Name | None:
    """A name's parts; None for one that no service can have."""
    inside = labels[: -len(DOMAIN)]
    if not inside or inside[-1] != "svc" or len(inside) <= _SERVICE_LABELS:
        return None
    *front, service, namespace, _ = inside
    match front:
        case []:
            return Name(service, namespace)
        case [port, protocol] if port.startswith("_") and protocol == "_tcp":
            return Name(service, namespace, port=port.removeprefix("_"))
        case [hostname]:
            return Name(service, namespace, hostname=hostname)
    return None


class Zone:
    """The answers: endpoints and known services in, records out."""

    def __init__(self, endpoints: Endpoints, exists: Callable[[str, str], bool]) -> None:
        """`exists` says whether there is a service of this namespace and name."""
        self._endpoints = endpoints
        self._exists = exists

    def answer(self, request: DNSRecord) -> DNSRecord:
        """The reply to one query."""
        reply = request.reply()
        reply.header.ra = 0
        question = request.q
        labels = tuple(label.decode("latin-1").lower() for label in question.qname.label)
        if labels[-1:] == (_LOCALHOST,):
            if QTYPE.get(question.qtype) in {"A", "ANY"}:
                reply.add_answer(RR(question.qname, QTYPE.A, rdata=A(_LOOPBACK), ttl=_TTL_S))
            return reply
        if labels[-len(DOMAIN) :] != DOMAIN:
            reply.header.rcode = RCODE.REFUSED
            return reply
        reply.header.aa = 1
        name = parse(labels)
        if name is None or not self._exists(name.namespace, name.service):
            reply.header.rcode = RCODE.NXDOMAIN
            return reply
        for record in self._records(question.qname, QTYPE.get(question.qtype), name):
            reply.add_answer(record)
        return reply

    def _records(self, qname: DNSLabel, qtype: str, name: Name) -> list[RR]:
        ready = self._endpoints.ready(name.namespace, name.service)
        if name.hostname:
            ready = [each for each in ready if name.hostname in {each.hostname, _dashed(each)}]
        if qtype == "SRV":
            return self._services(qname, name, ready)
        if qtype in {"A", "ANY"} and not name.port:
            addresses = sorted({each.address for each in ready})
            return [RR(qname, QTYPE.A, rdata=A(address), ttl=_TTL_S) for address in addresses]
        return []

    def _services(self, qname: DNSLabel, name: Name, ready: list[Endpoint]) -> list[RR]:
        suffix = f"{name.service}.{name.namespace}.svc.{'.'.join(DOMAIN)}"
        return [
            RR(
                qname,
                QTYPE.SRV,
                rdata=SRV(0, 100, number, f"{each.hostname or _dashed(each)}.{suffix}"),
                ttl=_TTL_S,
            )
            for each in ready
            for port, number in each.ports
            if name.port in {"", port}
        ]


def _dashed(endpoint: Endpoint) -> str:
    return endpoint.address.replace(".", "-")


def respond(zone: Zone, query: bytes, *, stream: bool) -> bytes:
    """The bytes to send for the bytes received; nothing for what is no query."""
    try:
        request = DNSRecord.parse(query)
    except (DNSError, IndexError, UnicodeError):
        return _malformed(query)
    if request.header.qr or not request.questions:
        return b""
    reply = zone.answer(request)
    limit = _payload_size(request)
    if limit > _PLAIN_UDP:
        reply.add_ar(EDNS0(udp_len=limit))
    packed: bytes = reply.pack()
    if not stream and len(packed) > limit:
        packed = reply.truncate().pack()
    return packed


def _payload_size(request: DNSRecord) -> int:
    sizes = [int(record.rclass) for record in request.ar if record.rtype == QTYPE.OPT]
    return max([_PLAIN_UDP, *sizes])


def _malformed(query: bytes) -> bytes:
    if len(query) < _LENGTH.size:
        return b""
    (number,) = _LENGTH.unpack_from(query)
    packed: bytes = DNSRecord(DNSHeader(id=number, qr=1, rcode=RCODE.FORMERR)).pack()
    return packed


class Server:
    """Serves a zone over UDP and TCP on one port of loopback."""

    def __init__(self, zone: Zone, address: str, port: int) -> None:
        """Listens only once started."""
        self._zone = zone
        self._address, self._port = address, port
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. TCP comes last: whoever can connect may rely on everything else."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._zone), local_addr=(self._address, self._port)
        )
        self._tcp = await asyncio.start_server(self._stream, self._address, self._port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                prefix = await asyncio.wait_for(reader.readexactly(_LENGTH.size), _IDLE_S)
                query = await asyncio.wait_for(reader.readexactly(*_LENGTH.unpack(prefix)), _IDLE_S)
                answer = respond(self._zone, query, stream=True)
                writer.write(_LENGTH.pack(len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            # The client has what it wanted, or went away.
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what asyncio passes here
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = respond(self._zone, data, stream=False)
        if answer and self._transport is not None:
            self._transport.sendto(answer, addr)
