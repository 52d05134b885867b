"""`halfmetal admission`: what keeps a stack's namespace to its rules, for who applies it without Pulumi."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from cli.stacks import file_of

if TYPE_CHECKING:
    from components.placement import Placements


def admission(
    stack: Annotated[str, typer.Argument(help="Stack name, or path of a stack file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of YAML.")] = False,
) -> None:
    """Print the admission policies, bindings and figures that keep a stack's namespace to its rules."""
    found = _manifests(file_of(stack))
    if as_json:
        typer.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, indent=2))
    else:
        typer.echo(yaml.dump_all(found, Dumper=_Readable, sort_keys=False, width=_WIDTH), nl=False)


def _manifests(file: Path) -> list[dict[str, Any]]:
    from components.admission.manifests import manifests
    from components.admission.stack import governed, names
    from components.naming import root
    from components.placement import decide
    from components.spec import Problem, StackError, read_file

    placements: Placements = decide(read_file(file).stack())
    data_plane = placements.stack.data_plane
    if data_plane is None:
        raise StackError(
            [
                Problem(
                    "data_plane",
                    None,
                    "is missing, so there is no cluster to keep to the rules",
                    "name a hybrid or a dedicated stack",
                )
            ]
        )
    return manifests(names(data_plane, root(_name_of(file))), governed(data_plane, placements))


def _name_of(file: Path) -> str:
    """The stack's name, as Pulumi takes it from the name of its file."""
    return file.stem.removeprefix("Pulumi.")


_WIDTH = 100


class _Readable(yaml.SafeDumper):
    """Writes expressions of several lines as they are."""

    def ignore_aliases(self, _: object) -> bool:
        """Parts that are the same are written out each time: who reads one object has it before them."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)
