"""CloudWatch: log groups, alarms, dashboards."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.table.common import one_of, pairs
from sandbox.aws.provider.table.model import Autoname, Call, Entry, Read, Scope, Tags
from sandbox.aws.provider.values import Bag

_RETENTIONS = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365,
    400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

_LOG_GROUP_ARN = "arn:{partition}:logs:{region}:{account}:log-group:{id}"

LOG_GROUP = Entry(
    token="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    id="{name}",
    create=Call(op="CreateLogGroup", args={"logGroupName": "{name}"}, send=("kmsKeyId", "logGroupClass")),
    names={"name": "logGroupName"},
    then=(
        Call(
            op="PutRetentionPolicy",
            args={"logGroupName": "{id}"},
            send=("retentionInDays",),
            unset=Call(op="DeleteRetentionPolicy", args={"logGroupName": "{id}"}, send=()),
        ),
        Call(
            op="AssociateKmsKey",
            args={"logGroupName": "{id}", "kmsKeyId": "{kmsKeyId}"},
            send=(),
            on="update",
            unset=Call(op="DisassociateKmsKey", args={"logGroupName": "{id}"}, send=()),
        ),
    ),
    read=(
        Read(
            op="DescribeLogGroups",
            args={"logGroupNamePrefix": "{id}"},
            at="logGroups[?logGroupName=='{id}'] | [0]",
            into={"arn": lambda group: group["arn"].removesuffix(":*")},
        ),
    ),
    delete=(Call(op="DeleteLogGroup", args={"logGroupName": "{id}"}, send=()),),
    tags=Tags(
        create=lambda tags: {"tags": dict(tags)},
        read=None,
        read_call=Read(op="ListTagsForResource", args={"resourceArn": _LOG_GROUP_ARN}, at="tags"),
        change=Call(op="TagResource", args={"resourceArn": _LOG_GROUP_ARN, "tags": "{tags}"}, send=()),
        remove=Call(op="UntagResource", args={"resourceArn": _LOG_GROUP_ARN, "tagKeys": "{keys}"}, send=()),
    ),
    replace=("logGroupClass", "name", "namePrefix"),
    identity=("name",),
    defaults={"retentionInDays": 0, "skipDestroy": False},
    computed=("logGroupClass",),
    local=("skipDestroy", "namePrefix"),
    autoname=Autoname(longest=512, prefix_prop="namePrefix"),
    emulator_gaps={"kmsKeyId": "AssociateKmsKey and DisassociateKmsKey are not implemented"},
    rules=one_of("retentionInDays", _RETENTIONS),
    missing=("ResourceNotFoundException",),
    exists=("ResourceAlreadyExistsException",),
)


# -- alarms ------------------------------------------------------------------------------------------


def _queries(scope: Scope) -> list[Bag] | None:
    return [_query(query) for query in scope.inputs.get("metricQueries") or ()] or None


def _query(query: Bag) -> Bag:
    plain = {
        "Id": query.get("id"),
        "Expression": query.get("expression"),
        "Label": query.get("label"),
        "ReturnData": query.get("returnData"),
        "Period": query.get("period"),
        "AccountId": query.get("accountId"),
        "MetricStat": _metric_stat(query["metric"]) if query.get("metric") else None,
    }
    return {name: value for name, value in plain.items() if value is not None}


def _metric_stat(metric: Bag) -> Bag:
    source = {
        "MetricName": metric.get("metricName"),
        "Namespace": metric.get("namespace"),
        "Dimensions": pairs(metric.get("dimensions") or {}, "Name"),
    }
    stat = {
        "Metric": {name: value for name, value in source.items() if value},
        "Period": metric.get("period"),
        "Stat": metric.get("stat"),
        "Unit": metric.get("unit"),
    }
    return {name: value for name, value in stat.items() if value is not None}


def _queries_back(alarm: Any) -> list[Bag]:
    return [
        {
            "id": item.get("Id"),
            "expression": item.get("Expression"),
            "label": item.get("Label"),
            "returnData": item.get("ReturnData"),
            "period": item.get("Period"),
            "accountId": item.get("AccountId"),
            "metric": _metric_back(item["MetricStat"]) if item.get("MetricStat") else None,
        }
        for item in alarm.get("Metrics") or ()
    ]


def _metric_back(stat: Any) -> Bag:
    metric = stat.get("Metric", {})
    return {
        "metricName": metric.get("MetricName"),
        "namespace": metric.get("Namespace"),
        "dimensions": {pair["Name"]: pair["Value"] for pair in metric.get("Dimensions", ())},
        "period": stat.get("Period"),
        "stat": stat.get("Stat"),
        "unit": stat.get("Unit"),
    }


def _statistic(alarm: Any) -> Any:
    return alarm.get("Statistic") if alarm.get("MetricName") and not alarm.get("ExtendedStatistic") else None


_ALARM_ARN = "arn:{partition}:cloudwatch:{region}:{account}:alarm:{id}"
_PUT_ALARM: dict[str, Any] = {
    "op": "PutMetricAlarm",
    "args": {
        "AlarmName": "{name}",
        "Metrics": _queries,
        "EvaluateLowSampleCountPercentile": "{evaluateLowSampleCountPercentiles}",
    },
    "uses": ("metricQueries",),
}

METRIC_ALARM = Entry(
    token="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    id="{name}",
    create=Call(**_PUT_ALARM),
    then=(Call(**_PUT_ALARM, on="update"),),
    names={
        "name": "AlarmName",
        "okActions": "OKActions",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    },
    read=(
        Read(
            op="DescribeAlarms",
            args={"AlarmNames": ["{id}"], "AlarmTypes": ["MetricAlarm"]},
            at="MetricAlarms[0]",
            into={
                "metricQueries": _queries_back,
                # An alarm on queries has neither; the emulator shows what it would take by default.
                "period": lambda alarm: alarm.get("Period") if alarm.get("MetricName") else None,
                "statistic": _statistic,
            },
        ),
    ),
    delete=(Call(op="DeleteAlarms", args={"AlarmNames": ["{id}"]}, send=()),),
    tags=Tags(
        create=lambda tags: {"Tags": pairs(tags)},
        read=None,
        read_call=Read(op="ListTagsForResource", args={"ResourceARN": _ALARM_ARN}, at="Tags"),
        change=Call(op="TagResource", args={"ResourceARN": _ALARM_ARN, "Tags": "{tags}"}, send=()),
        remove=Call(op="UntagResource", args={"ResourceARN": _ALARM_ARN, "TagKeys": "{keys}"}, send=()),
        style="Key",
    ),
    replace=("name",),
    identity=("name",),
    defaults={"actionsEnabled": True, "treatMissingData": "missing"},
    computed=("evaluateLowSampleCountPercentiles", "evaluationPeriods"),
    unordered=("alarmActions", "okActions", "insufficientDataActions", "metricQueries"),
    autoname=Autoname(),
    derive={"arn": _ALARM_ARN},
    missing=("ResourceNotFound",),
    emulator_gaps={
        "evaluateLowSampleCountPercentiles": "PutMetricAlarm takes it, DescribeAlarms does not show it",
        "metricQueries": "PutMetricAlarm takes Metrics, DescribeAlarms shows none",
    },
)

DASHBOARD = Entry(
    token="aws:cloudwatch/dashboard:Dashboard",
    service="cloudwatch",
    id="{dashboardName}",
    create=Call(op="PutDashboard"),
    then=(Call(op="PutDashboard", on="update"),),
    read=(Read(op="GetDashboard", args={"DashboardName": "{id}"}),),
    delete=(Call(op="DeleteDashboards", args={"DashboardNames": ["{id}"]}, send=()),),
    import_id="{dashboardName}",
    replace=("dashboardName",),
    identity=("dashboardName",),
    json=("dashboardBody",),
    missing=("ResourceNotFound", "DashboardNotFoundError"),
)

ENTRIES = (LOG_GROUP, METRIC_ALARM, DASHBOARD)
