"""What CloudWatch and Prometheus say of a workload, and how sure that is."""

from pathlib import Path
from typing import Any

import pytest
from metrics import (
    DAY,
    FUNCTION,
    GPU_POD,
    HOUR,
    POD,
    WEEK,
    data,
    hybrid,
    matrix,
    observed,
    of,
    result,
    said,
    series,
    statistics,
    vector,
)

from components.traffic import Sureness, TraceError

WORKS = 40  # of everything that has enough points to be no single value


# --- CloudWatch


def test_a_function_by_its_name_and_the_metric_by_the_label(tmp_path: Path):
    found = of(
        "index",
        observed(
            tmp_path,
            data(
                result(f"{FUNCTION} Invocations", [120] * WORKS, identifier="a"),
                result(f"{FUNCTION} Duration", [40] * WORKS, identifier="b"),
            ),
        ),
    )
    assert found.requests is not None
    assert str(found.requests.rate) == "2/s"
    assert str(found.service_time) == "40ms"


@pytest.mark.parametrize(
    ("label", "identifier"),
    [
        pytest.param("index Invocations", "m1", id="the workload as a word of the label"),
        pytest.param(f"AWS/Lambda {FUNCTION}:live Invocations Sum", "m1", id="with alias and statistic"),
        pytest.param("ANY /v2/models/index Count", "m1", id="a route, beside a workload called models"),
        pytest.param(FUNCTION, "invocations", id="a search: the metric is in the id only"),
        pytest.param("anything", "invocations_index", id="both in the id"),
    ],
)
def test_labels_and_ids_that_name_a_workload(label: str, identifier: str, tmp_path: Path):
    document = data(result(label, [60] * WORKS, identifier=identifier))
    stack = hybrid(chat={"name": "models"})
    requests = of("index", observed(tmp_path, document, stack=stack)).requests
    assert requests is not None
    assert str(requests.rate) == "1/s"


def test_durations_are_weighed_by_the_requests_behind_them(tmp_path: Path):
    found = of(
        "index",
        observed(
            tmp_path,
            data(
                result("index Invocations", [90, 10], identifier="a"),
                result("index Duration", [10, 110], identifier="b"),
            ),
        ),
    )
    assert str(found.service_time) == "20ms"


def test_a_minute_without_a_point_is_one_without_a_request(tmp_path: Path):
    sparse = result("index Invocations", [60] * 10)
    sparse["Timestamps"], sparse["Values"] = sparse["Timestamps"][::9], [60, 60]
    requests = of("index", observed(tmp_path, data(sparse))).requests
    assert requests is not None
    # Ten minutes lie between them, but their step is nine: what is between is not known to be finer.
    assert requests.rate is not None
    assert requests.rate.per_second == pytest.approx(60 / 540, rel=0.01)


def test_routes_of_the_front_door_are_added_up_and_give_way_to_the_function_itself(tmp_path: Path):
    routes = [
        result(f"ANY /v2/models/index{rest} Count", [30] * WORKS, identifier=f"c{at}")
        for at, rest in enumerate(("", "/{proxy+}"))
    ]
    alone = of("index", observed(tmp_path, data(*routes))).requests
    both = of("index", observed(tmp_path, data(*routes, result("index Invocations", [45] * 9)))).requests
    assert alone is not None
    assert both is not None
    assert (str(alone.rate), str(both.rate)) == ("1/s", "0.75/s")


def test_a_twin_sees_the_tail_only(tmp_path: Path):
    twin = {"serve.function": {"bundle": "a", "handler": "b.c", "memory": "1GiB"}, "placement.twin": {}}
    name = "haproxy_backend_http_requests_total"
    found = of(
        "embed",
        observed(
            tmp_path,
            data(
                result("hybrid-fn-embed-function-0a1b2c3 Invocations", [6] * WORKS, identifier="i"),
                result("hybrid-fn-embed-function-0a1b2c3 Duration", [400] * WORKS, identifier="d"),
            ),
            matrix(
                series({"__name__": name, "proxy": "model-embed"}, range(0, 54 * WORKS, 54)),
                series({"__name__": name, "proxy": "tail-embed"}, range(0, 6 * WORKS, 6)),
            ),
            stack=hybrid(embed=twin),
        ),
    )
    assert found.requests is not None
    assert (str(found.requests.rate), found.service_time) == ("1/s", None)
    assert "that is its twin" in said(found)


