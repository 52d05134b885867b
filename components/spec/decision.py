"""What is asked of the choice of homes and nodes where the stack file leaves it open."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from components.spec.control_plane import by_the_month
from components.spec.fields import Model, mistake
from components.spec.units import Money, Share

_ALL: Final = Share.parse("100%")


def _leaves_some(headroom: Share) -> Share:
    if headroom >= _ALL:
        raise mistake("leaves nothing to work with", "write less than 100%, like 20%")
    return headroom


class Decision(Model):
    """How what the stack file leaves open is chosen: topology, homes, pools, replicas, nodes."""

    headroom: Annotated[Share, AfterValidator(_leaves_some)] | None = Field(
        default=None,
        description=(
            "Share of what replicas can take at once that is kept free in the busiest minute, where their "
            "number is decided. Below 100%. Default: the catalog's, guidance.capacity.headroom."
        ),
        examples=["20%"],
    )
    stickiness: Share | None = Field(
        default=None,
        description=(
            "Share of what a workload costs today that moving it must save; for another topology, of all "
            "that the stack costs. Default: the catalog's, guidance.capacity.stickiness."
        ),
        examples=["10%"],
    )
    budget: Annotated[Money, AfterValidator(by_the_month)] | None = Field(
        default=None,
        description=(
            "What all that has a price here may cost a month; what cannot be had for it is an error. Default"
            " no limit."
        ),
        examples=["$900/month"],
    )
    current: Literal["pure", "hybrid", "dedicated"] | None = Field(
        default=None,
        description=(
            "The topology that is deployed, as `halfmetal plan --keep` writes it; `topology: auto` leaves it "
            "only for one that saves enough (stickiness). Default: none is."
        ),
        examples=["hybrid"],
    )
