"""Packages that load their modules when they are asked for, and a command that loads what it needs."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from components.lazily import lazily

PACKAGES = (
    "components.catalog",
    "components.placement",
    "components.placement.cost",
    "components.report",
    "components.spec",
)
STATE = '{"version": 3, "deployment": {"resources": []}}'
LOADED = """
import sys
from cli.main import app
app(["audit", "state.json"], standalone_mode=False)
print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there(package: str):
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_each_can_be_the_first_that_is_loaded(package: str):
    first = f"import {package} as it; [getattr(it, name) for name in it.__all__]"
    subprocess.run([sys.executable, "-c", first], check=True)


def test_a_name_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "lazy_here.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from components.lazily import lazily\n"
        "if TYPE_CHECKING:\n"
        "    from json import dumps as written\n"
        "__getattr__ = lazily(__name__, __file__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("lazy_here")
    assert "written" not in vars(module)
    assert module.written([1]) == "[1]"
    assert "written" in vars(module)
    assert callable(lazily("lazy_here", str(tmp_path / "lazy_here.py"))("written"))


def test_an_audit_loads_what_it_needs(tmp_path: Path):
    (tmp_path / "state.json").write_text(STATE)
    ran = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stderr.split())
    heavy = {"boto3", "grpc", "kubernetes", "numpy", "ortools", "pulumi", "pulumi_policy", "scipy", "simpy"}
    ours = {"components.spec.stack", "components.placement.decision", "sandbox.lifecycle", "sandbox.engine"}
    assert not loaded & (heavy | ours)
