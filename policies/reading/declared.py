"""What is read, said as data beside what reads it: of which property of which type which facts come.

The table in the documentation is made of it. A test takes every property away that is named here and looks
which facts change, and one looks what is read and not named: so neither can the table lie.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

Properties: TypeAlias = Mapping[str, tuple[str, ...]]
"""Facts by the property that they come from, like `template.containers[].resources`: `[]` is each item."""

CARRIED: Final = ("*",)
"""All facts: tags and annotations carry any."""

TAGS: Final[Properties] = {"tags": CARRIED, "tagsAll": CARRIED}


def under(path: str, properties: Properties) -> Properties:
    """The same properties of something that stands at a path."""
    return {f"{path}.{name}": facts for name, facts in properties.items()}