def test_provisioned_concurrency_is_a_ratio_though_its_unit_says_percent(tmp_path: Path):
    document = statistics("ProvisionedConcurrencyUtilization", [{"Average": 0.4, "Unit": "Percent"}] * WORKS)
    found = observed(tmp_path, document, **{"metrics-0": "index"})
    assert str(of("index", found).utilization) == "40%"


@pytest.mark.parametrize(
    ("point", "label", "kind", "share"),
    [
        pytest.param({"Average": 35.0, "Unit": "Percent"}, "CPUUtilization", "", "35%", id="by its unit"),
        pytest.param({"Average": 0.35, "Unit": "None"}, "Load", "ratio=", "35%", id="declared a ratio"),
        pytest.param({"Average": 35.0}, "Load", "percent=", "35%", id="declared in percent"),
    ],
)
def test_statistics_of_how_busy(point: dict[str, Any], label: str, kind: str, share: str, tmp_path: Path):
    found = observed(tmp_path, kind + statistics(label, [point] * WORKS), **{"metrics-0.json": "embed"})
    assert str(of("embed", found).utilization) == share


# --- Prometheus


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        pytest.param(
            "chat", {"exported_pod": GPU_POD, "pod": "dcgm-exporter-q8v7x"}, id="the exporter's pod"
        ),
        pytest.param("chat", {"pod": GPU_POD, "namespace": "models"}, id="the pod"),
        pytest.param("chat", {"workload": "chat"}, id="workload"),
        pytest.param("chat", {"halfmetal_dev_workload": "chat"}, id="the annotation"),
        pytest.param("chat", {"label_app_kubernetes_io_name": "chat"}, id="the pod's own label"),
        pytest.param("chat", {"model_name": "chat"}, id="vLLM"),
    ],
)
def test_labels_that_name_a_workload(name: str, metric: dict[str, str], tmp_path: Path):
    document = matrix(series({"__name__": "DCGM_FI_DEV_GPU_UTIL", **metric}, [60] * WORKS))
    assert str(of(name, observed(tmp_path, document)).utilization) == "60%"


def test_replicas_are_busy_on_average_and_the_busiest_resource_counts(tmp_path: Path):
    gpu = [
        series({"__name__": "DCGM_FI_DEV_GPU_UTIL", "pod": f"chat-5f6b7c8d9-abcd{pod}"}, [40 + pod] * WORKS)
        for pod in range(3)
    ]
    cpu = series({"__name__": "pod:cpu_usage:ratio", "pod": GPU_POD}, [0.2] * WORKS)
    assert str(of("chat", observed(tmp_path, matrix(*gpu, cpu))).utilization) == "41%"


def test_cpu_seconds_are_of_what_a_replica_asks_for_and_counted_once(tmp_path: Path):
    name = "container_cpu_usage_seconds_total"
    used = [0.15 * 60 * at for at in range(WORKS)]  # of half a core
    found = observed(
        tmp_path,
        matrix(
            series({"__name__": name, "pod": POD, "container": "model", "id": "/a/b"}, used),
            series({"__name__": name, "pod": POD, "container": "POD", "id": "/a/c"}, [0] * WORKS),
            series({"__name__": name, "pod": POD, "id": "/a"}, used),
        ),
    )
    assert str(of("embed", found).utilization) == "30%"


def test_a_running_total_that_was_started_anew_counts_on(tmp_path: Path):
    name = "haproxy_backend_http_requests_total"
    total = [100_000 + 600 * at for at in range(20)] + [600 * at for at in range(1, 20)]
    found = of("embed", observed(tmp_path, matrix(series({"__name__": name, "proxy": "model-embed"}, total))))
    assert found.requests is not None
    assert str(found.requests.rate) == "10/s"
    assert "fell back once" in said(found)


