"""YAML read as the engine reads a stack file, with the line of everything in it.

`14d`, `2026-01-01`, `yes` and `off` are text, and a key that is written twice is told rather than one of the
two silently chosen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from components.spec.places import inside

_SCALARS: Final = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    "merge": r"<<",
}


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of JSON, and nothing that runs."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), None)


class UnreadableError(Exception):
    """Text that is no YAML document; `line` counts from 1 and is 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Document:
    """What a YAML document says, and where."""

    value: Any
    lines: dict[str, int]
    """Path → line, counted from 1."""
    twice: tuple[str, ...]
    """Paths of keys that are written more than once."""


def read(text: str) -> Document:
    """The one document in `text`; raises `UnreadableError`."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            survey = _Survey()
            if node is not None:
                survey.visit(node, "")
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(str(error.problem or error.context), mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableError(str(error).partition("\n")[0]) from None
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    return Document(value, survey.lines, tuple(survey.twice))


class _Survey:
    """Notes the line of each path. A node that is used again by an alias is entered once only."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.twice: list[str] = []
        self._entered: set[int] = set()

    def visit(self, node: yaml.Node, path: str) -> None:
        """Notes what is in `node`, which stands at `path`."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._entered:
            return
        self._entered.add(id(node))
        for inner, part, line in _parts(node):
            here = inside(path, part)
            if here in self.lines and isinstance(node, yaml.MappingNode):
                self.twice.append(here)
            self.lines[here] = line
            self.visit(inner, here)


def _parts(node: yaml.Node) -> Iterator[tuple[yaml.Node, int | str, int]]:
    """What a collection holds: each value with its key or index, and its line."""
    if isinstance(node, yaml.SequenceNode):
        for at, inner in enumerate(node.value):
            yield inner, at, inner.start_mark.line + 1
    elif isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                yield inner, key.value, key.start_mark.line + 1
