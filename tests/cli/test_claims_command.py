"""`halfmetal claims` as it is read by people and by programs."""

import json

import typer
from typer.testing import CliRunner

import cli.claims


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(cli.claims.claims)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_each_claim_beside_what_comes_out_today():
    told = json.loads(run("--json"))
    assert len(told["claims"]) == 3
    for claim in told["claims"]:
        assert claim["reckoned"]
        assert claim["verdict"].startswith("holds" if claim["agrees"] else "differs")
    shown = run()
    for claim in told["claims"]:
        assert claim["says"] in shown
        assert claim["verdict"][:40] in shown
