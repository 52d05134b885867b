"""AWS Budgets: budgets with their notices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.aws.provider.table.common import pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Read, Scope
from sandbox.aws.provider.values import Bag

_ARN = "arn:{partition}:budgets::{account}:budget/{name}"
_OWNER = {"AccountId": "{account}", "BudgetName": "{name}"}
_TIME = "%Y-%m-%d_%H:%M"


# -- the budget itself -------------------------------------------------------------------------------


def _described(scope: Scope) -> Bag:
    inputs = scope.inputs
    described: Bag = {
        "BudgetName": scope.get("name"),
        "BudgetType": inputs.get("budgetType"),
        "TimeUnit": inputs.get("timeUnit"),
        "TimePeriod": _period(scope) or None,
        "CostTypes": _cost_types(inputs.get("costTypes")),
        "CostFilters": {item["name"]: list(item["values"]) for item in inputs.get("costFilters") or ()}
        or None,
    }
    if inputs.get("limitAmount") is not None:
        described["BudgetLimit"] = {"Amount": inputs["limitAmount"], "Unit": inputs.get("limitUnit")}
    return {name: value for name, value in described.items() if value is not None}


def _period(scope: Scope) -> Bag:
    ends = {"Start": scope.get("timePeriodStart"), "End": scope.get("timePeriodEnd")}
    return {name: datetime.strptime(text, _TIME).replace(tzinfo=UTC) for name, text in ends.items() if text}


def _cost_types(wanted: Bag | None) -> Bag | None:
    return {name[0].upper() + name[1:]: value for name, value in wanted.items()} if wanted else None


def _cost_types_back(budget: Any) -> Bag | None:
    found = budget.get("CostTypes")
    return {name[0].lower() + name[1:]: value for name, value in found.items()} if found else None


def _time_back(name: str) -> Any:
    def read(budget: Any) -> str | None:
        found = (budget.get("TimePeriod") or {}).get(name)
        return found.astimezone(UTC).strftime(_TIME) if found else None

    return read


def _amount(text: Any) -> Any:
    """`500` and `500.0` are the same limit."""
    try:
        return format(Decimal(str(text)).normalize(), "f")
    except ArithmeticError:
        return text


# -- its notices -------------------------------------------------------------------------------------


def _notice(notification: Bag) -> Bag:
    return {
        "NotificationType": notification["notificationType"],
        "ComparisonOperator": notification["comparisonOperator"],
        "Threshold": notification["threshold"],
        "ThresholdType": notification["thresholdType"],
    }


def _subscribers(notification: Bag) -> list[Bag]:
    kinds = {"EMAIL": "subscriberEmailAddresses", "SNS": "subscriberSnsTopicArns"}
    return [
        {"SubscriptionType": kind, "Address": address}
        for kind, name in kinds.items()
        for address in notification.get(name) or ()
    ]


def _with_subscribers(scope: Scope) -> list[Bag] | None:
    return [
        {"Notification": _notice(item), "Subscribers": _subscribers(item)}
        for item in scope.inputs.get("notifications") or ()
    ] or None


def _change_notices(scope: Scope) -> None:
    """A notice is known by all that it says: what differs is another one."""
    owner = {"AccountId": scope.account, "BudgetName": scope.get("name")}
    before, after = ([*(bag.get("notifications") or ())] for bag in (scope.state, scope.inputs))
    for item in before:
        if not _among(item, after):
            scope.call("DeleteNotification", **owner, Notification=_notice(item))
    for item in after:
        if not _among(item, before):
            scope.call(
                "CreateNotification", **owner, Notification=_notice(item), Subscribers=_subscribers(item)
            )


def _among(item: Bag, others: list[Bag]) -> bool:
    def key(notification: Bag) -> tuple[Any, ...]:
        addresses = sorted((s["SubscriptionType"], s["Address"]) for s in _subscribers(notification))
        return (*_notice(notification).values(), addresses)

    return any(key(item) == key(other) for other in others)


def _notices_back(answer: Any, scope: Scope) -> Bag:
    owner = {"AccountId": scope.account, "BudgetName": scope.get("name")}
    return {
        "notifications": [
            _notice_back(
                item,
                scope.pages("DescribeSubscribersForNotification", "Subscribers", **owner, Notification=item),
            )
            for item in answer.get("Notifications") or ()
        ]
    }


def _notice_back(item: Bag, subscribers: list[Bag]) -> Bag:
    def addresses(kind: str) -> list[str]:
        return [found["Address"] for found in subscribers if found["SubscriptionType"] == kind]

    return {
        "notificationType": item["NotificationType"],
        "comparisonOperator": item["ComparisonOperator"],
        "threshold": item["Threshold"],
        "thresholdType": item.get("ThresholdType", "PERCENTAGE"),
        "subscriberEmailAddresses": addresses("EMAIL"),
        "subscriberSnsTopicArns": addresses("SNS"),
    }


_BUDGET_INPUTS = (
    "budgetType",
    "costFilters",
    "costTypes",
    "limitAmount",
    "limitUnit",
    "name",
    "timePeriodEnd",
    "timePeriodStart",
    "timeUnit",
)

BUDGET = Entry(
    token="aws:budgets/budget:Budget",
    service="budgets",
    id="{account}:{name}",
    create=Call(
        op="CreateBudget",
        args={
            "AccountId": "{account}",
            "Budget": _described,
            "NotificationsWithSubscribers": _with_subscribers,
        },
        send=(),
        uses=(*_BUDGET_INPUTS, "notifications"),
    ),
    then=(
        Call(
            op="UpdateBudget",
            args={"AccountId": "{account}", "NewBudget": _described},
            send=(),
            uses=_BUDGET_INPUTS,
            on="update",
        ),
        Do(run=_change_notices, uses=("notifications",), on="update"),
    ),
    read=(
        Read(
            op="DescribeBudget",
            args=_OWNER,
            at="Budget",
            only=("budgetType", "timeUnit"),
            into={
                "name": "BudgetName",
                "limitAmount": "BudgetLimit.Amount",
                "limitUnit": "BudgetLimit.Unit",
                "costTypes": _cost_types_back,
                "costFilters": lambda budget: [
                    {"name": name, "values": values}
                    for name, values in (budget.get("CostFilters") or {}).items()
                ],
                "timePeriodStart": _time_back("Start"),
                "timePeriodEnd": _time_back("End"),
            },
        ),
        Read(
            op="DescribeNotificationsForBudget", args=_OWNER, at=_notices_back, absent=("NotFoundException",)
        ),
    ),
    delete=(Call(op="DeleteBudget", args=_OWNER, send=()),),
    tags=pair_tags(
        None,
        Read(
            op="ListTagsForResource",
            args={"ResourceARN": _ARN},
            at="ResourceTags",
            absent=("NotFoundException",),
        ),
        Call(op="TagResource", args={"ResourceARN": _ARN, "ResourceTags": "{tags}"}, send=()),
        Call(op="UntagResource", args={"ResourceARN": _ARN, "ResourceTagKeys": "{keys}"}, send=()),
    ),
    replace=("accountId", "name", "namePrefix"),
    identity=("name",),
    computed=(
        "accountId",
        "costFilters",
        "costTypes",
        "limitAmount",
        "limitUnit",
        "timePeriodStart",
        "timePeriodEnd",
    ),
    local=("namePrefix", "accountId"),
    unordered=(
        "costFilters",
        "costFilters.values",
        "notifications",
        "notifications.subscriberEmailAddresses",
    ),
    normalise={"limitAmount": _amount},
    autoname=Autoname(longest=100, prefix_prop="namePrefix"),
    derive={"arn": _ARN, "accountId": "{account}"},
    missing=("NotFoundException",),
    exists=("DuplicateRecordException",),
)

ENTRIES = (BUDGET,)
