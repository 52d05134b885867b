"""`halfmetal validate` and `halfmetal schema`, as one types them."""

import json
from pathlib import Path
from typing import get_args

import pytest
import typer
import yaml
from stack_examples import ABSENT, HYBRID, PURE, Raw, changed
from typer.testing import CliRunner, Result

import cli.schema
from cli.schema import schema
from cli.validate import validate
from components.placement import RULES
from components.spec.policies import RuleId

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(validate)
app.command()(schema)


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def written(folder: Path, stack: Raw) -> str:
    file = folder / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": {"halfmetal:stack": stack}}, sort_keys=False))
    return str(file)


GUARDED = {
    "control_plane.budget": HYBRID["control_plane"]["budget"],
    "workloads[0].placement": {"home": "function"},
}


def test_the_stack_files_here_are_right() -> None:
    result = run("validate")
    assert result.exit_code == 0, result.output
    assert "stacks/Pulumi.hybrid.yaml: ok" in result.output


def test_one_stack_by_name() -> None:
    assert run("validate", "pure").output.count("Pulumi.") == 1


def test_mistakes_are_told_with_line_and_remedy(tmp_path: Path) -> None:
    result = run("validate", written(tmp_path, changed(PURE, {"topology": "purr", "region": "mars"})))
    assert result.exit_code == 1
    assert "refused" in result.output
    assert "Pulumi.test.yaml:3: topology: 'purr' is not one of the choices" in result.output
    assert "did you mean pure?" in result.output
    assert "Pulumi.test.yaml:4: region" in result.output


def test_mistakes_as_json(tmp_path: Path) -> None:
    result = run("validate", "--json", written(tmp_path, changed(PURE, {"topology": "purr"})))
    assert result.exit_code == 1
    [file] = json.loads(result.output)["files"]
    [problem] = file["problems"]
    assert (file["ok"], problem["path"], problem["value"]) == (False, "topology", "purr")
    assert problem["location"].endswith("Pulumi.test.yaml:3")


def test_what_the_rules_refuse_is_told_too(tmp_path: Path) -> None:
    file = written(tmp_path, changed(PURE, {**GUARDED, "control_plane.guardrails.alarm": False}))
    result = run("validate", file)
    assert result.exit_code == 1
    assert "runaway-function (mandatory)" in result.output
    assert "remedy:" in result.output
    [told] = json.loads(run("validate", "--json", file).output)["files"]
    assert {finding["rule"] for finding in told["findings"]} == {"runaway-function"}
    assert all("Pulumi.test.yaml:" in finding["location"] for finding in told["findings"])


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param({"config_time": False}, id="rules left to the preview"),
        pytest.param({"rules": {"runaway-function": {"enforcement": "advisory"}}}, id="rule that only warns"),
    ],
)
def test_what_does_not_refuse_is_told_all_the_same(tmp_path: Path, policies: Raw) -> None:
    changes = {**GUARDED, "control_plane.guardrails.alarm": False, "policies": policies}
    result = run("validate", written(tmp_path, changed(PURE, changes)))
    assert result.exit_code == 0, result.output
    assert "runaway-function" in result.output


def test_threshold_that_no_rule_has(tmp_path: Path) -> None:
    rules = {"zone-capacity": {"no_such_threshold": "5ms"}}
    result = run("validate", written(tmp_path, changed(PURE, {**GUARDED, "policies.rules": rules})))
    assert result.exit_code == 1
    assert "Pulumi.test.yaml:" in result.output
    assert "policies.rules.zone-capacity.no_such_threshold" in result.output


def test_stack_that_does_not_exist() -> None:
    result = run("validate", "hybird")
    assert result.exit_code == 1
    assert "did you mean Pulumi.hybrid.yaml?" in result.output


def test_generated_files_are_written_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.schema, "REPO", tmp_path)
    monkeypatch.setattr(cli.schema, "SCHEMA", tmp_path / "stacks" / "halfmetal.schema.json")
    monkeypatch.setattr(cli.schema, "REFERENCE", tmp_path / "docs" / "stack-file.md")
    assert run("schema", "--check").exit_code == 1
    assert run("schema").exit_code == 0
    assert run("schema", "--check").output == "up to date\n"
    assert run("schema", "--stdout").output == cli.schema.SCHEMA.read_text()
    cli.schema.SCHEMA.write_text("{}")
    result = run("schema", "--check")
    assert result.exit_code == 1
    assert "stacks/halfmetal.schema.json" in result.output
    assert "docs/stack-file.md" not in result.output


def test_rules_that_a_stack_may_name_are_the_rules_there_are() -> None:
    assert set(get_args(RuleId)) == set(RULES)


def test_stack_without_budget_is_refused_by_the_rule_not_by_the_model(tmp_path: Path) -> None:
    result = run("validate", written(tmp_path, changed(HYBRID, {"control_plane.budget": ABSENT})))
    assert result.exit_code == 1
    assert "runaway-function" in result.output
