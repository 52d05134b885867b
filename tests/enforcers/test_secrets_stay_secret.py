"""Whatever is secret in a source, wherever in it, no report of an audit tells it, and nothing fails.

Sources are made of the rules' own cases, so that there is something to tell of them; any part of any property
is hidden in turn, in every way that the source has. Some of them end before they should.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

import pytest
import yaml
from asked import TODAY, waivers
from carriers import BUDGETED, FUNCTIONS, MANIFESTS, NODES, PODS, Carrier, Hidden, Made
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rule_cases import CASES
from written import (
    cloudformation_template,
    encrypted,
    manifests,
    opened,
    pulumi_state,
    shown,
    terraform_plan,
    terraform_shown,
    terraform_state,
)

import policies.audit.reports
from cli.audit.tables import print_audit
from components.catalog import load as load_catalog
from components.placement import Waivers, settle
from policies.audit.baseline import written as baseline
from policies.audit.findings import Terms, audit
from policies.audit.outcome import Outcome
from policies.audit.plan import plan
from policies.audit.sources import SourceError, gather

WORD: Final = "hunter2"
NUMBER: Final = 86_753_099
TOLD: Final = (WORD, str(NUMBER), f"{NUMBER:,}")

_OF_AWS: Final = (FUNCTIONS, NODES)
SOURCES: Final[Mapping[str, tuple[tuple[Carrier, ...], Callable[[list[Made]], str], str]]] = {
    "a state of Pulumi": ((*_OF_AWS, PODS), lambda made: pulumi_state(made, "prod"), "json"),
    "a state of Pulumi with its secrets shown": (
        (*_OF_AWS, PODS),
        lambda made: pulumi_state(made, "prod", opened, opened),
        "json",
    ),
    "a state of Pulumi whose provider told a secret": (
        (*_OF_AWS, PODS),
        lambda made: pulumi_state(made, "prod", encrypted, shown),
        "json",
    ),
    "a state of Terraform": ((*_OF_AWS, PODS), terraform_state, "tfstate"),
    "a state of Terraform as it is shown": ((*_OF_AWS, PODS), terraform_shown, "json"),
    "a plan of Terraform": ((*_OF_AWS, PODS), terraform_plan, "json"),
    "a template of CloudFormation": (_OF_AWS, cloudformation_template, "yaml"),
    "manifests of Kubernetes": ((MANIFESTS,), lambda made: f"{_SECRETS}---\n{manifests(made)}", "yaml"),
}
_KEPT: Final = {"password": WORD, "number": str(NUMBER)}
_APPLIED: Final = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"stringData":{{"a":"{WORD}"}}}}'}
_SECRETS: Final = yaml.safe_dump(
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys", "annotations": _APPLIED},
        "data": _KEPT,
        "stringData": _KEPT,
    }
)

TERMS: Final = Terms(settle(load_catalog(), {}), Waivers(waivers(), TODAY), load_catalog(), "us-east-1")


def table(outcome: Outcome) -> str:
    out = io.StringIO()
    print_audit(Console(file=out, width=200), outcome)
    return out.getvalue()


FORMS: Final[Mapping[str, Callable[[Outcome], str]]] = {
    "table": table,
    "baseline": lambda outcome: baseline(outcome.audit.findings),
    **{
        name: import_module(f"policies.audit.reports.{name}").report
        for name in ("as_json", "sarif", "junit", "markdown", "page")
    },
}


def test_every_form_is_looked_at():
    modules = (each.name for each in iter_modules(policies.audit.reports.__path__))
    reports = {name for name in modules if hasattr(import_module(f"policies.audit.reports.{name}"), "report")}
    assert reports <= FORMS.keys()


Place = tuple[str | int, ...]

SHOWN: Final = (":workload", "/workload", ":ties", "/ties", "memorySize", "timeout", "replicas")
"""Ends of properties whose value is told wherever it is known, so that a secret there would be seen."""


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where there is something in a value, itself aside."""
    if at:
        yield at
    if isinstance(value, Mapping | list):
        for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from places(each, (*at, key))


def hidden(value: Any, at: Place, secret: Hidden) -> Any:
    """A value with a secret at a place, unless there is one around it."""
    if not at:
        return secret
    step, *rest = at
    if isinstance(value, Mapping):
        return {
            key: hidden(each, tuple(rest), secret) if key == step else each for key, each in value.items()
        }
    if isinstance(value, list):
        return [
            hidden(each, tuple(rest), secret) if index == step else each for index, each in enumerate(value)
        ]
    return value


@st.composite
def texts(draw: st.DrawFn, source: str) -> str:
    """A source with secrets, whole or not."""
    carriers, write, _ = SOURCES[source]
    carrier = draw(st.sampled_from(carriers))
    cases = draw(st.lists(st.sampled_from([case for case in CASES if carrier.carries(case)]), max_size=3))
    made = [*carrier.around, BUDGETED] if carrier in _OF_AWS else list(carrier.around)
    for number, case in enumerate(cases):
        facts = replace(case.facts, workload="chat", ties=("sqs",))
        made += carrier.make(facts, f"c{number}-waived")
    everywhere = [(number, at) for number, each in enumerate(made) for at in places(each.props)]
    telling = [(number, at) for number, at in everywhere if str(at[-1]).endswith(SHOWN)]
    chosen = st.sampled_from(everywhere) | (st.sampled_from(telling) if telling else st.nothing())
    for number, at in draw(st.lists(chosen, max_size=12)):
        secret = Hidden(draw(st.sampled_from((WORD, NUMBER))))
        made[number] = replace(made[number], props=hidden(made[number].props, at, secret))
    text = write(made)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 4)) == 0 else text


@given(source=st.sampled_from(sorted(SOURCES)), data=st.data())
def test_no_report_tells_a_secret(source: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory):
    tells_none(source, data, tmp_path_factory.mktemp("secret"))


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@given(st.data())
def test_no_report_of_any_source_tells_a_secret(
    source: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    tells_none(source, data, tmp_path_factory.mktemp("secret"))


def tells_none(source: str, data: st.DataObject, folder: Path) -> None:
    file = folder / f"source.{SOURCES[source][2]}"
    file.write_text(data.draw(texts(source)), encoding="utf-8")
    for form, text in everything_told_of(file).items():
        for secret in TOLD:
            assert secret not in text, form


def everything_told_of(file: Path) -> Mapping[str, str]:
    """What every form says of a file, by form; or the one error that is told of it."""
    try:
        gathered = gather([str(file)])
    except SourceError as error:
        return {"error": str(error)}
    found = audit(gathered, TERMS.settings, TERMS.waivers)
    outcome = Outcome(found, plan=plan(found.findings, gathered, TERMS))
    return {form: report(outcome) for form, report in FORMS.items()}
