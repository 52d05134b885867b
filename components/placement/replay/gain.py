"""What a function twin is worth to a pool, and what has been measured of such twins before.

A twin changes two things at once, what is paid and who is late, so each is compared with the other held:

- *at the same promise*: the cheapest sizes with and without it, both of which hold the budget: how much less
  is paid;
- *for the same money*: the size with it, and the most replicas without it that cost no more: how many fewer
  requests are late. (With the same nodes, and the twin's bill on top, even more would be; that is no fair
  comparison, and is not made.)

Spock (J. R. Gunasekaran et al., "Spock: Exploiting Serverless Functions for SLO and Cost Aware Resource
Procurement in Public Cloud", IEEE CLOUD 2019, pp. 199-208) sends to functions what finds no free virtual
machine, and reports up to 33 % less cost and up to 74 % fewer misses than virtual machines alone. It is not
the same measurement. There both numbers are the best of several traces and policies, and not of one run; the
machines there are started and stopped as load comes and goes, a few minutes late; here they are as many all
month, so that a pool without a twin is as large as its worst minutes ask for.
"""

from dataclasses import dataclass
from typing import Final

from components.placement.replay.playing import Player, Size, Trial


@dataclass(frozen=True, slots=True)
class Anchor:
    """What someone else reports."""

    source: str
    less_cost: float
    fewer_misses: float


SPOCK: Final = Anchor("Spock, IEEE CLOUD 2019", 0.33, 0.74)


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """What a twin is worth."""

    twin: Trial
    """The cheapest size with a twin that holds the budget."""
    alone: Trial
    """The same without."""
    same_money: Trial | None
    """The largest size without a twin that costs no more than the one with it; None where none costs so
    little."""

    @property
    def is_used(self) -> bool:
        """Whether anything goes to the twin at all."""
        return bool(self.twin.seen.spilled_share)

    @property
    def less_cost(self) -> float:
        """Part of the dollars that is saved at the same promise."""
        return 1 - self.twin.total / self.alone.total

    @property
    def fewer_misses(self) -> float | None:
        """Part of the misses that is avoided for the same money; None where there are none to avoid."""
        if self.same_money is None or not self.same_money.over:
            return None
        return 1 - self.twin.over.fraction / self.same_money.over.fraction


def gain(player: Player, twin: Trial, alone: Trial) -> Gain:
    """What a twin is worth. `player` is the way's without it, whose cheapest size that holds is `alone`."""
    least = player.way.least
    counts = range(alone.size.count, least - 1, -1)
    affordable = next((count for count in counts if player.floor(count) <= twin.total), None)
    return Gain(twin, alone, None if affordable is None else player.play(Size(affordable)))
