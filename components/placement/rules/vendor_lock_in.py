"""The event buses and workflow engines that a workload is tied to are named.

A container moves to another cloud in a day; the events it listens to and the workflow it is a step of do
not. Such a tie may well be right. It should be seen, and its price known, before it is made.
"""

from typing import Final

from components.placement.counting import listed
from components.placement.facts import Facts
from components.placement.judging import (
    Enforcement,
    Rule,
    Severity,
    Thresholds,
    Verdict,
    fits,
    refused,
    undecided,
)

_NAMES: Final = {
    "eventbridge": "Amazon EventBridge",
    "step-functions": "AWS Step Functions",
    "sns": "Amazon SNS",
    "sqs": "Amazon SQS",
    "kinesis": "Amazon Kinesis",
}


def _check(facts: Facts, _: Thresholds) -> Verdict:
    if facts.ties is None:
        return undecided("ties")
    if not facts.ties:
        return fits("it works with no event bus and no workflow engine of one vendor")
    named = listed(facts.ties, _NAMES)
    return refused(f"it works with what only one vendor has: {named}")


RULE = Rule(
    id="vendor-lock-in",
    title="What ties a workload to one vendor's event bus or workflow engine is named",
    rationale="Events and workflows are rewritten, not moved, when a workload goes elsewhere.",
    remedy=(
        "keep the tie if it is worth its price and set `policies.rules.vendor-lock-in.enforcement: disabled`,"
        " or put an interface of your own between and take it out of `integrations`"
    ),
    remedy_elsewhere=(
        "keep the tie if it is worth its price, and have it waived; or put an interface of your own between"
    ),
    check=_check,
    severity=Severity.LOW,
    enforcement=Enforcement.ADVISORY,
)
