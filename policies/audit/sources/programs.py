"""What only running a program would tell: source of Terraform, Helm, Kustomize, CDK and Pulumi.

An audit runs nothing that it finds. It says what is there, and how its owner has it rendered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from policies.audit.sources.kustomize import FILES as KUSTOMIZATIONS


@dataclass(frozen=True, slots=True)
class Program:
    """A kind of source that has to be run before it can be read."""

    called: str
    files: tuple[str, ...]
    """Patterns of the file names that it is known by."""
    remedy: str
    hides: tuple[str, ...] = ()
    """Folders beside such a file that hold only what is to be rendered."""
    rendered: str = ""
    """The folder beside it that holds what it was rendered to: where there is one, that is read."""


PROGRAMS: Final = (
    Program(
        "Terraform source",
        ("*.tf", "*.tofu", "*.tf.json"),
        "audit what it plans: terraform plan -out=plan && terraform show -json plan > plan.json",
    ),
    Program(
        "a Helm chart",
        ("Chart.yaml",),
        "helm template {folder} | halfmetal audit -",
        hides=("templates", "charts"),
    ),
    Program(
        "Kustomize source",
        KUSTOMIZATIONS,
        "kubectl kustomize {folder} | halfmetal audit -",
    ),
    Program(
        "a CDK application", ("cdk.json",), "cdk synth, then audit the folder cdk.out", rendered="cdk.out"
    ),
    Program(
        "a Pulumi program",
        ("Pulumi.yaml", "Pulumi.yml"),
        "halfmetal audit stack:NAME in its folder, or audit the file of pulumi stack export",
    ),
)
HELM_TEMPLATE: Final = "helm template CHART | halfmetal audit -"
"""For a template that stands alone."""


def known_by(name: str) -> Program | None:
    """The kind of source that a file of this name belongs to."""
    return next(
        (program for program in PROGRAMS if any(fnmatchcase(name, each) for each in program.files)), None
    )


def in_folder(folder: Path, names: list[str]) -> Iterator[tuple[Program, Path]]:
    """Each kind of source in a folder, with the first of its files."""
    for program in PROGRAMS:
        first = next((name for name in names if any(fnmatchcase(name, each) for each in program.files)), None)
        if first is not None:
            yield program, folder / first
