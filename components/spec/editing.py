"""Changes keys of a stack file in its text, so that its comments, order and layout stay.

The marks of the YAML nodes say where each value stands; only those characters are replaced, and new keys go
below (or, in braces, behind) what is there. Whether the outcome says what it should, and nothing else than
before, is then read back from it: a layout that cannot be edited in place (a value shared by an alias) is
refused rather than guessed at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from components.spec.yaml_source import UnreadableError, read

Key = str | int

_WIDEST: Final = 118
_STEP: Final = 2


class NotEditableError(Exception):
    """Why a change cannot be made in place."""


@dataclass(frozen=True)
class _Edit:
    """A stretch of the text, and what takes its place."""

    start: int
    end: int
    text: str


def edited(text: str, path: Sequence[Key], changes: Mapping[str, object | None]) -> str:
    """`text` with keys of the mapping at `path` changed, or the mapping made where only it is missing.

    A value is a scalar or a list of scalars; `None` removes the key. Keys that say the same already keep
    their spelling. Raises NotEditableError, and UnreadableError for a text that is no YAML.
    """
    before = read(text).value
    there = _at(before, path[:-1])
    present = there.get(path[-1]) if isinstance(there, dict) else None
    wanted = dict(present) if isinstance(present, dict) else {}
    real = {key: value for key, value in changes.items() if wanted.get(key) != value}
    for key, value in real.items():
        if value is None:
            wanted.pop(key, None)
        else:
            wanted[key] = value
    if not real:
        return text
    after = _applied(text, _edits(text, path, real, wanted))
    _verify(before, after, path, wanted)
    return after


def _verify(before: Any, after: str, path: Sequence[Key], wanted: Mapping[str, object]) -> None:
    """That the new text says what was wanted, and otherwise what the old one said."""
    expected = _unshared(before)
    _at(expected, path[:-1])[path[-1]] = dict(wanted)
    try:
        same = read(after).value == expected
    except UnreadableError:
        same = False
    if not same:
        raise NotEditableError("its layout (an alias, an anchor or a merged key) does not allow it")


def _unshared(value: Any) -> Any:
    """A copy in which no two places are one object, as those of an alias are."""
    if isinstance(value, dict):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def _at(value: Any, path: Sequence[Key]) -> Any:
    for step in path:
        value = value[step]
    return value


def _applied(text: str, edits: Sequence[_Edit]) -> str:
    for edit in sorted(edits, key=lambda each: (each.start, each.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _edits(
    text: str, path: Sequence[Key], changes: Mapping[str, object | None], wanted: Mapping[str, object]
) -> list[_Edit]:
    parent = _node(text, path[:-1])
    pair = next((pair for pair in parent.value if pair[0].value == path[-1]), None)
    newline = "\r\n" if "\r\n" in text else "\n"
    if pair is None:
        return [_added_mapping(text, parent, str(path[-1]), wanted, newline)]
    value = pair[1]
    if value.start_mark.index < pair[0].end_mark.index:
        raise NotEditableError("it is an alias of something written elsewhere")
    if not isinstance(value, yaml.MappingNode) or not value.value:
        return [_Edit(*_span(value), _padded(text, value, _braces(wanted)))]
    if value.flow_style:
        return list(_in_braces(text, value, changes, newline))
    return list(_in_block(text, value, changes, newline))


def _node(text: str, path: Sequence[Key]) -> yaml.MappingNode:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next((inner for key, inner in node.value if key.value == step), None)
    if not isinstance(node, yaml.MappingNode):
        raise NotEditableError("what it belongs to is no set of keys")
    return node


def _span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _padded(text: str, value: yaml.Node, new: str) -> str:
    """With a space before it where an empty value left none."""
    return new if text[value.start_mark.index - 1 : value.start_mark.index].isspace() else f" {new}"


# --- a mapping in braces


def _in_braces(
    text: str, mapping: yaml.MappingNode, changes: Mapping[str, object | None], newline: str
) -> Iterator[_Edit]:
    pairs = mapping.value
    kept = [key.value for key, _ in pairs if key.value not in changes or changes[key.value] is not None]
    for at, (key, value) in enumerate(pairs):
        if key.value not in changes:
            continue
        new = changes[key.value]
        if new is not None:
            yield _Edit(*_span(value), _spelled(new))
        else:
            yield _removed_from_braces(pairs, at)
    added = {
        key: new for key, new in changes.items() if new is not None and all(k.value != key for k, _ in pairs)
    }
    if not added:
        return
    end = pairs[-1][1].end_mark
    lead = ", " if kept else ""
    indent = " " * (_indent_of_line(text, mapping.start_mark.index) + _STEP)
    column = _column(text, end.index)
    pieces = []
    for key, new in added.items():
        piece = f"{key}: {_spelled(new)}"
        if lead and column + len(lead) + len(piece) > _WIDEST:
            pieces.append(f",{newline}{indent}{piece}")
            column = len(indent) + len(piece)
        else:
            pieces.append(f"{lead}{piece}")
            column += len(lead) + len(piece)
        lead = ", "
    yield _Edit(end.index, end.index, "".join(pieces))


def _removed_from_braces(pairs: Sequence[tuple[yaml.Node, yaml.Node]], at: int) -> _Edit:
    """With the comma before it; the first goes with the comma after it."""
    key, value = pairs[at]
    if at:
        return _Edit(pairs[at - 1][1].end_mark.index, value.end_mark.index, "")
    end = pairs[1][0].start_mark.index if len(pairs) > 1 else value.end_mark.index
    return _Edit(key.start_mark.index, end, "")


# --- a mapping of lines


def _in_block(
    text: str, mapping: yaml.MappingNode, changes: Mapping[str, object | None], newline: str
) -> Iterator[_Edit]:
    pairs = {key.value: (key, value) for key, value in mapping.value}
    for name, new in changes.items():
        if name not in pairs:
            continue
        key, value = pairs[name]
        if new is None:
            yield _Edit(_line_start(text, key.start_mark.index), _line_end(text, _last(text, value)), "")
        else:
            start, end = value.start_mark.index, _last(text, value)
            yield _Edit(start, max(start, end), _padded(text, value, _spelled(new)))
    added = {key: new for key, new in changes.items() if new is not None and key not in pairs}
    indent = " " * mapping.start_mark.column
    lines = "".join(f"{indent}{key}: {_spelled(new)}{newline}" for key, new in added.items())
    if lines:
        yield _below(text, _last(text, mapping.value[-1][1]), lines, newline)


def _added_mapping(
    text: str, parent: yaml.MappingNode, key: str, wanted: Mapping[str, object], newline: str
) -> _Edit:
    """The whole mapping below the last key of its parent, or behind it."""
    last = _last(text, parent.value[-1][1])
    if parent.flow_style:
        return _Edit(last, last, f", {key}: {_braces(wanted)}")
    indent = " " * parent.start_mark.column
    lines = [f"{indent}{key}:", *(f"{indent}  {name}: {_spelled(new)}" for name, new in wanted.items())]
    return _below(text, last, "".join(f"{line}{newline}" for line in lines), newline)


def _below(text: str, index: int, lines: str, newline: str) -> _Edit:
    """Lines after the one that `index` is in."""
    end = _line_end(text, index)
    unended = end == len(text) and not text.endswith("\n")
    return _Edit(end, end, f"{newline}{lines.removesuffix(newline)}" if unended else lines)


def _last(text: str, node: yaml.Node) -> int:
    """Where what a node says ends: a collection of lines is said to end where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        inner = node.value[-1]
        return _last(text, inner[1] if isinstance(inner, tuple) else inner)
    start, end = _span(node)
    return start + len(text[start:end].rstrip())


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _column(text: str, index: int) -> int:
    return index - _line_start(text, index)


def _indent_of_line(text: str, index: int) -> int:
    line = text[_line_start(text, index) :]
    found = re.match(r"[ -]*", line)
    return len(found[0]) if found else 0


def _braces(values: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {_spelled(value)}" for key, value in values.items()) + "}"


def _spelled(value: object) -> str:
    """A scalar or a list of them, on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_spelled(each) for each in value)}]"
    shown = yaml.safe_dump(value, width=10_000, allow_unicode=True, default_flow_style=True)
    return shown.removesuffix("\n").removesuffix("...").strip()
