"""Bundles: the same contents give the same zip, once, whole, and none that Lambda would refuse."""

import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.catalog import load as load_catalog
from components.control_plane import bundle as bundling
from components.control_plane.bundle import Bundle, bundle
from components.spec import Memory, StackError


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one function that needs no library."""
    app = tmp_path / "fn" / "app"
    app.mkdir(parents=True)
    (tmp_path / "fn" / "bundle.toml").write_text('sources = ["app", "main.py"]\n')
    (tmp_path / "fn" / "main.py").write_text("import app\n")
    (app / "__init__.py").write_text("")
    (app / "data.txt").write_text("x" * 1000)
    (app / "__pycache__").mkdir()
    (app / "__pycache__" / "old.pyc").write_text("stale")
    return tmp_path


def build(repo: Path) -> Bundle:
    return bundle("fn", root=repo)


def test_holds_the_sources_and_nothing_else(repo: Path):
    with zipfile.ZipFile(build(repo).path) as archive:
        assert archive.namelist() == ["app/__init__.py", "app/data.txt", "main.py"]


def test_is_the_same_to_the_byte_wherever_and_whenever_it_is_made(repo: Path):
    first = build(repo)
    first.path.unlink()
    (repo / "fn" / "main.py").touch()
    assert build(repo).sha256 == first.sha256


def test_is_made_once(repo: Path, monkeypatch: pytest.MonkeyPatch):
    made = build(repo)

    def never(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(bundling, "_made", never)
    assert build(repo) == made


def test_a_changed_source_makes_another(repo: Path):
    first = build(repo)
    (repo / "fn" / "main.py").write_text("import app  # changed\n")
    assert build(repo).path != first.path


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.unlink(), id="the zip is gone"),
        pytest.param(lambda path: path.write_bytes(b"half"), id="the zip was cut short"),
        pytest.param(
            lambda path: path.with_suffix(".json").write_text("{"), id="what is known of it is torn"
        ),
    ],
)
def test_one_that_is_damaged_is_made_again(repo: Path, damage: Callable[[Path], object]):
    whole = build(repo)
    damage(whole.path)
    assert build(repo) == whole
    assert zipfile.ZipFile(whole.path).testzip() is None


def test_a_build_that_dies_leaves_nothing_that_looks_whole(repo: Path, monkeypatch: pytest.MonkeyPatch):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(bundling, "_write_whole", die)
        build(repo)
    assert list(repo.glob("build/bundles/.making-*")) == []
    assert zipfile.ZipFile(build(repo).path).testzip() is None


def test_many_at_once_make_it_once(repo: Path, monkeypatch: pytest.MonkeyPatch):
    made, real = [], bundling._zip
    monkeypatch.setattr(bundling, "_zip", lambda *args: (made.append(1), real(*args)))
    threads = [threading.Thread(target=build, args=(repo,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


@dataclass(frozen=True)
class Mistake:
    manifest: str | None
    says: str
    runtime: str = "python3.11"


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(Mistake(None, "has no bundle.toml"), id="no manifest"),
        pytest.param(Mistake("sources = [", "cannot be read"), id="no TOML"),
        pytest.param(Mistake('source = ["app"]', "with source"), id="a key that is none"),
        pytest.param(Mistake('sources = "app"', "no list of paths"), id="no list"),
        pytest.param(Mistake('sources = ["nowhere"]', "names fn/nowhere"), id="a source that is not there"),
        pytest.param(
            Mistake('requirements = ["r.txt"]', "names r.txt"), id="requirements that are not there"
        ),
        pytest.param(Mistake("sources = []", "runtime nodejs22.x", "nodejs22.x"), id="another language"),
    ],
)
def test_a_mistake_says_what_and_what_instead(repo: Path, mistake: Mistake):
    manifest = repo / "fn" / "bundle.toml"
    manifest.unlink()
    if mistake.manifest is not None:
        manifest.write_text(mistake.manifest)
    with pytest.raises(StackError) as caught:
        bundle("fn", mistake.runtime, root=repo)
    (problem,) = caught.value.problems
    assert mistake.says in problem.message
    assert problem.remedy


def test_one_that_lambda_would_refuse_names_what_is_large(repo: Path):
    limit = load_catalog().limits.function.package_unzipped.value
    with (repo / "fn" / "app" / "model.bin").open("wb") as weights:
        weights.truncate(limit.bytes)
    with pytest.raises(StackError) as caught:
        build(repo)
    assert "over Lambda's 250MiB; largest: app 250 MiB" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("size", "through_s3"), [("50MiB", False), ("51MiB", True)], ids=["sent directly", "goes through S3"]
)
def test_the_way_to_lambda_depends_on_the_size(size: str, through_s3: bool):  # noqa: FBT001 - a table's column
    assert Bundle(Path("x.zip"), "00", Memory.parse(size).bytes, 0).goes_through_s3 is through_s3


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("**/tests/**", "numpy/linalg/tests/test_x.py", True),
        ("**/tests/**", "tests/x.py", True),
        ("**/tests/**", "numpy/testsuite/x.py", False),
        ("bin/**", "bin/uvicorn", True),
        ("bin/**", "numpy/bin/x", False),
        ("*.dist-info/RECORD", "numpy-2.dist-info/RECORD", True),
        ("**/*.pyi", "numpy/core.pyi", True),
    ],
)
def test_exclude_patterns(pattern: str, name: str, matches: bool):  # noqa: FBT001 - a table's column
    assert bundling._matches(name, [pattern]) is matches
