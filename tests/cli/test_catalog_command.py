"""`halfmetal catalog`: what it shows, narrows down to, warns of, and brings in."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from typer.testing import CliRunner

from cli.catalog import FormatName
from cli.main import app, main
from components.catalog.importers import Format
from components.catalog.loading import DATA
from tests.catalog.price_lists import SKYPILOT
from tests.spec.stack_examples import HYBRID


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["catalog", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def _json(*arguments: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(_run("--json", *arguments))
    return shown


def test_every_figure_is_shown_with_what_it_rests_on():
    figures = _json()["figures"]
    assert len(figures) > 200
    for each in figures:
        assert all(each[key] for key in ("figure", "value", "as_of", "region", "confidence", "source")), each


@pytest.mark.parametrize(
    ("arguments", "figures"),
    [
        pytest.param(
            ("--only", "prices.network.nat"),
            {"prices.network.nat.hour", "prices.network.nat.data"},
            id="prefix",
        ),
        pytest.param(
            ("--only", "prices.instances.g6.xl", "--region", "us-west-2"),
            {"prices.instances.g6.xlarge.on_demand", "prices.instances.g6.xlarge.spot"},
            id="region",
        ),
        pytest.param(
            ("--only", "zones.p6", "--only", "accelerators.B200"),
            {"zones.p6-b200.48xlarge", "accelerators.B200"},
            id="two prefixes",
        ),
        pytest.param(("--only", "nothing.at.all"), set(), id="nothing"),
    ],
)
def test_what_is_shown_can_be_narrowed_down(arguments: tuple[str, ...], figures: set[str]):
    assert {each["figure"] for each in _json(*arguments)["figures"]} == figures


def test_a_table_for_people():
    shown = _run("--only", "prices.network", "--region", "us-east-1")
    assert "prices.network" in shown
    assert "cross_zone" in shown
    assert "4 figures for us-east-1" in shown


def test_old_figures_are_warned_of_among_those_that_are_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cli.catalog._today", lambda: date(2026, 11, 25))
    assert _json("--only", "prices.network", "--older-than", "3660d")["stale"] == []
    old = _json("--only", "latency.state.ten_megabytes", "--older-than", "30d")["stale"]
    assert [each["figures"] for each in old] == [["latency.state.ten_megabytes_cross_zone"]]
    assert "stale: latency.state.ten_megabytes_cross_zone is" in _run("--only", "latency.state.ten")


def test_what_is_not_known_for_a_region_is_said():
    lacking = _json("--region", "eu-central-1")["not_known"]
    assert "prices.network.nat.hour" in lacking
    assert "prices.instances.m7g.large.on_demand" in lacking
    assert "prices.instances.g6.xlarge.on_demand" not in lacking
    assert _json("--region", "us-east-1")["not_known"] == []
    said = _run("--only", "prices.network", "--region", "eu-central-1")
    assert "not known for eu-central-1: prices.network.cross_zone, " in said


def test_a_stacks_own_figures_are_shown_as_such(tmp_path: Path):
    own = {"value": "$0.61/h", "source": "our own agreement", "as_of": "2026-11-01"}
    stack = {**HYBRID, "catalog": {"prices.instances.g6.xlarge.on_demand": own}}
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(yaml.safe_dump({"config": {"halfmetal:stack": stack}}))
    only = ("--only", "prices.instances.g6.xlarge.on_demand", "--region", "us-east-1")
    (shown,) = _json(*only, "--stack", str(file))["figures"]
    assert (shown["value"], shown["confidence"], shown["source"]) == ("$0.61/h", "configured", own["source"])


def test_a_refresh_shows_what_changes_and_writes_nothing(tmp_path: Path):
    file = tmp_path / "vms.csv"
    file.write_text(SKYPILOT)
    shown = _run("refresh", "--from", str(file), "--region", "us-east-1", "--as-of", "2026-12-02")
    assert "$0.8048/h" in shown
    assert "$0.90/h" in shown
    assert "0 new, 3 changed, 0 confirmed, 0 older" in shown
    assert "nothing is written without --write" in shown
    assert not (DATA / "imports").exists()


def test_a_refresh_writes_where_it_is_told(tmp_path: Path):
    file, directory = tmp_path / "vms.csv", tmp_path / "data"
    file.write_text(SKYPILOT)
    shutil.copytree(DATA, directory)
    shown = _run("refresh", "--from", str(file), "--as-of", "2026-12-02", "--write", str(directory))
    written = directory / "imports" / "2026-12-02-skypilot-aws.yaml"
    assert f"wrote {written}" in shown.replace("\n", "")
    batches = yaml.safe_load(written.read_text())
    assert {batch["region"] for batch in batches} == {"us-east-1", "eu-central-1"}


def test_a_bad_file_ends_in_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    file = tmp_path / "list.csv"
    file.write_text("a,b\n")
    monkeypatch.setattr("sys.argv", ["halfmetal", "catalog", "refresh", "--from", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "is no price list that can be imported" in said


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--older-than", "long"], id="no duration"),
        pytest.param(["refresh", "--from", "x", "--as-of", "soon"], id="no day"),
        pytest.param(["refresh", "--from", "x", "--format", "xml"], id="no format"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(arguments: list[str]):
    assert CliRunner().invoke(app, ["catalog", *arguments]).exit_code == 2


def test_the_command_names_every_format():
    assert set(get_args(FormatName)) == set(Format)
