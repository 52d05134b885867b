"""A package that loads its modules when they are asked for.

A package that gathers the names of its modules makes whoever needs one of them wait for all. The packages
here are large, and most commands need little of them. So such a package imports its names for the type
checker alone (`if TYPE_CHECKING:`), and ends with

    __getattr__ = lazily(__name__, __file__)

which reads those imports, and does each the first time that its name is asked for.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_GUARD: Final = "TYPE_CHECKING"


def lazily(package: str, file: str) -> Callable[[str], Any]:
    """What a package's `__getattr__` is to be."""
    origins: dict[str, tuple[str, str]] = {}

    def found(name: str) -> Any:
        if not origins:
            origins.update(_imported(Path(file).read_text(encoding="utf-8")))
        if name not in origins:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, own = origins[name]
        value = getattr(import_module(module), own)
        setattr(sys.modules[package], name, value)
        return value

    return found


def _imported(source: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each name that is imported for the type checker, with its module and its name there."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == _GUARD:
            for each in node.body:
                if isinstance(each, ast.ImportFrom) and each.module is not None:
                    for alias in each.names:
                        yield alias.asname or alias.name, (each.module, alias.name)
