"""What holds of every form of a report, whatever is in it: it is well formed, and nobody's name is markup."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from time import process_time
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from audit_cases import HOSTILE, TODAY, hostile, many, named
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from mixed_example import FOLDER, mixed
from rich.console import Console

from cli.audit.tables import print_audit
from components.catalog import load as load_catalog
from components.placement import RULES, Facts, Home, Waivers, settle
from components.spec import Guardrails
from policies.audit.baseline import compare, read, written
from policies.audit.findings import Audit, Status, audit
from policies.audit.outcome import Gate, Outcome
from policies.audit.reports import as_json, junit, markdown, page, sarif, words
from policies.audit.sources import Gathered
from policies.reading.functions import FUNCTION
from policies.resources import Dialect, Location, Resource

SCHEMA = Draft4Validator(json.loads((Path(__file__).parent / "sarif-2.1.0-rtm.5.json").read_text()))
FORMS = {each.__name__.rpartition(".")[2]: each.report for each in (as_json, sarif, junit, markdown, page)}
VOID = {"meta", "link", "br"}
RAW_MARKUP = {"details", "summary", "b", "br", "code"}


def table(outcome: Outcome) -> str:
    out = io.StringIO()
    print_audit(Console(file=out, width=140, highlight=False), outcome)
    return out.getvalue()


texts = st.text(max_size=40) | st.sampled_from(HOSTILE)


class Balanced(HTMLParser):
    """Tags that are closed as they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.chdir(FOLDER)
    return mixed()


def log(outcome: Outcome) -> dict[str, Any]:
    told = json.loads(sarif.report(outcome))
    SCHEMA.validate(told)
    return dict(told["runs"][0])


# -- any names


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(texts, max_size=4), texts, texts)
def test_any_names_give_forms_that_are_well_formed(names: list[str], unread: str, waiver: str):
    _check(Outcome(named(names, unread=unread, waiver=waiver)))


def test_names_that_mean_harm():
    _check(Outcome(hostile()))


def test_a_name_that_is_not_printed_as_it_is_stands_once_in_the_table():
    table = io.StringIO()
    found = named(["a\x07b"], unread="", waiver="")
    print_audit(Console(file=table, width=200), Outcome(replace(found, findings=found.findings[:1])))
    assert re.search(r"^ +a\S+b +\w", table.getvalue(), re.MULTILINE)
    assert not re.search(r"^ +a\S+b *$", table.getvalue(), re.MULTILINE)


def _check(outcome: Outcome) -> None:
    told = json.loads(as_json.report(outcome))
    assert len(told["findings"]) == len(outcome.audit.findings)
    assert len(log(outcome)["results"]) == len(outcome.audit.findings)
    tests = [
        (test.get("classname"), test.get("name"))
        for test in Tree.fromstring(junit.report(outcome)).iter("testcase")
    ]
    assert len(set(tests)) == len(tests)
    assert not Balanced(page.report(outcome)).tags.keys() & {"script", "img", "iframe"}
    _check_comment(markdown.report(outcome))
    for form in FORMS.values():
        text = form(outcome)
        text.encode()
        assert all(
            each.isprintable() or each == "\n" for each in text.replace("\N{REPLACEMENT CHARACTER}", "")
        )


def _check_comment(text: str) -> None:
    first, *rest = text.splitlines()
    assert first == markdown.MARKER
    assert not any(line.startswith("<!--") for line in rest)
    assert set(Balanced("\n".join(rest)).tags) <= RAW_MARKUP
    for line in rest:
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in {4, 5, 7}
            assert "http:" not in line
            assert "@" not in line


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_audit_gives_the_same_report(found: Audit, form: Any):
    assert form(Outcome(found)) == form(Outcome(mixed()))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_all_waivers_are_in_every_form(found: Audit, form: Any):
    text = form(Outcome(found)).replace("&#64;", "@").replace("&#46;", ".").replace("&#42;", "*")
    for waiver, use in found.waivers:
        assert all(said in text for said in (waiver.subject, waiver.owner, str(waiver.expires), str(use)))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_audit_of_nothing(form: Any):
    assert form(Outcome(named([])))


# -- SARIF


def test_rules_say_what_they_are():
    rules = log(Outcome(named([])))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for rule in rules:
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert ("security" in rule["properties"]["tags"]) is ("security-severity" in rule["properties"])


