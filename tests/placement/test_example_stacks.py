"""The stack files of this repository: the examples keep every rule, and the wrong one breaks five of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from misplaced_example import BROKEN

from components import spec
from components.placement import RULES, Placements, decide

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))


def _decided(path: Path) -> Placements:
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
    return decide(spec.load(config["halfmetal:stack"]))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_keeps_every_rule_and_leaves_nothing_undecided(path: Path):
    placements = _decided(path)
    placements.raise_if_refused()
    assert placements.findings == ()
    assert placements.undecided == ()


def test_the_wrong_stack_breaks_the_rules_that_its_readme_names():
    placements = _decided(ROOT / "examples" / "misplaced" / "Pulumi.misplaced.yaml")
    assert {finding.rule for finding in placements.findings if finding.blocks} == set(BROKEN) <= set(RULES)
    with pytest.raises(spec.StackError) as error:
        placements.raise_if_refused()
    assert all(problem.remedy for problem in error.value.problems)
