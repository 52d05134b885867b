"""What API Gateway sends to an HTTP_PROXY integration: plain functions over strings, no emulator."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

_VARIABLE = re.compile(r"\{([^{}]+)\}")
# The emulator hands over decoded paths in which only %25 is still an escape: `%` stays as it is.
_SAFE = "/%:@!$&'()*+,;=~"
# Between two neighbours only, never forwarded (RFC 9110, 7.6.1); Host and length belong to the new request.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_REWRITTEN = frozenset({"host", "content-length"})


@dataclass(frozen=True)
class Target:
    """What a request asked for, after its route was found and its parameters were mapped."""

    path: str
    """Decoded, except that %25 stays; overwritten by parameter mapping if `overwritten`."""
    query: str = ""
    """As it is to be sent."""
    stage: str = "$default"
    route_key: str = "$default"
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The route's path parameters."""
    overwritten: bool = False


def fill_variables(uri: str, parameters: Mapping[str, str]) -> str:
    """The integration URI with `{name}` replaced by the route's path parameters.

    A name that the route does not have is left as it is.
    """

    def value(match: re.Match[str]) -> str:
        return quote(parameters[match[1]], safe=_SAFE) if match[1] in parameters else match[0]

    return _VARIABLE.sub(value, uri)


def public_url(uri: str, target: Target) -> str:
    """The URL of an integration over the internet.

    The integration URI is the whole target: its variables are filled in and the request's path is not
    appended, except for the `$default` route, which has no variables and passes every path on. A path that
    parameter mapping overwrites replaces the URI's own.
    """
    scheme, authority, path, query, _ = urlsplit(fill_variables(uri, target.parameters))
    if target.overwritten:
        path = quote(target.path, safe=_SAFE)
    elif target.route_key == "$default":
        path = path.rstrip("/") + quote(target.path, safe=_SAFE)
    joined = "&".join(part for part in (query, target.query) if part)
    return urlunsplit((scheme, authority, path or "/", joined, ""))


def private_url(authority: str, target: Target) -> str:
    """The URL of an integration through a VPC link: the request's own path, whole.

    A stage that is not `$default` is part of that path, unless parameter mapping overwrites it.
    """
    prefix = "" if target.overwritten or target.stage == "$default" else f"/{target.stage}"
    return urlunsplit(("http", authority, quote(prefix + target.path, safe=_SAFE), target.query, ""))


def query_string(
    mapped: Mapping[str, Sequence[str]], original: Mapping[str, Sequence[str]], raw: str | None
) -> str:
    """The query to send: byte for byte what the client sent, unless parameter mapping changed it."""
    if raw is not None and {**mapped} == {**original}:
        return raw
    return urlencode([(name, value) for name, values in mapped.items() for value in values])


def forwarded_headers(
    headers: Mapping[str, str], *, host: str, client: str, keep_host: bool = False
) -> dict[str, str]:
    """Request headers for the integration: end-to-end ones, plus the `Forwarded` that HTTP APIs add."""
    dropped = _HOP_BY_HOP | _named_by_connection(headers.get("connection", "")) | _REWRITTEN
    kept = {name: value for name, value in headers.items() if name.lower() not in dropped}
    if keep_host:
        kept["host"] = headers.get("host", host)
    proto = headers.get("x-forwarded-proto", "http")
    hop = f"by={host};for={client};host={headers.get('host', host)};proto={proto}"
    previous = headers.get("forwarded")
    kept["forwarded"] = f"{previous}, {hop}" if previous else hop
    return kept


def returned_headers(items: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Response headers for the client: end-to-end ones, repeated ones joined except cookies."""
    pairs = list(items)
    connection = ",".join(value for name, value in pairs if name.lower() == "connection")
    dropped = _HOP_BY_HOP | _named_by_connection(connection) | {"content-length"}
    headers: dict[str, str | list[str]] = {}
    names: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() in dropped:
            continue
        seen = names.setdefault(name.lower(), name)
        held = headers.get(seen)
        if name.lower() == "set-cookie":
            headers[seen] = [*held, value] if isinstance(held, list) else [value]
        else:
            headers[seen] = f"{held}, {value}" if isinstance(held, str) else value
    return headers


def _named_by_connection(value: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in value.split(",") if name.strip())
