"""Where something stands in a stack file, written as one would in code: `workloads[2].needs.memory`."""

import re
from collections.abc import Iterator, Mapping, Sequence

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PARTS = re.compile(r"\[(?P<index>[0-9]+)\]|\[\"(?P<quoted>.*?)\"\]|(?P<key>[A-Za-z0-9_-]+)")


def inside(path: str, part: object) -> str:
    """The path of item or key `part` of what stands at `path`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    key = str(part)
    if _PLAIN_KEY.fullmatch(key) is None:
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def encloses(outer: str, path: str) -> bool:
    """Whether `path` is `outer` or within it."""
    return not outer or path == outer or path.startswith((f"{outer}.", f"{outer}["))


def outwards(path: str) -> Iterator[str]:
    """`path`, what it is in, and so on up to the whole."""
    yield path
    while path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
        yield path


def subject_of(path: str, raw: object) -> str:
    """Name of the named item (workload, pool, store) that `path` leads through, or nothing."""
    name = ""
    for part in _PARTS.finditer(path):
        raw = _step(raw, part)
        if part["index"] is not None and isinstance(raw, Mapping) and isinstance(raw.get("name"), str):
            name = raw["name"]
    return name


def position(path: str, raw: object) -> tuple[int, ...]:
    """Sorts paths in the order of the document; what is missing comes after what is there."""
    steps = []
    for part in _PARTS.finditer(path):
        key = part["key"] or part["quoted"]
        if part["index"] is not None:
            steps.append(int(part["index"]))
        elif isinstance(raw, Mapping):
            steps.append(next((at for at, each in enumerate(raw) if str(each) == key), len(raw)))
        raw = _step(raw, part)
    return tuple(steps)


def _step(raw: object, part: re.Match[str]) -> object:
    if part["index"] is not None:
        at = int(part["index"])
        return raw[at] if isinstance(raw, Sequence) and not isinstance(raw, str) and at < len(raw) else None
    return raw.get(part["key"] or part["quoted"]) if isinstance(raw, Mapping) else None