def test_results_point_to_lines_by_paths_that_name_nobodys_folders(found: Audit):
    run = log(Outcome(found))
    for result in run["results"]:
        (location,) = result["locations"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert artifact["uriBaseId"] in run["originalUriBaseIds"]
        assert not artifact["uri"].startswith(("/", "file:"))
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert location["logicalLocations"][0]["fullyQualifiedName"]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        pytest.param("a b/state.json", "a%20b/state.json", id="a blank"),
        pytest.param("a:b.json", "a%3Ab.json", id="a colon, which would be a scheme"),
        pytest.param("/tmp/x#1.json", "file:///tmp/x%231.json", id="elsewhere"),
        pytest.param("stack:prod", "halfmetal-audit/stack/prod", id="a live stack"),
        pytest.param("stack:org/a b/prod", "halfmetal-audit/stack/org-a-b-prod", id="one of an organization"),
        pytest.param("cluster:", "halfmetal-audit/cluster", id="a live cluster"),
        pytest.param("cluster:..", "halfmetal-audit/cluster", id="one with a name that leads elsewhere"),
        pytest.param("(standard input)", "halfmetal-audit/standard-input", id="a pipe"),
        pytest.param("", "halfmetal-audit/unknown", id="nothing"),
    ],
)
def test_where_a_result_is(file: str, uri: str):
    """Each has a path and a line: code scanning rejects a log with one result that has not."""
    results = log(Outcome(named([file])))["results"]
    assert results
    for result in results:
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == uri
        assert physical["region"]["startLine"] == 1


def test_what_results_come_to(found: Audit):
    results = log(Outcome(found))["results"]
    told = {
        (each["properties"]["status"], each["kind"], each["level"], "suppressions" in each)
        for each in results
    }
    assert told == {
        ("refused", "fail", "error", False),
        ("advised against", "fail", "warning", False),
        ("undecided", "open", "none", False),
        ("waived", "fail", "error", True),
    }
    (expired,) = [each for each in results if "expired on" in each["message"]["text"]]
    assert expired["ruleId"] == "warm-before-tail"


