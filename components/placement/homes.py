"""The four places a workload can run."""

from enum import StrEnum


class Home(StrEnum):
    """Where a workload runs."""

    FUNCTION = "function"
    """AWS Lambda on demand."""

    RESERVED_FUNCTION = "reserved-function"
    """AWS Lambda kept warm: provisioned concurrency, or Lambda Managed Instances."""

    POOL = "pool"
    """A shared pool of managed nodes."""

    METAL = "metal"
    """Dedicated or bare-metal nodes."""

    @property
    def is_function(self) -> bool:
        """True for the homes whose capacity the cloud runs and bills by the request."""
        return self in (Home.FUNCTION, Home.RESERVED_FUNCTION)

    @property
    def described(self) -> str:
        """The home as a phrase for a sentence."""
        return _PHRASES[self]


_PHRASES = {
    Home.FUNCTION: "an on-demand function",
    Home.RESERVED_FUNCTION: "a reserved function",
    Home.POOL: "a shared pool",
    Home.METAL: "metal",
}
