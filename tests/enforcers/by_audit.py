"""`halfmetal audit` over real files: states of Pulumi and of Terraform, CloudFormation templates, manifests.

One run is over everything that is asked by the same figures. A stack with a budget and one without are files
of their own, as nothing else would tell which function is of which.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer
import yaml
from asked import TODAY, Group
from carriers import (
    BUDGETED,
    CALLED,
    FUNCTIONS,
    MANIFESTS,
    NODES,
    ON_CLOUD_RUN,
    ON_SAGEMAKER,
    PODS,
    Carrier,
    Made,
    subject_name,
)
from rule_case import Case
from said import NOTHING, Said, Says
from typer.testing import CliRunner
from written import (
    cloudformation_name,
    cloudformation_template,
    manifests,
    pulumi_state,
    terraform_name,
    terraform_state,
)

import cli.audit
from tests.spec.stack_examples import PURE, changed

_STATUSES: Final = {
    "refused": Says.REFUSED,
    "advised against": Says.ADVISED_AGAINST,
    "undecided": Says.UNDECIDED,
    "waived": Says.WAIVED,
}


@dataclass(frozen=True)
class Source:
    """A kind of file, and what it can carry."""

    id: str
    suffix: str
    carriers: tuple[Carrier, ...]
    written: Callable[[Iterable[Made], str], str]
    """Resources of one stack, by its name."""
    called: Callable[[Made], str]
    """What the audit calls a resource of such a file."""
    is_whole: bool = False
    """Whether a file is a whole stack, in which no budget is none."""

    def shows(self, case: Case) -> bool:
        """Whether what a case is about can be seen. That a stack has no budget, no part of it can show."""
        return self.is_whole or case.rule != "runaway-function" or bool(case.facts.budget)

    def file(self, stack: str) -> str:
        return f"{self.id}-{stack}.{self.suffix}"


SOURCES: Final = (
    Source(
        "pulumi",
        "json",
        (FUNCTIONS, CALLED, ON_CLOUD_RUN, ON_SAGEMAKER, PODS, NODES),
        pulumi_state,
        lambda made: made.name,
        is_whole=True,
    ),
    Source(
        "terraform",
        "tfstate",
        (FUNCTIONS, PODS, NODES),
        lambda made, _: terraform_state(made),
        terraform_name,
    ),
    Source(
        "cloudformation",
        "json",
        (FUNCTIONS, NODES),
        lambda made, _: cloudformation_template(made),
        cloudformation_name,
    ),
    Source(
        "kubernetes",
        "yaml",
        (MANIFESTS,),
        lambda made, _: manifests(made),
        lambda made: f"{made.props['metadata']['namespace']}/{made.name}",
    ),
)

_STACKS: Final = {"frugal": True, "spendthrift": False}
"""Stacks, and whether they have a budget."""


def said(group: Group, folder: Path) -> dict[tuple[str, str, str], Said]:
    """What an audit of everything says, by source, carrier and name of what was asked."""
    stack_file = folder / "Pulumi.models.yaml"
    stack = changed(PURE, {"policies": group.policies})
    stack_file.write_text(yaml.safe_dump({"config": {"halfmetal:stack": stack}}), encoding="utf-8")
    subjects: dict[tuple[str, str], tuple[tuple[str, str, str], str]] = {}
    for source in SOURCES:
        for name, budget in _STACKS.items():
            file = folder / source.file(name)
            made = list(_made(source, group, subjects, str(file), budget=budget))
            file.write_text(source.written(made, name), encoding="utf-8")
    report = _run(folder, stack_file)
    assert not report["unread"], report["unread"]
    found = dict.fromkeys((key for key, _ in subjects.values()), NOTHING)
    for finding in report["findings"]:
        subject = subjects.get((finding["location"]["file"], finding["resource"]["name"]))
        if subject is not None and subject[1] == finding["rule"]:
            found[subject[0]] = _said(finding)
    return found


def _made(
    source: Source,
    group: Group,
    subjects: dict[tuple[str, str], tuple[tuple[str, str, str], str]],
    file: str,
    *,
    budget: bool,
) -> Iterator[Made]:
    """The resources of a file; the subjects among them are added to those that are known by file and name."""
    for carrier in source.carriers:
        yield from carrier.around
        for each in group.asked:
            if not carrier.carries(each.case) or not source.shows(each.case):
                continue
            if bool(each.case.facts.budget) == budget:
                subject, *beside = carrier.make(each.case.facts, subject_name(carrier, each.name))
                key = (source.id, carrier.id, each.name)
                subjects[file, source.called(subject)] = (key, each.case.rule)
                yield subject
                yield from beside
    if budget and FUNCTIONS in source.carriers:
        yield BUDGETED


def _run(folder: Path, stack_file: Path) -> dict[str, Any]:
    app = typer.Typer()
    app.command()(cli.audit.audit)
    sources = [str(path) for path in sorted(folder.iterdir()) if path != stack_file]
    arguments = [*sources, "--stack", str(stack_file), "--json", "--today", TODAY.isoformat()]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def _said(finding: Mapping[str, Any]) -> Said:
    expired = finding["expired_waiver"] is not None
    stops = finding["enforcement"] == "mandatory" and finding["status"] == "refused"
    text = f"{finding['reason']} {finding['remedy']}"
    return Said(_STATUSES[finding["status"]], stops, text, expired)
