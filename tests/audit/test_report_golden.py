"""The mixed example in every form, compared to the letter with tests/audit/golden.

After a change that is meant: HALFMETAL_GOLDEN=write pytest tests/audit/test_report_golden.py, and look at the
difference before it is committed.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mixed_example import FOLDER, planned
from rich.console import Console

from cli.audit.tables import print_audit
from policies.audit.outcome import Outcome
from policies.audit.reports import as_json, junit, markdown, page, sarif

GOLDEN = Path(__file__).parent / "golden"


def table(width: int) -> Callable[[Outcome], str]:
    def printed(outcome: Outcome) -> str:
        out = io.StringIO()
        print_audit(Console(file=out, width=width, highlight=False), outcome)
        return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"

    return printed


FORMS: dict[str, Callable[[Outcome], str]] = {
    "table-80.txt": table(80),
    "table-200.txt": table(200),
    "report.json": as_json.report,
    "report.sarif": sarif.report,
    "report.xml": junit.report,
    "report.md": markdown.report,
    "report.html": page.report,
}


@pytest.mark.parametrize("name", FORMS)
def test_golden(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(FOLDER)
    said = FORMS[name](planned())
    file = GOLDEN / name
    if os.environ.get("HALFMETAL_GOLDEN") == "write":
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


def test_no_secret_is_in_any():
    for file in GOLDEN.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "never-to-be-seen" not in text
        assert "ciphertext" not in text


def test_every_form_has_its_golden_file():
    assert {file.name for file in GOLDEN.iterdir()} == set(FORMS)
