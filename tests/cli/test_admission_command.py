"""`halfmetal admission` as it is typed: manifests that can be applied, or why there are none."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from components.spec import StackError
from sandbox.paths import REPO


def test_all_that_keeps_a_stack_to_its_rules_is_printed_each_after_what_it_rests_on():
    done = CliRunner().invoke(app, ["admission", "hybrid"])
    assert done.exit_code == 0, done.output
    found = list(yaml.safe_load_all(done.stdout))
    names = [each["metadata"]["name"] for each in found]
    assert found[0]["kind"] == "Namespace"
    assert "halfmetal-hybrid.jitter-budget" in names
    assert len(set(names)) == len(names)
    for index, each in enumerate(found):
        if each["kind"].endswith("Binding"):
            assert each["spec"]["policyName"] in names[:index]


def test_json_is_one_list_of_the_same():
    as_yaml = CliRunner().invoke(app, ["admission", "hybrid"]).stdout
    as_json = CliRunner().invoke(app, ["admission", "hybrid", "--json"]).stdout
    assert json.loads(as_json)["items"] == list(yaml.safe_load_all(as_yaml))


def test_a_stack_that_has_pulumi_make_none_can_have_them_by_other_means(tmp_path: Path):
    text = (REPO / "stacks" / "Pulumi.hybrid.yaml").read_text()
    file = tmp_path / "Pulumi.gitops.yaml"
    file.write_text(
        text.replace("    data_plane:\n", "    data_plane:\n      admission: {rules: disabled}\n", 1)
    )
    found = list(yaml.safe_load_all(CliRunner().invoke(app, ["admission", str(file)]).stdout))
    (figures,) = (
        each for each in found if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "deny"
    )
    assert figures["metadata"]["namespace"] == "halfmetal-gitops-admission"
    assert figures["data"]["jitter-budget.enforcement"] == "mandatory"


def test_a_stack_without_a_cluster_has_none():
    done = CliRunner().invoke(app, ["admission", "pure"])
    assert isinstance(done.exception, StackError)
    with pytest.raises(StackError, match="no cluster to keep to the rules"):
        raise done.exception
