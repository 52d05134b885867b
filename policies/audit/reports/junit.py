"""The audit as JUnit XML, in the form that Jenkins and GitLab read.

A file is a suite, a rule on a resource is a test, and a breach of a mandatory rule is its failure. What is
advice, waived, undecided or known from a baseline is a test that was skipped, with the reason. What could not
be read is a test that ended in an error. GitLab knows tests by class and name, so these are unique.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as Tree

from components.placement import Enforcement, Rule, Use
from components.visible import visible
from policies.audit.findings import Audit, Finding, Status
from policies.audit.outcome import Outcome
from policies.audit.reports import words
from policies.audit.sources import Unread
from policies.resources import Location, Resource

_NO_FILE: Final = "(no file)"


def report(outcome: Outcome) -> str:
    """The audit as a document of XML."""
    suites = _Suites(_ambiguous(outcome.audit))
    for finding in outcome.audit.findings:
        suites.add_finding(finding, outcome)
    for rule, resource in outcome.audit.passed:
        suites.test(rule, resource)
    for unread in outcome.audit.unread:
        suites.add_unread(unread)
    suites.add_waivers(outcome.audit)
    root = suites.counted()
    Tree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Tree.tostring(root, encoding="unicode")}\n'


def _ambiguous(audit: Audit) -> frozenset[str]:
    """Names that several resources have."""
    resources = {id(each): each for _, each in audit.passed}
    resources |= {id(each.resource): each.resource for each in audit.findings}
    counts = Counter(visible(each.name) for each in resources.values())
    return frozenset(name for name, count in counts.items() if count > 1)


@dataclass(slots=True)
class _Suites:
    """Suites being filled, one for each file."""

    ambiguous: frozenset[str]
    root: Tree.Element = field(default_factory=lambda: Tree.Element("testsuites", name="halfmetal audit"))
    by_name: dict[str, Tree.Element] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)

    def suite(self, name: str) -> Tree.Element:
        """The suite of that name."""
        if name not in self.by_name:
            self.by_name[name] = Tree.SubElement(self.root, "testsuite", name=name)
        return self.by_name[name]

    def test(self, rule: Rule, resource: Resource) -> Tree.Element:
        """A rule on a resource; nothing more to say is that it is kept."""
        location = resource.location or Location("")
        name = visible(resource.name)
        if name in self.ambiguous:
            name = f"{name} [{visible(resource.urn)}]"
        test = Tree.SubElement(
            self.suite(visible(location.file) or _NO_FILE), "testcase", classname=rule.id, name=name
        )
        if words.is_file(location):
            test.set("file", visible(location.file))
            if location.line is not None:
                test.set("line", str(location.line))
        return test

    def add_finding(self, finding: Finding, outcome: Outcome) -> None:
        """A breach, or what is worth knowing of a test that is none."""
        test = self.test(finding.rule, finding.resource)
        said = words.reason(finding)
        known = outcome.compared is not None and finding.fingerprint in outcome.compared.known
        if finding.status is Status.REFUSED and finding.enforcement is Enforcement.MANDATORY and not known:
            failed = Tree.SubElement(test, "failure", message=said, type=str(finding.severity))
            failed.text = "\n".join(_lines(finding))
            return
        kept = "known before" if known else words.named(finding)
        answers = words.answered_for(finding)
        Tree.SubElement(test, "skipped", message=f"{kept}: {said}{f' ({answers})' if answers else ''}")

    def add_unread(self, unread: Unread) -> None:
        """A source, or a part of one, that could not be read."""
        where = words.place(unread.location)
        name = f"{where}: {visible(unread.why)}"
        self.unread[name] += 1
        if self.unread[name] > 1:
            name += f" ({self.unread[name]})"
        suite = self.suite(visible(unread.location.file) or _NO_FILE)
        test = Tree.SubElement(suite, "testcase", classname="unread", name=name)
        failed = Tree.SubElement(test, "error", message=visible(unread.why), type="unread")
        failed.text = f"{where}\nremedy: {visible(unread.remedy)}"

    def add_waivers(self, audit: Audit) -> None:
        """A test for each waiver, skipped where nothing is waived by it."""
        for number, (waiver, use) in enumerate(audit.waivers, start=1):
            named = f"{number}. {waiver.rule}: {visible(waiver.subject)}"
            test = Tree.SubElement(self.suite("waivers"), "testcase", classname="waiver", name=named)
            if use is not Use.USED:
                Tree.SubElement(test, "skipped", message=str(use))
            said = Tree.SubElement(test, "system-out")
            said.text = f"until {waiver.expires}, {visible(waiver.owner)}: {visible(waiver.reason)}"

    def counted(self) -> Tree.Element:
        """All suites, each with how many tests it has and what came of them."""
        _count(self.root, self.root.iter("testcase"))
        for suite in self.by_name.values():
            _count(suite, suite)
        return self.root


def _count(element: Tree.Element, tests: Iterable[Tree.Element]) -> None:
    counts = Counter(outcome.tag for test in tests for outcome in (test, *test))
    element.set("tests", str(counts["testcase"]))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(counts[tag]))


def _lines(finding: Finding) -> Iterable[str]:
    where = words.place(finding.location)
    if where:
        yield where
    yield visible(finding.address)
    answers = words.answered_for(finding)
    if answers:
        yield answers
    yield f"remedy: {finding.remedy}"
