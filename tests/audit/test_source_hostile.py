"""Input that is broken or made to harm: it costs no more than an honest file, and hides nothing beside it."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from policies.audit.sources import Gathered, Limits, SourceError, gather
from policies.reading.bags import UNKNOWN

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: beside}\n"
SECONDS = 5.0


def read(path: Path, content: str | bytes, limits: Limits | None = None) -> Gathered:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return gather([str(path)], limits)


@dataclass(frozen=True)
class Document:
    """A document between two good ones."""

    says: str
    text: str
    why: str


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


def _merges() -> str:
    keys = ", ".join(f"k{n}: {n}" for n in range(1000))
    return f"a: &a {{{keys}}}\nb: {{<<: [{', '.join(['*a'] * 1001)}]}}"


def _chain() -> str:
    return "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000))])


DOCUMENTS = [
    Document("aliases of aliases", _bomb(), "aliases that stand for more than"),
    Document("aliases that are merged", _merges(), "aliases that stand for more than"),
    Document("a chain of aliases", _chain(), "nested more than"),
    Document("an alias that holds itself", "a: &a [*a]", "holds itself"),
    Document("an alias of nothing", "a: *nothing", "of no anchor"),
    Document("lists in lists", "a: " + "[" * 100_000, "nest"),
    Document("mappings in mappings", "a: " + "{a: " * 100_000, "nest"),
    Document("lists by indentation", "- " * 300, "nested more than"),
    Document("a list as a key", "? [a]\n: b", "list or a mapping as a key"),
    Document("an alias of a list as a key", "a: &a [x]\n*a : b", "a key that is no text"),
    Document("a key written twice", "a: 1\nb: 2\na: 3", "has the key 'a' twice"),
    Document("a merge of a text", "a: {<<: text}", "merges"),
    Document("a tab", "a:\n\t- b", "cannot start any token"),
    Document("cut short", "a: 'b", "unexpected end of stream"),
    Document("a control character", "a: \x07", "control characters are not allowed"),
    Document("another document in it", "a: b\n- c", "expected"),
    Document("a template", "a: {{ .Values.a }}", "before it is rendered"),
    Document("a template of lines", "{{- if .Values.a }}\na: b\n{{- end }}", "before it is rendered"),
]


@pytest.mark.parametrize("case", DOCUMENTS, ids=lambda case: case.says)
def test_a_document_that_hides_none_beside_it(case: Document, tmp_path: Path) -> None:
    began = time.process_time()
    found = read(tmp_path / "all.yaml", f"{POD}---\n{case.text}\n---\n{POD}")
    assert time.process_time() - began < SECONDS
    assert [each.name for each in found.resources] == ["beside", "beside"]
    (unread,) = found.unread
    assert case.why in unread.why
    assert unread.location.line is not None
    assert 4 <= unread.location.line <= 5 + case.text.count("\n") + 1


def test_a_password_without_quotes_that_begins_like_an_alias_is_not_told(tmp_path: Path) -> None:
    (unread,) = read(tmp_path / "all.yaml", f"{POD}---\nkind: Secret\nstringData:\n  a: *hunter2").unread
    assert "hunter2" not in str(unread)


@dataclass(frozen=True)
class File:
    """A file that a person names."""

    says: str
    content: bytes
    why: str
    name: str = "a.json"


FILES = [
    File("nothing", b"", "nothing that is read", "a.yaml"),
    File("nothing, as JSON", b"", "not JSON"),
    File("a text", b"hello", "nothing that is read", "a.yaml"),
    File("a number", b"3", "nothing that is read"),
    File("UTF-16 without its mark", POD.encode("utf-16-le"), "NUL characters", "a.yaml"),
    File("Latin-1", "name: caf\xe9".encode("latin-1"), "not UTF-8 \\(byte 9\\)", "a.yaml"),
    File("half of UTF-16", b"\xff\xfea", "not UTF-16-LE", "a.yaml"),
    File("a plan of Terraform's own form", b"PK\x03\x04\x00", "terraform show -json"),
    File("compressed", b"\x1f\x8b\x08\x00", "gunzip"),
    File("JSON in JSON without end", b'{"a":' * 100_000, "nested too deep|not JSON"),
    File("lists in lists without end", b"[" * 1_000_000, "nested too deep|not JSON"),
    File("a comma too many", b'{"Resources": {"a": 1,}}', "not JSON"),
    File("no comma", b'{"Resources": {"a": 1 "b": 2}}', "not JSON"),
    File("no colon", b'{"Resources" 1}', "not JSON"),
    File("no value", b'{"Resources":', "not JSON"),
    File("a key that is no text", b'{"Resources": {1: 2}}', "not JSON"),
    File("something after it", b'{"Resources": {}} x', "not JSON"),
    File("JSON that is YAML with an error", b'{"kind": [}', "not JSON|expected", "a.yaml"),
]


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.says)
def test_a_file_that_cannot_be_read(case: File, tmp_path: Path) -> None:
    began = time.process_time()
    try:
        found = read(tmp_path / case.name, case.content)
    except SourceError as error:
        said = str(error)
    else:
        (unread,) = found.unread
        said = str(unread)
    assert time.process_time() - began < SECONDS
    assert any(why.replace("\\", "") in said for why in case.why.split("|")), said
    assert "remedy: " in said


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.says)
def test_such_a_file_in_a_folder_hides_none_beside_it(case: File, tmp_path: Path) -> None:
    (tmp_path / case.name).write_bytes(case.content)
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    found = gather([str(tmp_path)])
    assert [each.name for each in found.resources] == ["beside"]
    assert len(found.unread) + found.passed_over == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_text_that_says_its_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    (pod,) = read(tmp_path / "a.yaml", POD.replace("beside", "b\xe9side").encode(encoding)).resources
    assert pod.name == "b\xe9side"


NUMBERS = ["1e999999", "-1e999999", "NaN", "Infinity", "-Infinity", "9" * 5000, f"-{'9' * 5000}", "1" * 41]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:12])
def test_a_number_that_is_none_is_unknown(number: str, tmp_path: Path) -> None:
    text = f'{{"apiVersion": "v1", "kind": "Pod", "spec": {number}, "other": {10**19}}}'
    (pod,) = read(tmp_path / "a.json", text).resources
    assert (pod.props["spec"] is UNKNOWN, pod.props["other"]) == (True, 10**19)


@pytest.mark.parametrize("text", [r"\ud800", r"\udc00", r"\ud800\ud800", r"x\uDBFF", r"\udc00\ud800"])
def test_half_a_character_is_replaced(text: str, tmp_path: Path) -> None:
    named = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}}'
    (pod,) = read(tmp_path / "a.json", named % text).resources
    assert "\ufffd" in pod.name
    pod.name.encode()
    (whole,) = read(tmp_path / "b.json", named % r"\ud83d\ude00").resources
    assert whole.name == "\U0001f600"


def test_keys_of_json_written_twice_mean_the_last(tmp_path: Path) -> None:
    (pod,) = read(tmp_path / "a.json", '{"apiVersion": "v1", "kind": "Secret", "kind": "Pod"}').resources
    assert pod.resource_type == "kubernetes:core/v1:Pod"


def test_several_values_of_json_one_after_the_other(tmp_path: Path) -> None:
    one = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}}'
    found = read(tmp_path / "a.json", f"{one % 'a'}\n{one % 'b'}\n")
    placed = [(each.name, each.location.line) for each in found.resources if each.location]
    assert placed == [("a", 1), ("b", 2)]


DEEP = '{"a":' * 700 + "1" + "}" * 700
TOO_DEEP = [
    (
        "a template",
        '{"Resources": {"A": {"Type": "AWS::Lambda::Function", "Properties": {"Role": %s}}, '
        '"B": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": %s}}, '
        '"C": {"Type": "AWS::SQS::Queue"}}}',
        2,
    ),
    (
        "a state of Pulumi",
        '{"version": 3, "deployment": {"resources": ['
        '{"urn": "a::A", "type": "aws:sqs/queue:Queue", "custom": true, "inputs": {"x": %s}}, '
        '{"urn": "a::C", "type": "aws:sqs/queue:Queue", "custom": true, "outputs": {"x": "\\u0030"}}]}}',
        1,
    ),
    (
        "a state of Terraform",
        '{"version": 4, "lineage": "x", "resources": ['
        '{"mode": "managed", "type": "aws_sqs_queue", "name": "A", '
        '"instances": [{"attributes": {"x": %s}}]}, '
        '{"mode": "managed", "type": "aws_sqs_queue", "name": "C", "instances": [{}]}]}',
        1,
    ),
    (
        "a plan of Terraform",
        '{"planned_values": {"root_module": {"resources": ['
        '{"address": "a.A", "mode": "managed", "type": "aws_sqs_queue", "values": {"x": %s}}, '
        '{"address": "a.C", "mode": "managed", "type": "aws_sqs_queue", "values": {}}]}}}',
        1,
    ),
]


@pytest.mark.parametrize(("says", "text", "unread"), TOO_DEEP, ids=[says for says, *_ in TOO_DEEP])
def test_a_resource_nested_too_deep_hides_none_beside_it(
    says: str, text: str, unread: int, tmp_path: Path
) -> None:
    found = read(tmp_path / "a.json", text.replace("%s", DEEP))
    assert [each.name[-1:] for each in found.resources] == ["C"], says
    assert len(found.unread) == unread


def test_files_beyond_the_limit_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(2**40)
    with pytest.raises(SourceError, match="larger than 256 MiB") as caught:
        gather([str(file)])
    assert "--max-file-size" in caught.value.remedy
    assert read(tmp_path / "b.yaml", POD, Limits(file_bytes=len(POD))).unread == ()
    (unread,) = gather([str(tmp_path)], Limits(file_bytes=len(POD))).unread
    assert unread.location.file == str(file)


def test_folders_beyond_the_limit_are_an_error(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_text(POD, encoding="utf-8")
    assert len(gather([str(tmp_path)], Limits(files=3)).resources) == 3
    with pytest.raises(SourceError, match="more than 2 files"):
        gather([str(tmp_path)], Limits(files=2))


# -- a little that stands for a lot


def _functions(count: int, properties: str) -> str:
    functions = [
        f'"F{n}": {{"Type": "AWS::Lambda::Function", "Properties": {properties}}}' for n in range(count)
    ]
    return "{" + ", ".join(functions) + "}"


def _long_parameter() -> str:
    parameters = json.dumps({"P": {"Type": "String", "Default": "x" * 4000}})
    made = _functions(3000, json.dumps({"FunctionName": {"Fn::Sub": "${P}" * 100}}))
    return f'{{"Parameters": {parameters}, "Resources": {made}}}'


def _long_list() -> str:
    parameters = json.dumps({"P": {"Type": "CommaDelimitedList", "Default": "x," * 100_000}})
    made = _functions(3000, '{"FunctionName": {"Fn::Join": ["", {"Ref": "P"}]}, "Layers": {"Ref": "P"}}')
    return f'{{"Parameters": {parameters}, "Resources": {made}}}'


def _large_globals() -> str:
    tags = ", ".join(f'"k{n}": 1' for n in range(50_000))
    made = _functions(3000, '{"Tags": {"a": "b"}}').replace("AWS::Lambda", "AWS::Serverless")
    return f'{{"Globals": {{"Function": {{"Tags": {{{tags}}}}}}}, "Resources": {made}}}'


def _many_tags() -> str:
    tags = ", ".join(f'"k{n}": 1' for n in range(50_000))
    functions = ", ".join(f'"f{n}": {{"tags": {{"a": "b"}}}}' for n in range(3000))
    provider = f'{{"name": "aws", "tags": {{{tags}}}}}'
    return f'{{"service": "s", "provider": {provider}, "functions": {{{functions}}}}}'


def _chain_of_modules() -> str:
    outputs = {f"o{n}": {"expression": {"references": [f"module.m.o{n + 1}", "var.x"]}} for n in range(5000)}
    calls = {"m": {"expressions": {"x": {"references": ["module.m.o0"]}}, "module": {"outputs": outputs}}}
    resources = [
        {
            "address": f"aws_sqs_queue.q[{n}]",
            "mode": "managed",
            "type": "aws_sqs_queue",
            "values": {},
        }
        for n in range(3000)
    ]
    expressions = {"name": {"references": ["module.m.o0", "aws_sqs_queue.q"]}}
    config = [{"address": "aws_sqs_queue.q", "type": "aws_sqs_queue", "expressions": expressions}]
    plan = {
        "planned_values": {"root_module": {"resources": resources}},
        "configuration": {"root_module": {"resources": config, "module_calls": calls}},
    }
    return json.dumps(plan)


def _instances_of_instances() -> str:
    instances = [{"index_key": n, "dependencies": ["aws_sqs_queue.q"] * 10} for n in range(5000)]
    queue = {"mode": "managed", "type": "aws_sqs_queue", "name": "q", "instances": instances}
    return json.dumps({"version": 4, "lineage": "x", "resources": [queue]})


LITTLE = [
    ("a long parameter", _long_parameter),
    ("a long list as a parameter", _long_list),
    ("large globals", _large_globals),
    ("many tags", _many_tags),
    ("a chain through modules", _chain_of_modules),
    ("instances that depend on instances", _instances_of_instances),
]


@pytest.mark.slow
@pytest.mark.parametrize(("says", "write"), LITTLE, ids=[says for says, _ in LITTLE])
def test_a_little_does_not_stand_for_a_lot(says: str, write: Callable[[], str], tmp_path: Path) -> None:
    text = write()
    began = time.process_time()
    found = read(tmp_path / "a.json", text)
    assert time.process_time() - began < SECONDS, says
    assert len(found.resources) >= 3000 or "globals" in found.unread[0].why


def test_of_a_file_with_much_that_is_broken_the_first_is_told(tmp_path: Path) -> None:
    found = read(tmp_path / "a.yaml", "a: [\n---\n" * 1000 + POD)
    assert len(found.resources) == 1
    assert len(found.unread) == 101
    assert "900 more parts" in found.unread[-1].why


# -- what is no file


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _closed(path: Path) -> None:
    path.write_text(POD, encoding="utf-8")
    path.chmod(0)


NO_FILES: list[tuple[str, Callable[[Path], None]]] = [
    ("a pipe", _pipe),
    ("a link to itself", _loop),
    ("a link to nothing", _dangling),
    ("a link to a device", lambda path: path.symlink_to("/dev/zero")),
]


@pytest.mark.parametrize(("says", "make"), NO_FILES, ids=[says for says, _ in NO_FILES])
def test_what_is_no_file_of_the_folder_is_left_alone(
    says: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text(POD, encoding="utf-8")
    found = gather([str(tmp_path)])
    assert ([each.name for each in found.resources], found.unread) == (["beside"], ()), says


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder with links to a file and to a folder that are not in it, and to some that are."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "pod.yaml").write_text(POD, encoding="utf-8")
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "own.yaml").write_text(POD, encoding="utf-8")
    (folder / "again.yaml").symlink_to("own.yaml")
    (folder / "file.yaml").symlink_to("../elsewhere/pod.yaml")
    (folder / "folder").symlink_to("../elsewhere")
    (folder / "notes.txt").symlink_to("../elsewhere/pod.yaml")
    (folder / "node_modules").symlink_to("../elsewhere")
    return folder


def test_links_out_of_a_folder_are_unread(linked: Path) -> None:
    found = gather([str(linked)])
    assert len(found.resources) == 1
    assert [each.location.file for each in found.unread] == [
        str(linked / "folder"),
        str(linked / "file.yaml"),
    ]
    assert str(linked.parent / "elsewhere") in found.unread[0].remedy


def test_what_a_link_leads_to_is_read_where_it_is_named(linked: Path) -> None:
    found = gather([str(linked), str(linked.parent / "elsewhere")])
    assert (len(found.resources), found.unread) == (2, ())


@pytest.mark.parametrize("name", [None, "notes.txt", "values.yaml"])
def test_a_folder_in_which_nothing_is_read_is_unread(name: str | None, tmp_path: Path) -> None:
    if name is not None:
        (tmp_path / name).write_text("a: 1", encoding="utf-8")
    (told,) = gather([str(tmp_path)]).unread
    assert (told.location.file, told.why) == (str(tmp_path), "holds nothing that is read")
    assert "Pulumi state" in told.remedy


def test_a_folder_of_what_was_read_already_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD, encoding="utf-8")
    assert len(gather([str(tmp_path / "a.yaml"), str(tmp_path)]).resources) == 1


NAMED = [
    ("a pipe", _pipe, "not a regular file"),
    ("a link to a device", lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    ("a link to itself", _loop, "cannot be opened"),
    ("a link to nothing", _dangling, "no such file"),
    ("nothing", lambda _: None, "no such file"),
]


@pytest.mark.parametrize(("says", "make", "why"), NAMED, ids=[says for says, *_ in NAMED])
def test_what_is_no_file_is_an_error_when_it_is_named(
    says: str, make: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    make(tmp_path / "a.yaml")
    with pytest.raises(SourceError, match=why) as caught:
        gather([str(tmp_path / "a.yaml")])
    assert caught.value.remedy, says


@pytest.mark.parametrize("source", ["a\0b", "x" * 5000, "", "/dev/null", "/dev/zero", "/dev/tty"])
def test_what_is_no_path_is_an_error(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        gather([source])


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_file_that_may_not_be_opened(tmp_path: Path) -> None:
    _closed(tmp_path / "a.yaml")
    with pytest.raises(SourceError, match="permission denied"):
        gather([str(tmp_path / "a.yaml")])


def test_a_file_that_vanishes_is_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(POD, encoding="utf-8")
    opened = os.open

    def vanishing(path: Path, *how: int) -> int:
        if path == tmp_path / "a.yaml":
            path.unlink()
        return opened(path, *how)

    monkeypatch.setattr("policies.audit.sources.files.os.open", vanishing)
    found = gather([str(tmp_path)])
    assert len(found.resources) == 1
    assert [each.location.file for each in found.unread] == [str(tmp_path / "a.yaml")]


def test_a_name_that_is_no_text_is_shown_as_one(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff.yaml")  # noqa: PTH118 - of bytes
    with open(path, "wb") as file:  # noqa: PTH123 - likewise
        file.write(POD.encode())
    (pod,) = gather([str(tmp_path)]).resources
    assert pod.location is not None
    assert pod.location.file.endswith("\ufffd.yaml")


@pytest.mark.parametrize("content", [POD.encode(), b"\xff\xfe" + POD.encode("utf-16-le")])
def test_standard_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    (pod,) = gather(["-"]).resources
    assert str(pod.location) == "(standard input):1:1"


def test_standard_input_that_is_too_large_or_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(POD.encode())))
    with pytest.raises(SourceError, match="larger than"):
        gather(["-"], Limits(file_bytes=3))
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="closed"):
        gather(["-"])


# -- what only a program would tell

PROGRAMS = [
    ("main.tf", "terraform show -json"),
    ("main.tf.json", "terraform show -json"),
    ("Chart.yaml", "helm template"),
    ("kustomization.yaml", "kubectl kustomize"),
    ("cdk.json", "cdk synth"),
    ("Pulumi.yaml", "pulumi stack export"),
]


@pytest.mark.parametrize(("name", "remedy"), PROGRAMS)
def test_source_of_a_program(name: str, remedy: str, tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    (folder / name).write_text("{}", encoding="utf-8")
    (folder / "pod.yaml").write_text(POD, encoding="utf-8")
    found = gather([str(tmp_path)])
    assert [each.name for each in found.resources] == ["beside"]
    (unread,) = found.unread
    assert (unread.location.file, remedy in unread.remedy) == (str(folder / name), True)
    with pytest.raises(SourceError, match="without running it") as caught:
        gather([str(folder / name)])
    assert remedy in caught.value.remedy


def test_folders_that_are_left_out(tmp_path: Path) -> None:
    for name in (
        ".git",
        "node_modules",
        ".terraform/modules",
        ".pulumi/history",
        "chart/templates",
        "deep/er",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "pod.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / "chart" / "Chart.yaml").write_text("name: a", encoding="utf-8")
    found = gather([str(tmp_path)])
    assert [str(each.location) for each in found.resources] == [f"{tmp_path}/deep/er/pod.yaml:1:1"]
    assert [each.location.file for each in found.unread] == [f"{tmp_path}/chart/Chart.yaml"]


def test_patches_of_kustomize_are_no_objects(tmp_path: Path) -> None:
    kustomization = """\
        patches: [{path: half.yaml}, {path: deep/half.yaml, target: {}}, {patch: "kind: Pod"}, 3]
        patchesStrategicMerge: ["also half.yaml", "kind: Pod\nmetadata: {}", 3]
        patchesJson6902: {path: x}
        """
    (tmp_path / "deep").mkdir()
    (tmp_path / "kustomization.yaml").write_text(dedent(kustomization), encoding="utf-8")
    for name in ("half.yaml", "also half.yaml", "deep/half.yaml", "whole.yaml"):
        (tmp_path / name).write_text(POD, encoding="utf-8")
    found = gather([str(tmp_path)])
    assert [each.location.file for each in found.resources if each.location] == [str(tmp_path / "whole.yaml")]
    assert [each.location.file for each in found.unread] == [str(tmp_path / "kustomization.yaml")]


@pytest.mark.parametrize(
    "text",
    [
        "patches: [",
        "3",
        "patches: {path: [a]}",
        "patches: [{path: loop}]",
        "\0",
        'patches: [{path: "a\\0b"}]',
    ],
)
def test_a_kustomization_that_is_none_hides_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "whole.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / "loop").symlink_to("loop")
    assert len(gather([str(tmp_path)]).resources) == 1


def test_an_application_of_cdk_that_was_rendered(tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    (tmp_path / "cdk.out" / "manifest.json").write_text('{"version": "36"}', encoding="utf-8")
    template = tmp_path / "cdk.out" / "a.template.json"
    template.write_text('{"Resources": {"A": {"Type": "A::B::C"}}}', encoding="utf-8")
    found = gather([str(tmp_path)])
    assert ([each.name for each in found.resources], found.unread, found.passed_over) == (["A"], (), 1)


def test_several_sources_of_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.template").write_text('{"Resources": {"A": {"Type": "A::B::C"}}}', encoding="utf-8")
    (tmp_path / "b.yaml").write_text(POD, encoding="utf-8")
    found = gather([str(tmp_path / "a.template"), str(tmp_path / "b.yaml")])
    assert [each.name for each in found.resources] == ["A", "beside"]
    assert (sum(found.kinds.values()), found.files) == (2, 2)


def test_reading_json_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    state = json.dumps({"version": 3, "deployment": {"resources": []}})
    (tmp_path / "a.json").write_text(state, encoding="utf-8")
    script = (
        "import sys; from policies.audit.sources import gather; gather(sys.argv[1:]);"
        "print({'yaml', 'kubernetes', 'boto3', 'pulumi', 'pydantic'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.json")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()"


def test_nothing_waits(tmp_path: Path) -> None:
    """A pipe among the files, and one that is named: reading ends without anybody writing to them."""
    _pipe(tmp_path / "a.yaml")
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(SourceError):
            gather([str(tmp_path), str(tmp_path / "a.yaml")])
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert ended.wait(SECONDS)


_MEASURED = """
import resource, sys
from policies.audit.sources import gather
found = gather(sys.argv[1:])
print(len(found.resources), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
def test_a_state_of_200_megabytes_is_read_in_six_times_its_size(tmp_path: Path) -> None:
    bag = {f"property{number}": {"inner": [number, "x" * 20, True]} for number in range(30)}
    state = {"urn": "urn:%d", "type": "aws:sqs/queue:Queue", "custom": True, "inputs": bag, "outputs": bag}
    text = json.dumps(state, indent=4)
    count = 200 * 2**20 // len(text) + 1
    with (tmp_path / "state.json").open("w", encoding="utf-8") as file:
        file.write('{"version": 3, "deployment": {"resources": [')
        file.write(",\n".join(text.replace("%d", str(number)) for number in range(count)))
        file.write("]}}")
    command = [sys.executable, "-c", _MEASURED, str(tmp_path / "state.json")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    resources, peak = map(int, done.stdout.split())
    assert resources == count
    assert peak < 6 * (tmp_path / "state.json").stat().st_size
