"""What an EKS bearer token is: `k8s-aws-v1.` and a presigned STS GetCallerIdentity URL in base64.

The name of the cluster is a signed header of that request (`x-k8s-aws-id`) and not part of the URL: whoever
verifies the token supplies the name, and the signature fits only if it is the right one.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
# The presigned URL says 60 s; EKS accepts the token for 15 minutes, as clients cache it for that long.
VALIDITY = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=5)
_LONGEST = 16384
_SCOPE_PARTS = 5


@dataclass(frozen=True)
class EksToken:
    """One token's presigned request, taken apart; nothing of it is verified yet."""

    host: str
    path: str
    query: dict[str, list[str]]
    access_key: str
    date: str
    region: str
    service: str
    signed_at: datetime
    signed_headers: str
    signature: str
    session_token: str | None

    def is_current(self, now: datetime) -> bool:
        """Whether it was signed in the last 15 minutes (and not in the future)."""
        return -CLOCK_SKEW <= now - self.signed_at <= VALIDITY


class NotATokenError(ValueError):
    """A bearer token that EKS did not make; the message says what is wrong with it."""


def parse(token: str) -> EksToken:
    """Take a token apart. Raises NotATokenError."""
    query, host, path = _presigned(token)
    scope = _one(query, "X-Amz-Credential").split("/")
    if len(scope) != _SCOPE_PARTS or scope[3:] != ["sts", "aws4_request"]:
        raise NotATokenError("its credential scope is not that of an STS request")
    if _one(query, "Action") != "GetCallerIdentity":
        raise NotATokenError("it is not a GetCallerIdentity request")
    signed_headers = _one(query, "X-Amz-SignedHeaders").lower()
    if not {"host", CLUSTER_HEADER} <= set(signed_headers.split(";")):
        raise NotATokenError(f"host and {CLUSTER_HEADER} are not among its signed headers")
    try:
        signed_at = datetime.strptime(_one(query, "X-Amz-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise NotATokenError("its date cannot be read") from None
    session = query.get("X-Amz-Security-Token")
    return EksToken(
        host=host,
        path=path,
        query=query,
        access_key=scope[0],
        date=scope[1],
        region=scope[2],
        service=scope[3],
        signed_at=signed_at,
        signed_headers=signed_headers,
        signature=_one(query, "X-Amz-Signature"),
        session_token=session[0] if session else None,
    )


def _presigned(token: str) -> tuple[dict[str, list[str]], str, str]:
    if not token.startswith(PREFIX) or len(token) > _LONGEST:
        raise NotATokenError(f"it does not begin with {PREFIX}")
    encoded = token.removeprefix(PREFIX)
    try:
        url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii"))
    except (ValueError, binascii.Error):
        raise NotATokenError("it is not a URL in base64") from None
    return parse_qs(url.query, keep_blank_values=True), url.netloc, url.path or "/"


def _one(query: dict[str, list[str]], name: str) -> str:
    values = query.get(name, [])
    if len(values) != 1 or not values[0]:
        raise NotATokenError(f"{name} is missing or repeated")
    return values[0]
