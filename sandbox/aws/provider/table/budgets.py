"""AWS Budgets. Global, and addressed by account."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.table.common import pairs
from sandbox.aws.provider.table.model import Autoname, Call, Each, Entry, Read, Scope, Tags
from sandbox.aws.provider.values import Bag

_BUDGET = {"AccountId": "{account}", "BudgetName": "{name}"}
_ARN = "arn:{partition}:budgets::{account}:budget/{name}"
_FORMAT = "%Y-%m-%d_%H:%M"
_END = "2087-06-15_00:00"


def _limit(scope: Scope) -> Bag | None:
    amount = scope.inputs.get("limitAmount")
    return None if amount is None else {"Amount": str(amount), "Unit": scope.inputs.get("limitUnit")}


def _moment(text: Any) -> datetime.datetime:
    return datetime.datetime.strptime(str(text), _FORMAT).replace(tzinfo=datetime.UTC)


def _period(scope: Scope) -> Bag | None:
    period = {
        member: _moment(scope.inputs[name])
        for name, member in (("timePeriodStart", "Start"), ("timePeriodEnd", "End"))
        if scope.inputs.get(name)
    }
    return period or None


def _filters(scope: Scope) -> dict[str, list[str]] | None:
    filters = scope.inputs.get("costFilters")
    return {item["name"]: list(item["values"]) for item in filters} if filters else None


def _cost_types(scope: Scope) -> Bag | None:
    types = scope.inputs.get("costTypes")
    return {name[0].upper() + name[1:]: value for name, value in types.items()} if types else None


def _budget(scope: Scope) -> Bag:
    described = {
        "BudgetName": scope.get("name"),
        "BudgetType": scope.inputs.get("budgetType"),
        "TimeUnit": scope.inputs.get("timeUnit"),
        "BudgetLimit": _limit(scope),
        "TimePeriod": _period(scope),
        "CostFilters": _filters(scope),
        "CostTypes": _cost_types(scope),
    }
    return {name: value for name, value in described.items() if value is not None}


_BUDGET_USES = (
    "budgetType",
    "costFilters",
    "costTypes",
    "limitAmount",
    "limitUnit",
    "timePeriodEnd",
    "timePeriodStart",
    "timeUnit",
)


# -- notifications -----------------------------------------------------------------------------------


def _notification(item: Mapping[str, Any]) -> Bag:
    return {
        "NotificationType": item.get("notificationType"),
        "ComparisonOperator": item.get("comparisonOperator"),
        "Threshold": float(item.get("threshold") or 0),
        "ThresholdType": item.get("thresholdType"),
    }


def _subscribers(item: Mapping[str, Any]) -> list[Bag]:
    mails = [
        {"SubscriptionType": "EMAIL", "Address": mail} for mail in item.get("subscriberEmailAddresses") or ()
    ]
    topics = [{"SubscriptionType": "SNS", "Address": arn} for arn in item.get("subscriberSnsTopicArns") or ()]
    return mails + topics


def _with_subscribers(scope: Scope) -> list[Bag] | None:
    return [
        {"Notification": _notification(item), "Subscribers": _subscribers(item)}
        for item in scope.inputs.get("notifications") or ()
    ] or None


def _notifications_back(answer: Any, scope: Scope) -> Any:
    """Notifications carry no subscribers: each is asked for its own."""
    return {"notifications": [_described(item, scope) for item in answer.get("Notifications", ())]}


def _described(item: Any, scope: Scope) -> Bag:
    named = {
        name: item[name]
        for name in ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
        if name in item
    }
    subscribers = scope.pages(
        "DescribeSubscribersForNotification",
        "Subscribers",
        AccountId=scope.account,
        BudgetName=scope.lookup("name"),
        Notification=named,
    )
    found: Bag = {
        "notificationType": item.get("NotificationType"),
        "comparisonOperator": item.get("ComparisonOperator"),
        "threshold": item.get("Threshold"),
        "thresholdType": item.get("ThresholdType", "PERCENTAGE"),
    }
    for kind, name in (("EMAIL", "subscriberEmailAddresses"), ("SNS", "subscriberSnsTopicArns")):
        addresses = [sub["Address"] for sub in subscribers if sub["SubscriptionType"] == kind]
        if addresses:
            found[name] = addresses
    return found


def _budget_failures(inputs: Bag) -> Iterable[Failure]:
    for name in ("timePeriodStart", "timePeriodEnd"):
        value = inputs.get(name)
        if isinstance(value, str):
            try:
                _moment(value)
            except ValueError:
                yield Failure(name, f"must be a moment like 2026-01-01_00:00, is {value!r}")
    amount = inputs.get("limitAmount")
    if isinstance(amount, str) and not _is_number(amount):
        yield Failure("limitAmount", f"must be an amount like 500 or 99.50, is {amount!r}")
    if amount is not None and inputs.get("limitUnit") is None:
        yield Failure("limitUnit", "is required with limitAmount, e.g. USD")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _amount(text: Any) -> Any:
    return float(text) if isinstance(text, str) and _is_number(text) else text


def _written(moment: Any) -> str | None:
    return moment.astimezone(datetime.UTC).strftime(_FORMAT) if moment else None


BUDGET = Entry(
    token="aws:budgets/budget:Budget",
    service="budgets",
    id="{account}:{name}",
    create=Call(
        op="CreateBudget",
        args={
            "AccountId": "{account}",
            "Budget": _budget,
            "NotificationsWithSubscribers": _with_subscribers,
        },
        send=(),
        uses=(*_BUDGET_USES, "notifications"),
    ),
    then=(
        Call(
            op="UpdateBudget",
            args={"AccountId": "{account}", "NewBudget": _budget},
            send=(),
            when=_BUDGET_USES,
            on="update",
        ),
        Each(
            prop="notifications",
            add=Call(
                op="CreateNotification",
                args={
                    **_BUDGET,
                    "Notification": lambda s: _notification(s.lookup("item")),
                    "Subscribers": lambda s: _subscribers(s.lookup("item")),
                },
                send=(),
            ),
            remove=Call(
                op="DeleteNotification",
                args={**_BUDGET, "Notification": lambda s: _notification(s.lookup("item"))},
                send=(),
                accept=("NotFoundException",),
            ),
            on="update",
        ),
    ),
    read=(
        Read(
            op="DescribeBudget",
            args=_BUDGET,
            at="Budget",
            only=("budgetType", "timeUnit"),
            into={
                "name": "BudgetName",
                "limitAmount": "BudgetLimit.Amount",
                "limitUnit": "BudgetLimit.Unit",
                "timePeriodStart": lambda found: _written((found.get("TimePeriod") or {}).get("Start")),
                "timePeriodEnd": lambda found: _written((found.get("TimePeriod") or {}).get("End")),
                "costFilters": lambda found: [
                    {"name": name, "values": values}
                    for name, values in (found.get("CostFilters") or {}).items()
                ],
                "costTypes": "CostTypes",
            },
        ),
        Read(
            op="DescribeNotificationsForBudget",
            args=_BUDGET,
            at=_notifications_back,
            only=(),
            into={"notifications": "notifications"},
        ),
    ),
    delete=(Call(op="DeleteBudget", args=_BUDGET, send=()),),
    import_id="{accountId}:{name}",
    tags=Tags(
        create=lambda tags: {"ResourceTags": pairs(tags)},
        read=None,
        read_call=Read(op="ListTagsForResource", args={"ResourceARN": _ARN}, at="ResourceTags"),
        change=Call(op="TagResource", args={"ResourceARN": _ARN, "ResourceTags": "{tags}"}, send=()),
        remove=Call(op="UntagResource", args={"ResourceARN": _ARN, "ResourceTagKeys": "{keys}"}, send=()),
        style="Key",
    ),
    replace=("accountId", "name", "namePrefix"),
    identity=("name",),
    defaults={"timePeriodEnd": _END},
    computed=("accountId", "costFilters", "costTypes", "limitAmount", "limitUnit", "timePeriodStart"),
    local=("namePrefix",),
    unordered=(
        "costFilters",
        "costFilters.values",
        "notifications",
        "notifications.subscriberEmailAddresses",
        "notifications.subscriberSnsTopicArns",
    ),
    normalise={"limitAmount": _amount},
    autoname=Autoname(longest=100, prefix_prop="namePrefix"),
    derive={"arn": _ARN, "accountId": "{account}"},
    missing=("NotFoundException",),
    exists=("DuplicateRecordException",),
    rules=_budget_failures,
)

ENTRIES = (BUDGET,)
