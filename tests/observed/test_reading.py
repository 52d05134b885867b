"""Files that are no measurements: what is said of each, and that nothing else ever happens."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from metrics import data, hybrid, matrix, observed, result, said, series, statistics

from components.observed import DECLARED, Named, Quantity, judge, measure, read
from components.traffic import TraceError

GOOD = matrix(series({"__name__": "DCGM_FI_DEV_GPU_UTIL", "workload": "chat"}, [5] * 20))


@pytest.mark.parametrize(
    ("content", "problem", "remedy"),
    [
        pytest.param("", "is empty", "get-metric-data", id="nothing"),
        pytest.param("[]", "is no answer of CloudWatch or Prometheus", "get-metric-data", id="a list"),
        pytest.param('"ok"', "is no answer", "query_range", id="a text"),
        pytest.param("{}", "is no answer", "query_range", id="an empty object"),
        pytest.param("busy,0.5\n", "is no JSON", "query_range", id="CSV"),
        pytest.param(GOOD[:-30], "is cut off", "query_range", id="half a document"),
        pytest.param("[" * 100_000, "nested too deeply", "query_range", id="a hundred thousand brackets"),
        pytest.param('{"a":' * 100_000, "nested too deeply", "query_range", id="as many objects"),
        pytest.param(f"[{'9' * 5000}]", "without end", "query_range", id="a number of five thousand digits"),
        pytest.param(bytes(range(256)), "is a binary file", "measurements", id="a binary file"),
        pytest.param(
            gzip.compress(GOOD.encode())[:-9], "ends too early", "fetch it again", id="half a gzip file"
        ),
        pytest.param(
            '{"status":"error","errorType":"bad_data","error":"parse error"}',
            "Prometheus answered: 'parse error'",
            "query_range",
            id="an error of Prometheus",
        ),
        pytest.param(matrix(), "matched no series", "query_range", id="no series"),
        pytest.param(
            '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
            "its result is 'scalar'",
            "query_range",
            id="a scalar",
        ),
        pytest.param('{"data":{"resultType":"matrix","result":7}}', "no query for series", "query", id="a 7"),
        pytest.param('{"MetricDataResults":[]}', "holds no series", "ask for metrics", id="no results"),
        pytest.param('{"MetricDataResults":{}}', "are no list", "fetch it again", id="results that are none"),
        pytest.param('{"Datapoints":"x","Label":"y"}', "are no list", "fetch it again", id="no points"),
    ],
)
def test_a_file_without_measurements(content: str | bytes, problem: str, remedy: str, tmp_path: Path):
    file = tmp_path / "metrics.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(TraceError) as error:
        read([Named(str(file))])
    assert problem in error.value.what
    assert remedy in error.value.remedy
    assert str(file) in error.value.what


@pytest.mark.parametrize(
    ("path", "problem", "remedy"),
    [
        pytest.param("none.json", "does not exist", "a file of measurements", id="no file"),
        pytest.param(".", "is a folder", "halfmetal plan --observed -", id="a folder"),
    ],
)
def test_no_file_at_all(path: str, problem: str, remedy: str, tmp_path: Path):
    with pytest.raises(TraceError, match=problem) as error:
        read([Named(f"{tmp_path}/{path}")])
    assert remedy in error.value.remedy


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(
            data(result("index Duration", [9], StatusCode="PartialData")), "not complete", id="partial"
        ),
        pytest.param(data(result("index Duration", [9]), NextToken="x"), "one page", id="more pages"),
        pytest.param(
            data(result("index Duration", [9]), Messages=[{"Code": "x", "Value": "too many"}]),
            "CloudWatch says: 'too many'",
            id="a message",
        ),
        pytest.param(
            data(result("index Duration", [9]), result("index Errors", [9], Values=[1, 2])),
            "not one value for each of its times",
            id="more values than times",
        ),
        pytest.param(
            json.loads(GOOD) | {"warnings": ["results truncated"]}, "results truncated", id="a warning"
        ),
        pytest.param(
            matrix(json.loads(GOOD)["data"]["result"][0], {"metric": {"workload": "chat"}, "histograms": []}),
            "1 of 2 series have no values (native histograms among them)",
            id="a native histogram",
        ),
    ],
)
def test_an_answer_that_is_not_whole(content: str | dict[str, Any], problem: str, tmp_path: Path):
    file = tmp_path / "metrics.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    (finding,) = [each for each in read([Named(str(file))]).findings if problem in each.message]
    assert finding.remedy


def test_answers_one_behind_the_other_and_packed(tmp_path: Path):
    file = tmp_path / "metrics.json.gz"
    both = GOOD + "\n\n" + data(result("index Duration", [9] * 5)) + "\n"
    file.write_bytes(gzip.compress(both.encode()))
    found = measure(hybrid(), read([Named(str(file))]))
    assert [name for name, each in found.by_workload.items() if not each.is_empty] == ["chat", "index"]


@pytest.mark.parametrize(
    ("text", "path", "declared"),
    [
        pytest.param("a.json", "a.json", None, id="a file"),
        pytest.param("percent=a.json", "a.json", Quantity.PERCENT, id="in percent"),
        pytest.param("a=b.json", "a=b.json", None, id="a file with = in its name"),
        pytest.param("rate=-", "-", Quantity.RATE, id="standard input"),
    ],
)
def test_files_and_what_they_hold(text: str, path: str, declared: Quantity | None):
    assert Named.parse(text) == Named(path, declared)


@pytest.mark.parametrize(
    ("declared", "document"),
    [
        pytest.param("ratio", GOOD, id="percent called a ratio"),
        pytest.param(
            "percent",
            statistics("ProvisionedConcurrencyUtilization", [{"Average": 0.4, "Unit": "Percent"}]),
            id="a ratio called percent",
        ),
        pytest.param("rate", data(result("index Duration", [9])), id="times called requests"),
    ],
)
def test_what_a_known_metric_is_not(declared: str, document: str, tmp_path: Path):
    with pytest.raises(TraceError, match="not "):
        observed(tmp_path, f"{declared}={document}")


# --- anything at all

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["NaN", "+Inf", "0.5", "2026-11-16T00:00:00Z", "9" * 400, "workload", "index Duration"]),
)
_KEYS = st.sampled_from(
    [
        "status",
        "data",
        "resultType",
        "result",
        "metric",
        "values",
        "value",
        "warnings",
        "MetricDataResults",
        "Id",
        "Label",
        "Timestamps",
        "Values",
        "StatusCode",
        "Messages",
        "Datapoints",
        "Average",
        "Sum",
        "Unit",
        "Timestamp",
        "NextToken",
        "__name__",
        "workload",
        "pod",
    ]
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)
_PAIRS = st.lists(st.tuples(_SCALARS, _SCALARS), max_size=5)
_NAMES = st.sampled_from(
    ["DCGM_FI_DEV_GPU_UTIL", "http_requests_total", "container_cpu_usage_seconds_total", "x_cpu_ratio", ""]
)
_SERIES = st.fixed_dictionaries(
    {
        "metric": st.fixed_dictionaries({"__name__": _NAMES, "workload": st.just("chat")}) | _ANYTHING,
        "values": _PAIRS | _ANYTHING,
    }
)
_PROMETHEUS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["success", "error"]) | _SCALARS,
        "data": st.fixed_dictionaries(
            {
                "resultType": st.sampled_from(["matrix", "vector"]) | _SCALARS,
                "result": st.lists(_SERIES, max_size=3) | _ANYTHING,
            }
        ),
    }
)
_RESULT = st.fixed_dictionaries(
    {
        "Id": st.sampled_from(["m1", "invocations"]) | _SCALARS,
        "Label": st.sampled_from(["index Duration", "index Invocations", "chat x"]) | _SCALARS,
        "Timestamps": st.lists(_SCALARS, max_size=3) | _ANYTHING,
        "Values": st.lists(_SCALARS, max_size=3) | _ANYTHING,
    }
)
_CLOUDWATCH = st.fixed_dictionaries({"MetricDataResults": st.lists(_RESULT, max_size=3) | _ANYTHING}) | (
    st.fixed_dictionaries({"Datapoints": st.lists(_ANYTHING, max_size=4), "Label": _SCALARS})
)


@given(
    document=_PROMETHEUS | _CLOUDWATCH | _ANYTHING,
    kind=st.sampled_from(["", *(f"{kind}=" for kind in DECLARED)]),
)
@example(
    document={"data": {"resultType": "matrix", "result": [{"metric": [], "values": [[0, "\ud800"]]}]}},
    kind="",
)
def test_any_json_is_measured_or_refused_in_words(
    document: Any, kind: str, tmp_path_factory: pytest.TempPathFactory
):
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_text(json.dumps(document))
    stack = hybrid()
    try:
        found = measure(stack, read([Named.parse(f"{kind}{file}")]), {str(file): "index"})
    except TraceError as error:
        assert error.remedy
        return
    assert all(finding.remedy for finding in found.findings)
    for each in found.by_workload.values():
        assert each.utilization is None or each.utilization.fraction <= 1
    assert {each.name for each in judge(stack, found).judged} == {"chat", "embed", "index"}
    assert said(found) is not None
