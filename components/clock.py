"""What day it is: the same for everybody who asks at one moment, wherever they are.

A day is one in UTC, as it is for an API server, which compares times as it writes them. So what ends with a
day ends everywhere at once: in a preview, in an audit and in a cluster.
"""

from datetime import UTC, date, datetime


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()
