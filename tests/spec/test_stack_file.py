"""Stack files on disk: lines of problems, what YAML does to values, and files that cannot be read at all."""

from pathlib import Path

import pytest
import yaml
from stack_examples import HYBRID, PURE, Raw, changed

from components.spec import StackError, load_file, read_file
from components.spec.yaml_source import UnreadableError, read


def written(folder: Path, stack: Raw, region: str = "us-east-1") -> Path:
    file = folder / "Pulumi.test.yaml"
    file.write_text(
        yaml.safe_dump({"config": {"aws:region": region, "halfmetal:stack": stack}}, sort_keys=False)
    )
    return file


def located(file: Path) -> dict[str, str]:
    with pytest.raises(StackError) as caught:
        load_file(file)
    return {
        problem.path: problem.location.removeprefix(f"{file.parent}/") for problem in caught.value.problems
    }


def test_file_means_the_same_as_its_mapping(tmp_path: Path) -> None:
    stack = load_file(written(tmp_path, HYBRID))
    assert stack.workloads[0].needs.memory.mib == 1024


def test_another_project(tmp_path: Path) -> None:
    file = written(tmp_path, PURE)
    file.write_text(file.read_text().replace("halfmetal:stack", "mine:stack"))
    assert load_file(file, project="mine").topology == "pure"


LINES = """\
config:
  halfmetal:stack:
    topology: pure
    region: us-east-1
    zones:
      - us-east-1a
      - us-west-2b
    workloads:
      - name: embed
        serve: {container: {image: "halfmetal/embedder:latest"}}
        needs:
          cpu: 1
        "odd.key": 1
    netwrok: {}
"""


def test_each_problem_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.lines.yaml"
    file.write_text(LINES)
    assert located(file) == {
        "zones[1]": "Pulumi.lines.yaml:7",
        "workloads[0].serve.container.image": "Pulumi.lines.yaml:10",
        "workloads[0].serve.function": "Pulumi.lines.yaml:10",
        "workloads[0].needs.memory": "Pulumi.lines.yaml:11",
        'workloads[0]["odd.key"]': "Pulumi.lines.yaml:13",
        "netwrok": "Pulumi.lines.yaml:14",
    }


def test_what_a_finding_is_about_has_a_line_too(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.lines.yaml"
    file.write_text(LINES)
    source = read_file(file)
    assert source.locate("workloads[0].placement.home").endswith("Pulumi.lines.yaml:9")
    assert source.locate("").endswith("Pulumi.lines.yaml:2")


def test_file_is_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, changed(PURE, {"topology": "purr"}))
    assert located(file) == {"topology": "Pulumi.test.yaml:4"}


def test_key_written_twice(tmp_path: Path) -> None:
    file = written(tmp_path, PURE)
    file.write_text(file.read_text() + "    region: us-east-1\n")
    assert list(located(file)) == ["region"]


def test_region_of_the_provider_is_another(tmp_path: Path) -> None:
    assert list(located(written(tmp_path, PURE, region="eu-west-1"))) == ["region"]


def test_secret_is_told_without_its_text(tmp_path: Path) -> None:
    file = written(
        tmp_path, changed(HYBRID, {"workloads[0].serve.container.env.KEY": {"secure": "v1:abcdef"}})
    )
    with pytest.raises(StackError) as caught:
        load_file(file)
    assert "is a secret" in str(caught.value)
    assert "v1:abcdef" not in str(caught.value) + caught.value.to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "is empty", id="empty file"),
        pytest.param("just text", "no keys under `config:`", id="text"),
        pytest.param("config: []", "no keys under `config:`", id="config that is a list"),
        pytest.param("halfmetal:stack: {}", "no keys under `config:`", id="no config"),
        pytest.param("config:\n  aws:region: us-east-1", "has no halfmetal:stack", id="no stack"),
        pytest.param("config:\n  halfmetal:stak: {}", "has no halfmetal:stack", id="misspelt stack"),
        pytest.param("config:\n  halfmetal:stack: '{}'", "has text under", id="JSON in text"),
        pytest.param("config:\n  halfmetal:stack:\n", "has no keys under", id="stack left empty"),
        pytest.param("config:\n  halfmetal:stack: {secure: v1:x}", "is a secret", id="stack encrypted"),
        pytest.param("config: {a: [1, 2", "is not YAML", id="bracket left open"),
        pytest.param("config:\n\ta: 1", "is not YAML", id="tab"),
        pytest.param("config: *nowhere", "is not YAML", id="alias of nothing"),
        pytest.param("config: {}\n---\nconfig: {}", "is not YAML", id="two documents"),
        pytest.param("config: !!python/object/apply:os.getcwd []", "is not YAML", id="code"),
        pytest.param("config: {? [a] : b}", "is not YAML", id="list for a key"),
        pytest.param("config: \x00", "is not YAML", id="control character"),
        pytest.param("[" * 5000, "is not YAML", id="nested without end"),
        pytest.param("config: {n: " + "9" * 5000 + "}", "is not YAML", id="number without end"),
    ],
)
def test_unreadable(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(text)
    with pytest.raises(StackError) as caught:
        load_file(file)
    [problem] = caught.value.problems
    assert message in problem.message
    assert problem.remedy
    assert problem.location.startswith(str(file))


def test_file_that_is_not_there(tmp_path: Path) -> None:
    written(tmp_path, PURE)
    with pytest.raises(StackError, match=r"did you mean Pulumi\.test\.yaml"):
        load_file(tmp_path / "Pulumi.tests.yaml")
    with pytest.raises(StackError, match="does not exist"):
        load_file(tmp_path / "nowhere" / "Pulumi.test.yaml")
    with pytest.raises(StackError, match="cannot be read"):
        load_file(tmp_path)


def test_file_of_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_bytes("config: é".encode("latin-1"))
    with pytest.raises(StackError, match="not UTF-8"):
        load_file(file)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("14d", "14d"),
        ("yes", "yes"),
        ("off", "off"),
        ("n", "n"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("1.30", 1.3),
        ("1e3", 1000.0),
        ("0x10", 16),
        ("0o17", 15),
        ("-3", -3),
        ("true", True),
        ("~", None),
        ('"8080"', "8080"),
    ],
)
def test_scalars_are_those_of_the_engine(text: str, value: object) -> None:
    assert read(f"key: {text}").value == {"key": value}


def test_aliases_and_merges() -> None:
    document = read("base: &base {a: 1}\nmerged: {<<: *base, b: 2}\nsame: *base\n")
    assert document.value == {"base": {"a": 1}, "merged": {"a": 1, "b": 2}, "same": {"a": 1}}
    assert document.twice == ()


def test_aliases_that_multiply_or_circle(tmp_path: Path) -> None:
    bomb = "\n".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9) if level else 'lol'}]"
        for level in range(30)
    )
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(f"{bomb}\nconfig:\n  halfmetal:stack: &stack\n    topology: *a29\n    state: *stack\n")
    assert {"topology", "state", "region", "zones", "workloads"} == set(located(file))


def test_unreadable_tells_the_line() -> None:
    with pytest.raises(UnreadableError) as caught:
        read("a: 1\nb: [\n")
    assert caught.value.line == 3