def test_rates_without_a_name_are_declared_and_added_up(tmp_path: Path):
    gateways = [series({"proxy": "model-embed", "instance": f"gateway-{at}"}, [5] * WORKS) for at in range(2)]
    requests = of("embed", observed(tmp_path, "rate=" + matrix(*gateways))).requests
    assert requests is not None
    assert (str(requests.rate), str(requests.peak)) == ("10/s", "10/s")


def test_an_instant_answer_is_used_and_called_poor(tmp_path: Path):
    found = of(
        "embed",
        observed(
            tmp_path,
            "ratio=" + vector(({"workload": "embed"}, 0.25)),
            "rate=" + vector(({"workload": "embed"}, 8)),
            "seconds=" + vector(({"workload": "embed"}, 0.03)),
        ),
    )
    assert (str(found.utilization), str(found.service_time)) == ("25%", "30ms")
    assert found.requests is not None
    assert str(found.requests.rate) == "8/s"
    assert {reading.sureness for reading in found.readings} == {Sureness.POOR}


@pytest.mark.parametrize(
    ("seconds", "sureness", "why"),
    [
        pytest.param(HOUR // 2, Sureness.POOR, "less than an hour", id="half an hour"),
        pytest.param(3 * HOUR, Sureness.FAIR, "less than a day", id="three hours"),
        pytest.param(2 * DAY, Sureness.FAIR, "less than a week", id="two days"),
        pytest.param(WEEK, Sureness.SURE, "in 7 days", id="a week"),
    ],
)
def test_how_sure_an_average_is(seconds: int, sureness: Sureness, why: str, tmp_path: Path):
    step = max(60, seconds // 200)
    document = matrix(
        series({"__name__": "DCGM_FI_DEV_GPU_UTIL", "pod": GPU_POD}, [50] * (seconds // step), step=step)
    )
    (reading,) = of("chat", observed(tmp_path, document)).readings
    assert reading.sureness is sureness
    assert why in reading.why


# --- what is wrong with a series


@pytest.mark.parametrize(
    ("document", "problem", "remedy"),
    [
        pytest.param(
            matrix(series({"workload": "embed"}, [0.3] * WORKS)),
            "does not say what it measures",
            "--observed KIND=",
            id="no name and no kind",
        ),
        pytest.param(
            matrix(series({"__name__": "node_load1", "workload": "embed"}, [0.3] * WORKS)),
            "'node_load1' of",
            "--observed KIND=",
            id="a name that says nothing",
        ),
        pytest.param(
            matrix(series({"__name__": "memory_utilization_ratio", "workload": "embed"}, [0.3] * WORKS)),
            "is not used",
            "--observed KIND=",
            id="memory is no time",
        ),
        pytest.param(
            "ratio=" + matrix(series({"workload": "embed"}, [35] * WORKS)),
            "busy 3,500% of the time, which nothing is",
            "percent=FILE",
            id="percent taken for a ratio",
        ),
        pytest.param(
            "percent=" + matrix(series({"workload": "embed"}, [180] * WORKS)),
            "busy 180% of the time",
            "not their sum",
            id="replicas added up",
        ),
        pytest.param(
            "ratio=" + matrix(series({"workload": "embed"}, ["NaN", "-1", "+Inf"])),
            "3 samples of",
            "division by zero",
            id="nothing but NaN, negative and infinite",
        ),
        pytest.param(
            "cores=" + matrix(series({"workload": "embed"}, [0.2] * WORKS)),
            "does not say which pod",
            "sum by (pod)",
            id="cores of all replicas",
        ),
        pytest.param(
            matrix(series({"__name__": "container_cpu_usage_seconds_total", "pod": POD}, [7])),
            "is a running total, of which one value",
            "range",
            id="one value of a running total",
        ),
        pytest.param(
            "rate=" + matrix(series({"workload": "embed"}, range(1000, 1100, 7))),
            "that is a running total, no rate",
            "rate(",
            id="a running total declared a rate",
        ),
        pytest.param(
            "seconds=" + matrix(series({"workload": "embed"}, [0] * WORKS)),
            "takes nothing",
            "unit",
            id="a request that takes no time",
        ),
        pytest.param(
            data(result("embed Invocations", [])), "has no values", "a time in which", id="no datapoints"
        ),
        pytest.param(
            data(result("embed Invocations", [5])), "has one point", "longer time", id="one datapoint"
        ),
        pytest.param(
            "ratio="
            + matrix(
                series({"workload": "embed", "namespace": "models"}, [0.3] * WORKS),
                series({"workload": "embed", "namespace": "staging"}, [0.1] * WORKS),
            ),
            "series are of 2 deployments ('models', 'staging')",
            "one namespace",
            id="two namespaces",
        ),
        pytest.param(
            data(
                result("dev-fn-embed-function-0a1b2c3 Duration", [30] * WORKS),
                result("prod-fn-embed-function-3c2b1a0 Duration", [40] * WORKS),
            ),
            "series are of 2 deployments",
            "one function",
            id="two functions",
        ),
    ],
)
def test_a_series_that_says_nothing_of_use(document: str, problem: str, remedy: str, tmp_path: Path):
    found = of("embed", observed(tmp_path, document))
    assert found.is_empty
    finding = next(each for each in found.findings if problem in each.message)
    assert remedy in finding.remedy


def test_a_replica_that_uses_more_cpu_than_it_asks_for(tmp_path: Path):
    found = of("embed", observed(tmp_path, "cores=" + matrix(series({"pod": POD}, [0.8] * WORKS))))
    assert str(found.utilization) == "100%"
    assert "ask for what it uses: needs.cpu 0.8" in said(found)


def test_some_samples_that_are_none_are_left_out(tmp_path: Path):
    values = [0.2, "NaN", 0.4, "-3", 0.6]
    found = of("embed", observed(tmp_path, "ratio=" + matrix(series({"workload": "embed"}, values))))
    assert str(found.utilization) == "40%"
    assert "2 samples of" in said(found)


def test_two_values_at_one_time_are_one_and_the_first(tmp_path: Path):
    twice = series({"workload": "embed", "__name__": "http_requests_total"}, [0, 60, 120])
    twice["values"].insert(1, [twice["values"][0][0], "600"])
    found = of("embed", observed(tmp_path, matrix(twice)))
    assert found.requests is not None
    assert str(found.requests.rate) == "1/s"
    assert "1 sample of" in said(found)


def test_what_is_wrong_with_many_series_is_told_once(tmp_path: Path):
    pods = [series({"pod": f"embed-7d9f8c6b5d-x2x4{pod}"}, [0.2, "NaN", 0.4]) for pod in range(5)]
    (finding,) = of("embed", observed(tmp_path, "ratio=" + matrix(*pods))).findings
    assert finding.message.endswith("(and 4 more like it)")


def test_a_gpu_that_was_not_measured(tmp_path: Path):
    document = "ratio=" + matrix(series({"workload": "chat"}, [0.2] * WORKS))
    assert "its accelerator was not measured" in said(of("chat", observed(tmp_path, document)))


def test_no_request_in_the_whole_time_is_known_and_not_unknown(tmp_path: Path):
    found = of("index", observed(tmp_path, data(result("index Invocations", [0] * WORKS))))
    assert found.is_idle
    assert not found.is_empty


def test_what_may_be_the_wrong_statistic_is_asked_about(tmp_path: Path):
    found = of("index", observed(tmp_path, data(result("index Invocations", [1] * WORKS))))
    assert "which is what its Average always is" in said(found)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        pytest.param(
            data(result("index Duration p99", [90] * WORKS)), "is the p99 of Duration", id="a percentile"
        ),
        pytest.param(
            data(result("index Invocations Average", [1] * WORKS)),
            "is the Average of Invocations",
            id="average",
        ),
        pytest.param(
            statistics("Duration", [{"Maximum": 90.0, "Unit": "Milliseconds"}] * WORKS),
            "is the Maximum of Duration",
            id="the maximum",
        ),
        pytest.param(
            statistics("Load", [{"Average": 1.0, "Unit": unit} for unit in ("Percent", "None")]),
            "points in several units (None, Percent)",
            id="two units",
        ),
    ],
)
def test_the_wrong_statistic_or_unit_is_left_out(document: str, problem: str, tmp_path: Path):
    good = data(result("embed Duration", [20] * WORKS))
    assert problem in said(observed(tmp_path, document, good, **{"metrics-0": "index"}))


# --- the same more than once


def test_pages_of_one_answer_are_one_series(tmp_path: Path):
    whole = result("index Invocations", [60] * WORKS)
    pages = [
        data(whole | {key: whole[key][part] for key in ("Timestamps", "Values")})
        for part in (slice(0, 15), slice(15, None))
    ]
    together = observed(tmp_path, "".join(pages))
    assert of("index", together).requests == of("index", observed(tmp_path, *pages)).requests
    assert of("index", together).requests == of("index", observed(tmp_path, data(whole))).requests


def test_the_same_file_twice_counts_once(tmp_path: Path):
    document = "rate=" + matrix(series({"workload": "embed"}, [5] * WORKS))
    once, twice = (of("embed", observed(tmp_path, *[document] * times)) for times in (1, 2))
    assert once.requests == twice.requests
    assert "is there 2 times: taken once" in said(twice)


def test_two_answers_that_contradict_each_other_are_left_out(tmp_path: Path):
    documents = [data(result("index Duration", [value] * WORKS)) for value in (20, 30)]
    found = of("index", observed(tmp_path, *documents))
    assert found.service_time is None
    assert "with different values for the same time" in said(found)


def test_what_two_metrics_count_is_not_added_up(tmp_path: Path):
    found = observed(
        tmp_path,
        matrix(
            series(
                {"__name__": "haproxy_backend_http_requests_total", "proxy": "model-embed"},
                range(0, 6000, 60),
            ),
            series({"__name__": "http_requests_total", "pod": POD}, range(0, 3000, 60)),
        ),
    )
    requests = of("embed", found).requests
    assert requests is not None
    assert str(requests.rate) == "1/s"
    assert "how many requests come is told by http_requests_total too" in said(of("embed", found))


# --- which workload


def test_series_of_nobody_are_named_once(tmp_path: Path):
    kept = series({"workload": "embed"}, [0.3] * WORKS)
    others = [series({"pod": f"coredns-{at}"}, [0.1] * WORKS) for at in range(8)]
    found = observed(tmp_path, "ratio=" + matrix(kept, *others))
    (finding,) = found.findings
    assert "8 of 9 series are of no workload of the stack" in finding.message
    assert "and 3 more" in finding.message


def test_a_series_is_mapped_by_any_of_its_names(tmp_path: Path):
    document = "ratio=" + matrix(series({"pod": "triton-0"}, [0.3] * WORKS))
    assert str(of("embed", observed(tmp_path, document, **{"triton-0": "embed"})).utilization) == "30%"


def test_a_map_that_no_series_answers_to(tmp_path: Path):
    document = "ratio=" + matrix(series({"workload": "embed"}, [0.3] * WORKS))
    assert "no series is called 'triton'" in said(observed(tmp_path, document, triton="chat"))


def test_a_map_to_no_workload(tmp_path: Path):
    document = "ratio=" + matrix(series({"workload": "embed"}, [0.3] * WORKS))
    with pytest.raises(TraceError, match="embbed is no workload of the stack") as error:
        observed(tmp_path, document, x="embbed")
    assert "embed" in error.value.remedy


def test_no_series_is_of_the_stack(tmp_path: Path):
    with pytest.raises(TraceError, match="no series is of a workload of the stack") as error:
        observed(tmp_path, "ratio=" + matrix(series({"pod": "coredns-1"}, [0.3] * WORKS)))
    assert "--map SERIES=WORKLOAD" in error.value.remedy
    assert "coredns-1" in error.value.detail


def test_a_function_whose_name_ends_like_that_of_another(tmp_path: Path):
    stack = hybrid(embed={"name": "x-fn-index"})
    document = data(result("hybrid-fn-x-fn-index-function-0a1b2c3 Duration", [20] * WORKS))
    found = observed(tmp_path, document, stack=stack)
    assert (of("index", found).is_empty, of("x-fn-index", found).is_empty) == (True, False)
