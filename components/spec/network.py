"""The private network that the stack's own resources live in."""

from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Literal

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from components.spec.fields import Model, mistake

_WIDEST, _NARROWEST = 16, 28
_PRIVATE = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
_PATTERN = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/(1[6-9]|2[0-8])$"
_REMEDY = "write a private block from /16 to /28, like 10.20.0.0/16"


class _Block:
    """Pydantic's view of the address block of a VPC."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: object) -> dict[str, object]:
        return {"type": "string", "pattern": _PATTERN}

    @staticmethod
    def _read(value: object) -> IPv4Network:
        if isinstance(value, IPv4Network):
            block = value
        elif isinstance(value, str) and "/" in value:
            block = _parsed(value)
        else:
            raise mistake("is not an IPv4 address block", _REMEDY)
        if not _WIDEST <= block.prefixlen <= _NARROWEST:
            raise mistake("is not a size that a VPC can have, /16 to /28", _REMEDY)
        if not any(block.subnet_of(private) for private in _PRIVATE):
            raise mistake("is not in a private address range", _REMEDY)
        return block


def _parsed(text: str) -> IPv4Network:
    try:
        block = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise mistake("is not an IPv4 address block", _REMEDY) from None
    if str(block) != text:
        raise mistake("is not the start of its block", f"write {block}")
    return block


class Network(Model):
    """The VPC."""

    cidr: Annotated[IPv4Network, _Block] = Field(
        default=IPv4Network("10.20.0.0/16"),
        description="Address block of the VPC: private, /16 to /28. Every zone gets a public and a private "
        "subnet out of it. Default 10.20.0.0/16.",
        examples=["10.20.0.0/16"],
    )
    nat: Literal["none", "single", "per-zone"] = Field(
        default="none",
        description=(
            "NAT gateways for what leaves the private subnets: `none` (nothing leaves but over endpoints, so "
            "every image of the cluster comes from ECR), "
            "`single` (one, whose zone failing cuts off all zones) or `per-zone`. Each is billed by the "
            "hour and by the gigabyte. Default none."
        ),
        examples=["single"],
    )