def test_what_was_not_read_and_how_it_ended(found: Audit):
    (invocation,) = log(Outcome(found))["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (2, False)
    (told,) = invocation["toolExecutionNotifications"]
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "chart.yaml"


def test_results_beside_a_baseline(found: Audit):
    known = list(read(written(found.findings), "b.json"))
    changed = [
        known[0],
        *(
            type(each)(each.fingerprint, each.rule, each.address, Status.WAIVED)
            for each in known[1:]
            if each.status is Status.REFUSED
        ),
    ]
    results = log(Outcome(found, compared=compare(found.findings, changed, found.files)))["results"]
    assert {each["baselineState"] for each in results} == {"new", "unchanged", "updated"}


def test_a_sarif_report_is_a_baseline(found: Audit):
    before = read(sarif.report(Outcome(found)), "audit.sarif")
    assert {each.fingerprint for each in before} == {each.fingerprint for each in found.findings}
    assert set(before) == set(read(written(found.findings), "b.json"))


# -- JUnit


def test_what_tests_come_to(found: Audit):
    root = Tree.fromstring(junit.report(Outcome(found)))
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["state.json", "workloads.yaml", "chart.yaml", "waivers"]
    for suite in (root, *root):
        for attribute, tag in (("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
            assert suite.get(attribute) == str(len(list(suite.iter(tag))))
        assert suite.get("tests") == str(len(list(suite.iter("testcase"))))
    tests = {
        (test.get("classname"), test.get("name")): [each.tag for each in test]
        for test in root.iter("testcase")
    }
    assert tests["runaway-function", "embed"] == []
    assert tests["runaway-function", "detect"] == ["failure"]
    assert tests["sustained-utilization", "rerank"] == ["skipped"]
    assert tests["state-locality", "models/rank"] == ["skipped"]
    assert tests["jitter-budget", "cards"] == ["skipped"]


def test_what_was_known_before_is_no_failure(found: Audit):
    known = compare(found.findings, read(written(found.findings), "b.json"), found.files)
    assert not list(Tree.fromstring(junit.report(Outcome(found, compared=known))).iter("failure"))


@pytest.mark.parametrize("form", [as_json.report, markdown.report, page.report])
def test_what_is_gone_is_said(found: Audit, form: Any):
    gone = list(read(written(found.findings), "b.json"))
    text = form(Outcome(named([]), compared=compare((), gone, ())))
    assert text.count("compliance-isolation") == 1


# -- Markdown


@pytest.mark.parametrize("count", [1, 20, 400])
def test_a_comment_fits_and_says_what_does_not(count: int):
    text = markdown.report(Outcome(many(count), Gate(None)))
    assert len(text) <= markdown.AT_MOST
    Balanced(text.partition("\n")[2])
    assert ("do not fit into a comment" in text) is (count > 20)


# -- linear


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_ten_times_as_much_takes_about_ten_times_as_long(form: Any):
    def taken(outcome: Outcome) -> float:
        begin = process_time()
        form(outcome)
        return process_time() - begin

    few, lots = Outcome(many(150)), Outcome(many(1500))
    taken(few)
    assert taken(lots) < 30 * max(taken(few), 0.005)


# -- what to do


def _function(*, placed: bool) -> Audit:
    tags = Facts(home=Home.FUNCTION, ties=()).to_tags() if placed else {}
    location = Location("main.tf.json", 3)
    made = Resource(
        FUNCTION, "aws_lambda_function.embed", "a", {"tags": tags, "timeout": 30}, location=location
    )
    return audit(Gathered((made,)), settle(load_catalog(), {}), Waivers((), TODAY))


@pytest.mark.parametrize("placed", [True, False], ids=["of a stack file", "of somebody else"])
@pytest.mark.parametrize("form", [*FORMS.values(), table], ids=[*FORMS, "table"])
def test_what_to_do_is_in_the_words_of_whoever_made_it(form: Callable[[Outcome], str], *, placed: bool):
    said = form(Outcome(_function(placed=placed)))
    if form is sarif.report:  # what it has of its rules is about all that they may be broken by
        said = json.dumps(json.loads(said)["runs"][0]["results"])
    said = re.sub(r"<[^>]*>|\s+", " ", said).replace("  ", " ")
    assert ("control_plane.guardrails" in said) is placed
    assert ("give the function what is missing: a reserved concurrency" in said) is not placed


@pytest.mark.parametrize("form", [as_json.report, junit.report, sarif.report])
def test_what_is_a_value_to_set_is_told_of_each_in_the_words_of_its_file(form: Callable[[Outcome], str]):
    made = [
        Resource(FUNCTION, "aws_lambda_function.embed", "a", {"timeout": 30}, dialect=Dialect.TERRAFORM),
        Resource(FUNCTION, "Embed", "b", {"timeout": 30}, dialect=Dialect.CLOUDFORMATION),
    ]
    bounds = Guardrails(reserved_concurrency=7)
    said = form(Outcome(audit(Gathered(tuple(made)), settle(load_catalog(), {}), Waivers((), TODAY), bounds)))
    assert "set reserved_concurrent_executions to 7; in all, give the function what is missing" in said
    assert "set ReservedConcurrentExecutions to 7; in all, give the function what is missing" in said


def test_what_to_do_where_both_break_a_rule_says_which_is_which():
    both = _function(placed=True).findings + _function(placed=False).findings
    rule = RULES["runaway-function"]
    found = [each for each in both if each.rule is rule]
    assert (
        words.remedy(found)
        == f"of what a stack file has: {rule.remedy}. Of anything else: {rule.remedy_elsewhere}"
    )


# -- what stops nothing


def _advisory() -> Outcome:
    tags = Facts(home=Home.FUNCTION, ties=("sqs",)).to_tags()
    made = Resource(FUNCTION, "embed", "a", {"tags": tags, "timeout": 30}, location=Location("a.json", 3))
    found = audit(Gathered((made,)), settle(load_catalog(), {}), Waivers((), TODAY))
    tied = tuple(each for each in found.findings if each.rule.id == "vendor-lock-in")
    return Outcome(replace(found, findings=tied))


@pytest.mark.parametrize("form", [junit.report, markdown.report, page.report, table])
def test_a_breach_that_stops_nothing_is_not_shown_as_one_that_does(form: Callable[[Outcome], str]):
    outcome = _advisory()
    said = form(outcome).replace("&#58;", ":")
    assert words.found(outcome) == "1 advisory"
    assert "advisory" in said
    assert "it works with what only one vendor has: Amazon SQS" in said
    for refused in (":x:", "1 refused", "status refused", "<failure", "refused   "):
        assert refused not in said


def test_a_test_is_of_a_rule_that_is_about_the_resource():
    made = Resource(FUNCTION, "embed", "a", {"timeout": 30}, location=Location("a.json", 3))
    found = audit(Gathered((made,)), settle(load_catalog(), {}), Waivers((), TODAY))
    tests = {each.get("classname") for each in Tree.fromstring(junit.report(Outcome(found))).iter("testcase")}
    assert "runaway-function" in tests
    assert tests.isdisjoint({"zone-capacity", "unattended-cluster"})
