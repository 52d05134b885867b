"""A Pulumi stack file as its author sees it: which file, which line, and what in it cannot be read at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from components.spec.errors import Problem, StackError
from components.spec.places import inside, outwards
from components.spec.reading import load
from components.spec.stack import Stack
from components.spec.suggestions import choose, closest_key
from components.spec.yaml_source import Document, UnreadableError, read

PROJECT: Final = "halfmetal"
_CONFIG: Final = "config"
_REGION_OF_PROVIDER: Final = "aws:region"


@dataclass(frozen=True)
class StackFile:
    """One stack file that could be read: its platform as plain data, and the line of everything in it."""

    path: Path
    mapping: Mapping[str, object]
    """What stands under `<project>:stack`."""
    document: Document
    root: str
    """Path of `mapping` in the document."""

    def stack(self) -> Stack:
        """The validated stack; raises `StackError` with the line of each problem."""
        problems = [self._twice(path) for path in self.document.twice]
        stack = None
        try:
            stack = load(self.mapping)
        except StackError as error:
            problems += [replace(problem, location=self.locate(problem.path)) for problem in error.problems]
        if all(problem.path != "region" for problem in problems):
            problems += self._regions()
        if stack is None or problems:
            raise StackError(problems)
        return stack

    def locate(self, path: str) -> str:
        """File and line of a path in the stack, `stacks/Pulumi.hybrid.yaml:41`, or of what lacks it."""
        joined = self.root + (f".{path}" if path and not path.startswith("[") else path)
        return _located(self.path, self._line(joined))

    def _line(self, path: str) -> int:
        return next((self.document.lines[at] for at in outwards(path) if at in self.document.lines), 1)

    def _twice(self, path: str) -> Problem:
        shown = path.removeprefix(self.root).removeprefix(".")
        return Problem(
            shown,
            None,
            "is written more than once, and only the last one would count",
            "keep one of them",
            location=_located(self.path, self._line(path)),
        )

    def _regions(self) -> list[Problem]:
        provider = self.document.value[_CONFIG].get(_REGION_OF_PROVIDER)
        region = self.mapping.get("region")
        if provider is None or not isinstance(region, str) or provider == region:
            return []
        return [
            Problem(
                "region",
                region,
                f"is not where the AWS provider works, {_REGION_OF_PROVIDER} {provider}",
                f"write the same region in both, or leave {_REGION_OF_PROVIDER} out",
                location=self.locate("region"),
            )
        ]


def load_file(path: str | Path, project: str = PROJECT) -> Stack:
    """The validated stack of a Pulumi stack file; raises `StackError` with file and line of each problem."""
    return read_file(path, project).stack()


def read_file(path: str | Path, project: str = PROJECT) -> StackFile:
    """A Pulumi stack file as plain data; raises `StackError` where there is none to be had."""
    file = Path(path)
    document = _document(file)
    key = f"{project}:stack"
    config = _config(file, document.value, key)
    root = inside(_CONFIG, key)
    if key not in config:
        near = closest_key(key, [str(each) for each in config]) or ""
        meant = f"did you mean {key} where {near} stands?" if near else f"add `{key}:` under `config:`"
        raise _fault(file, document.lines.get(_CONFIG, 1), f"has no {key}", meant)
    mapping = config[key]
    if not isinstance(mapping, Mapping):
        raise _no_mapping(file, document.lines.get(root, 1), key, mapping)
    return StackFile(file, mapping, document, root)


def _document(file: Path) -> Document:
    try:
        return read(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _missing(file) from None
    except OSError as error:
        raise _fault(file, 0, f"cannot be read: {error.strerror}", "name a stack file that can") from None
    except UnicodeDecodeError:
        raise _fault(file, 0, "is not UTF-8 text", "save it as UTF-8") from None
    except UnreadableError as error:
        raise _fault(file, error.line, f"is not YAML: {error}", "correct the YAML at that line") from None


def _missing(file: Path) -> StackError:
    others = sorted(file.parent.glob("Pulumi.*.yaml")) if file.parent.is_dir() else []
    names = [other.name for other in others]
    return _fault(file, 0, "does not exist", choose(file.name, names, "write one, or name another folder"))


def _config(file: Path, whole: object, key: str) -> Mapping[str, Any]:
    remedy = f"add `{_CONFIG}:` with the key {key} under it"
    if whole is None:
        raise _fault(file, 0, "is empty", remedy)
    if not isinstance(whole, Mapping) or not isinstance(whole.get(_CONFIG), Mapping):
        raise _fault(file, 0, f"is no Pulumi stack file: it has no keys under `{_CONFIG}:`", remedy)
    config: Mapping[str, Any] = whole[_CONFIG]
    return config


def _no_mapping(file: Path, line: int, key: str, value: object) -> StackError:
    if isinstance(value, str):
        return _fault(
            file, line, f"has text under {key}", "write the stack as YAML keys, not as text or JSON"
        )
    return _fault(file, line, f"has no keys under {key}", "write topology, region, zones and workloads there")


def _fault(file: Path, line: int, message: str, remedy: str) -> StackError:
    return StackError([Problem("", None, message, remedy, location=_located(file, line))])


def _located(file: Path, line: int) -> str:
    shown = file
    if file.is_absolute() and file.is_relative_to(Path.cwd()):
        shown = file.relative_to(Path.cwd())
    return f"{shown}:{line}" if line else str(shown)
