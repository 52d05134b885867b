"""What the host tells the user when it cannot do what was asked."""


class HostError(Exception):
    """A mistake or a gap the user can act on. The message says where, what and what to do; no traceback."""
