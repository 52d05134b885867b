"""The table of types beside the SDK of Pulumi's AWS provider: every name in it is one that the SDK has."""

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from policies.audit.sources.types import TYPES, Type, camel

pytestmark = pytest.mark.slow

_LISTED = re.compile(r"Sequence\['outputs\.\w+'\]")
_INNER = re.compile(r"outputs\.(\w+)")


@cache
def _sdk() -> Path:
    found = importlib.util.find_spec("pulumi_aws")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


@cache
def _classes() -> dict[str, tuple[str, str]]:
    """The module and class of every type token."""
    text = (_sdk() / "__init__.py").read_text(encoding="utf-8")
    modules = json.loads(text.partition('resource_modules="""')[2].partition('"""')[0])
    return {token: (each["fqn"], name) for each in modules for token, name in each["classes"].items()}


@cache
def _tree(path: Path) -> dict[str, ast.ClassDef]:
    parsed = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in parsed.body if isinstance(node, ast.ClassDef)}


def _getters(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Each property of a class: its name in Pulumi's words and its type."""
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.returns is not None:
            for each in map(ast.unparse, function.decorator_list):
                if each.startswith("pulumi.getter"):
                    named = re.search(r"name='(\w+)'", each)
                    yield named[1] if named else function.name, ast.unparse(function.returns)


@cache
def _class(token: str) -> tuple[Path, ast.ClassDef]:
    module, name = _classes()[token]
    folder = _sdk().joinpath(*module.split(".")[1:])
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", token.partition("/")[2].partition(":")[0]).lower()
    return folder, _tree(folder / f"{snake}.py")[name]


@cache
def _properties(token: str) -> dict[str, set[str]]:
    """Every property of a type and of what is in it, with the types it has at the places it is at."""
    folder, node = _class(token)
    waiting, seen = [node], set()
    found: dict[str, set[str]] = {}
    while waiting:
        node = waiting.pop()
        if node.name not in seen:
            seen.add(node.name)
            for property_name, kind in _getters(node):
                found.setdefault(property_name, set()).add(kind)
                waiting += [_tree(folder / "outputs.py")[inner] for inner in _INNER.findall(kind)]
    return found


AWS = [each for each in TYPES if each.pulumi.startswith("aws:")]


def _named(of: Type) -> Iterator[tuple[str, str]]:
    """Every name of Pulumi's in a row of the table, with the type that it is of."""
    own = [of.called, *of.terraform_names.values(), *of.lists.values()]
    own += [*of.cloudformation_names.values(), *of.moved.values(), *of.as_text]
    yield from ((of.pulumi, name) for name in own if name)
    for part in of.parts:
        yield from ((part.pulumi, name) for name in (*part.names.values(), *part.carried.values()))


@pytest.mark.parametrize("of", AWS, ids=lambda of: of.pulumi)
def test_every_name_is_one_that_the_sdk_has(of: Type) -> None:
    unknown = [name for token, name in _named(of) if name not in _properties(token)]
    assert unknown == []


@pytest.mark.parametrize("of", [of for of in AWS if of.terraform], ids=lambda of: of.pulumi)
def test_every_list_of_objects_stands_in_the_table(of: Type) -> None:
    """A list that does not is taken for a single block as soon as it has one item."""
    own = dict(_getters(_class(of.pulumi)[1]))
    listed = {name for name, kind in own.items() if _LISTED.search(kind)}
    assert listed - set(of.lists.values()) == set()
    kinds = _properties(of.pulumi)
    single = {
        name
        for name, types in kinds.items()
        if all(_INNER.search(kind) and not _LISTED.search(kind) for kind in types)
    }
    assert single & set(of.lists.values()) == set()


@pytest.mark.parametrize("of", TYPES, ids=lambda of: of.pulumi)
def test_what_the_house_style_says_stands_in_no_row(of: Type) -> None:
    assert [name for name, theirs in of.terraform_names.items() if camel(name) == theirs] == []


def test_no_type_stands_in_two_rows() -> None:
    for name in ("pulumi", "terraform", "cloudformation"):
        named = [getattr(each, name) for each in TYPES if getattr(each, name)]
        assert len(named) == len(set(named))
