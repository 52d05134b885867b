"""Packages of code: the same content is the same zip, wherever it comes from."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from sandbox.aws.provider.archives import content_of, zipped
from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.values import Archive, Asset


def names(package: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return opened.namelist()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "src"
    (root / "lib" / "__pycache__").mkdir(parents=True)
    (root / "app.py").write_text("print('app')")
    (root / "lib" / "util.py").write_text("x = 1")
    (root / "lib" / "__pycache__" / "util.pyc").write_bytes(b"\0")
    tool = root / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    return root


def test_a_directory_is_packed_in_order_and_without_leftovers(source: Path) -> None:
    assert names(zipped(Archive("path", str(source)))) == ["app.py", "lib/util.py", "tool"]


def test_time_and_place_do_not_matter(source: Path, tmp_path: Path) -> None:
    first = zipped(Archive("path", str(source)))
    moved = source.rename(tmp_path / "elsewhere")
    os.utime(moved / "app.py", (0, 0))
    assert zipped(Archive("path", str(moved))) == first


def test_programs_stay_programs(source: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(Archive("path", str(source))))) as opened:
        modes = {entry.filename: entry.external_attr >> 16 for entry in opened.infolist()}
    assert modes == {"app.py": 0o644, "lib/util.py": 0o644, "tool": 0o755}


def test_a_zip_is_taken_as_it_is(source: Path, tmp_path: Path) -> None:
    package = tmp_path / "p.zip"
    package.write_bytes(zipped(Archive("path", str(source))))
    assert zipped(Archive("path", str(package))) == package.read_bytes()
    assert zipped(Archive("uri", package.as_uri())) == package.read_bytes()


def test_a_tar_becomes_a_zip(source: Path, tmp_path: Path) -> None:
    package = tmp_path / "p.tar.gz"
    with tarfile.open(package, "w:gz") as tar:
        tar.add(source / "app.py", "./app.py")
    assert names(zipped(Archive("path", str(package)))) == ["app.py"]


def test_assets_and_archives_nest(source: Path, tmp_path: Path) -> None:
    package = tmp_path / "p.zip"
    package.write_bytes(zipped(Archive("path", str(source / "lib"))))
    nested = Archive(
        "assets",
        {
            "main.py": Asset("text", "pass"),
            "tool": Asset("path", str(source / "tool")),
            "lib": Archive("path", str(source / "lib")),
            "vendor": Archive("path", str(package)),
        },
    )
    assert names(zipped(nested)) == ["lib/util.py", "main.py", "tool", "vendor/util.py"]


@pytest.mark.parametrize(
    ("item", "says"),
    [
        pytest.param(Asset("path", "/no/such/file"), "does not exist", id="no such file"),
        pytest.param(Asset("uri", "https://example.com/a"), "fetches nothing from the network", id="remote"),
    ],
)
def test_what_cannot_be_read_is_named(item: Asset, says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        content_of(item)


def test_what_is_no_archive_is_named(source: Path) -> None:
    with pytest.raises(ProviderError, match="neither a zip nor a tar archive"):
        zipped(Archive("path", str(source / "app.py")))
