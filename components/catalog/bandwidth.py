"""How fast an instance sends and receives: `12.5Gbit/s`."""

from typing import ClassVar

from components.spec.units import Quantity


class Bandwidth(Quantity):
    """A rate of data, in whole bits a second."""

    __slots__ = ()

    about = "a bandwidth"
    units: ClassVar[dict[str, int]] = {"Gbit/s": 10**9, "Mbit/s": 10**6, "kbit/s": 10**3, "bit/s": 1}
    aliases: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("gbps", "gbit", "gigabit"), "Gbit/s"),
        **dict.fromkeys(("mbps", "mbit", "megabit"), "Mbit/s"),
        **dict.fromkeys(("kbps", "kbit"), "kbit/s"),
        **{unit.lower(): unit for unit in ("Gbit/s", "Mbit/s", "kbit/s", "bit/s")},
    }
    bare_unit = "Gbit/s"
    step = "one bit a second"
    maximum = 100_000 * 10**9
    pattern = r"[0-9]{1,18}(?:\.[0-9]{1,9})?(?:[GMk]bit|bit)/s"
    examples = ("12.5Gbit/s", "750Mbit/s")

    @property
    def bytes_per_second(self) -> float:
        """Bytes a second."""
        return self.steps / 8
