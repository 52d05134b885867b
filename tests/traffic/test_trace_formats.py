"""Each format of log, as its writer writes it: when requests came, what they took, and what they were for."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from traces import NOON, SECOND, csv_of, written, zipped

from components.data_plane import haproxy
from components.traffic import Arrivals, Counts, ReadOptions, TraceError, read

ALB = (
    "https {ended} app/front/50dc6c495c0c9188 203.0.113.7:2817 10.0.0.1:80 "
    "0.001 0.250 0.000 200 200 340 2870 "
    '"POST https://api.example.com:443/v2/models/embed/infer?x=1 HTTP/1.1" "curl/7.46 \\"x\\"" '
    "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
    'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337262" '
    '"api.example.com" "session-reused" 1 {created} "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1\n'
)
CLF = (
    '203.0.113.7 - - [25/Nov/2026:12:00:0{s} +0000]"POST /v2/models/embed/infer HTTP/1.1" 200 512 '
    "id-{s} ext-{s}\n"
)


def alb(second: int) -> str:
    return ALB.format(
        ended=f"2026-11-25T12:00:0{second}.300000Z", created=f"2026-11-25T12:00:0{second}.049000Z"
    )


def gateway_line(second: int, *, workload: str = "embed", **changes: object) -> str:
    """A line of the gateway, made from its own format so that a change there is a change here."""
    values = {
        "%[date,utime(%Y-%m-%dT%H:%M:%SZ)]": f"2026-11-25T12:00:{second:02d}Z",
        "%[var(txn.id),json(utf8s)]": f"id-{second}",
        "%[var(txn.path),json(utf8s)]": f"/v2/models/{workload}/infer",
        "%ci": "203.0.113.7",
        "%HM": "POST",
        "%b": f"model-{workload}",
        "%s": "pod-1",
        "%ST": "200",
        "%B": "512",
        "%Tw": "100",
        "%Tc": "20",
        "%Tr": "300",
        "%Ta": "450",
        "%rc": "0",
        "%ts": "--",
    }
    line = haproxy._LOG
    for variable, value in sorted(values.items(), key=lambda pair: -len(pair[0])):
        line = line.replace(variable, value)
    assert "%" not in line
    return json.dumps(json.loads(line) | changes, separators=(",", ":")) + "\n"


def taken(folder: Path, content: str | bytes, **options: str | None) -> Arrivals:
    trace = read(written(folder, content), options=ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(trace, Arrivals)
    return trace


def seconds(trace: Arrivals) -> list[float]:
    return [round((ns - NOON * SECOND) / SECOND, 6) for ns in trace.times_ns.tolist()]


@pytest.mark.parametrize(
    ("content", "kind", "times", "service"),
    [
        pytest.param(csv_of([0, 0.5, 2]), "csv", [0, 0.5, 2], None, id="CSV of one column"),
        pytest.param(
            "id;Timestamp;latency_ms\n1;2026-11-25T12:00:00Z;20\n2;2026-11-25T12:00:01Z;30\n",
            "csv",
            [0, 1],
            [0.02, 0.03],
            id="semicolons, unit in the name",
        ),
        pytest.param(
            "ts\tduration\n2026-11-25T12:00:00Z\t20ms\n2026-11-25T12:00:01Z\t1.5s\n",
            "csv",
            [0, 1],
            [0.02, 1.5],
            id="tabs, unit in the values",
        ),
        pytest.param(
            f"time,latency_ms,,\n{NOON},20,,\n{NOON + 1},1.5s,,\n",
            "csv",
            [0, 1],
            [0.02, 1.5],
            id="columns without a name, one value with a unit of its own",
        ),
        pytest.param(
            '"2026-11-25T12:00:00Z","a, b"\n"2026-11-25T12:00:01Z","c"\n',
            "csv",
            [0, 1],
            None,
            id="no heading, quoted",
        ),
        pytest.param(
            "start_time,end_time,service_time_s\n"
            "2026-11-25T12:00:00Z,2026-11-25T12:00:09Z,9\n2026-11-25T12:00:01Z,2026-11-25T12:00:05Z,4\n",
            "csv",
            [0, 1],
            [9, 4],
            id="the start of two times",
        ),
        pytest.param(alb(0) + alb(1), "alb", [0.049, 1.049], [0.25, 0.25], id="ALB, time of creation"),
        pytest.param(
            "".join(alb(at).rpartition(" 1 2026")[0] + "\n" for at in (0, 1)),
            "alb",
            [0.049, 1.049],
            [0.25, 0.25],
            id="ALB without it",
        ),
        pytest.param(CLF.format(s=0) + CLF.format(s=1), "clf", [0, 1], None, id="API Gateway CLF"),
        pytest.param(
            "".join(
                json.dumps(
                    {"requestId": "x", "requestTime": f"25/Nov/2026:12:00:0{at} +0000", "status": "200"}
                )
                + "\n"
                for at in (0, 1)
            ),
            "json",
            [0, 1],
            None,
            id="API Gateway JSON",
        ),
        pytest.param(
            "".join(
                json.dumps({"requestTimeEpoch": f"{NOON + at}250", "integrationLatency": took, "path": "/x"})
                + "\n"
                for at, took in ((0, "40"), (1, "-"))
            ),
            "json",
            [0.25, 1.25],
            [0.04, None],
            id="API Gateway JSON to the millisecond",
        ),
        pytest.param(
            "2026-11-25T12:00:00.000Z "
            + json.dumps({"time": "25/Nov/2026:12:00:00 +0000", "integration_ms": "40"})
            + "\n2026-11-25T12:00:01.000Z "
            + json.dumps({"time": "25/Nov/2026:12:00:01 +0000", "integration_ms": "50"})
            + "\n",
            "json",
            [0, 1],
            [0.04, 0.05],
            id="halfmetal's front door, out of CloudWatch",
        ),
        pytest.param(
            gateway_line(10) + gateway_line(11),
            "haproxy",
            [9.55, 10.55],
            [0.33, 0.33],
            id="halfmetal's gateway",
        ),
    ],
)
def test_formats(
    content: str, kind: str, times: list[float], service: list[float | None] | None, tmp_path: Path
):
    trace = taken(tmp_path, content)
    assert (trace.format, seconds(trace)) == (kind, times)
    found = (
        None if trace.service_s is None else [None if np.isnan(each) else each for each in trace.service_s]
    )
    assert found == (None if service is None else [each and pytest.approx(each) for each in service])


@pytest.mark.parametrize(
    ("content", "resolution_s"),
    [
        pytest.param(gateway_line(1) + gateway_line(2), 1, id="gateway: the second of the end"),
        pytest.param(CLF.format(s=0) + CLF.format(s=1), 1, id="common log: whole seconds"),
        pytest.param(alb(0) + alb(1), 1e-9, id="ALB: as written"),
    ],
)
def test_how_finely_a_writer_tells_time(content: str, resolution_s: float, tmp_path: Path):
    assert taken(tmp_path, content).resolution_ns == resolution_s * SECOND


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"queue_ms": 500, "connect_ms": -1, "response_ms": -1, "status": 503}, id="left in the queue"
        ),
        pytest.param(
            {"queue_ms": -1, "connect_ms": -1, "response_ms": -1, "server": "<NOSRV>"}, id="turned away"
        ),
    ],
)
def test_who_reached_no_pod_came_all_the_same(changes: dict[str, object], tmp_path: Path):
    trace = taken(tmp_path, gateway_line(10) + gateway_line(11, **changes))
    assert len(trace.times_ns) == 2
    assert trace.service_s is not None
    assert np.isnan(trace.service_s).tolist() == [False, True]


def test_what_the_gateway_says_of_itself_is_no_request(tmp_path: Path):
    content = (
        "[NOTICE]   (8) : New worker (10) forked\n"
        + gateway_line(10)
        + "Server model-embed/pod-1 is UP.\n"
        + gateway_line(11, backend="nowhere", path="/favicon.ico")
        + gateway_line(12)
    )
    trace = taken(tmp_path, content)
    assert len(trace.times_ns) == 2
    said = [finding.message for finding in trace.findings]
    assert any(message.startswith("2 lines are about no request") for message in said)
    assert any("1 requests were for no model" in message for message in said)


def test_what_a_function_twin_took_is_no_pods_work(tmp_path: Path):
    twin = haproxy.Upstream("embed", "embed.ns", 8000, 1, 1, "/ready").tail_backend
    trace = taken(tmp_path, gateway_line(10) + gateway_line(11, backend=twin, server="function"))
    assert len(trace.times_ns) == 2
    assert trace.service_s is not None
    assert [bool(np.isnan(each)) for each in trace.service_s] == [False, True]
    said = [finding.message for finding in trace.findings]
    assert any("1 requests went to a function twin" in message for message in said)


def test_one_workload_of_several(tmp_path: Path):
    content = gateway_line(10) + gateway_line(11, workload="chat") + gateway_line(12) + gateway_line(13)
    assert any("2 models (chat, embed)" in each.message for each in taken(tmp_path, content).findings)
    assert len(taken(tmp_path, content, path="/v2/models/embed").times_ns) == 3
    with pytest.raises(TraceError, match=r"no request for /v2/models/emb\n") as error:
        taken(tmp_path, content, path="/v2/models/emb")
    assert "/v2/models/chat (1), /v2/models/embed (3)" in error.value.remedy


def test_a_log_without_paths_is_of_one_workload(tmp_path: Path):
    for content in (csv_of([0, 1, 2]), answer([(NOON, "1"), (NOON + 60, "2")])):
        trace = read(written(tmp_path, content), options=ReadOptions(path="/v2/models/embed"))
        assert any(
            each.message
            == "the log does not tell paths: all its requests are taken to be for /v2/models/embed"
            for each in trace.findings
        )


def test_a_route_of_api_gateway_is_a_path(tmp_path: Path):
    lines = "".join(
        json.dumps({"time": f"25/Nov/2026:12:00:0{at} +0000", "route": f"ANY /v2/models/{name}/{{proxy+}}"})
        + "\n"
        for at, name in enumerate(["embed", "chat", "embed"])
    )
    assert len(taken(tmp_path, lines, path="/v2/models/embed").times_ns) == 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(zipped(csv_of([0, 1, 2])), id="gzip"),
        pytest.param(zipped(csv_of([0, 1])) + zipped(csv_of([2])), id="gzip files joined, headings and all"),
        pytest.param(csv_of([0, 1, 2]).replace("\n", "\r\n"), id="lines of Windows"),
        pytest.param("\ufeff" + csv_of([0, 1, 2]), id="a byte order mark"),
        pytest.param(csv_of([0, 1, 2]).removesuffix("\n"), id="no end of the last line"),
        pytest.param(
            "# made today\n" + csv_of([0, 1, 2]).replace("\n", "\n\n"), id="comments and empty lines"
        ),
    ],
)
def test_how_a_file_is_packed(content: str | bytes, tmp_path: Path):
    assert seconds(taken(tmp_path, content)) == [0, 1, 2]


def test_standard_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(zipped(csv_of([0, 1, 2])))))
    trace = read("-")
    assert isinstance(trace, Arrivals)
    assert seconds(trace) == [0, 1, 2]


def test_progress_comes_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("components.traffic.source._HEAD", 1 << 12)
    monkeypatch.setattr("components.traffic.source._CHUNK", 1 << 12)
    told: list[tuple[int, int | None]] = []
    file = written(tmp_path, csv_of(range(2_000)))
    read(file, on_progress=lambda done, total: told.append((done, total)))
    size = file.stat().st_size
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] == (size, size)


def test_tokens_and_bytes(tmp_path: Path):
    trace = taken(
        tmp_path, f"TIMESTAMP,ContextTokens,GeneratedTokens,bytes\n{NOON},10,1,5\n{NOON + 1},20,3,-\n"
    )
    assert {name: values.tolist() for name, values in trace.measures.items() if name != "response_bytes"} == {
        "prompt_tokens": [10, 20],
        "generated_tokens": [1, 3],
    }
    assert np.isnan(trace.measures["response_bytes"]).tolist() == [False, True]


def test_columns_that_the_caller_knows_better(tmp_path: Path):
    content = f"time,arrived,work\n{NOON},{NOON + 5}000,7\n{NOON + 1},{NOON + 9}000,8\n"
    trace = taken(tmp_path, content, time_column="arrived", duration_column="work", duration_unit="us")
    assert seconds(trace) == [5, 9]
    assert trace.service_s is not None
    assert trace.service_s.tolist() == pytest.approx([7e-6, 8e-6])


def test_a_duration_without_unit_is_not_guessed_at(tmp_path: Path):
    trace = taken(tmp_path, f"time,latency\n{NOON},20\n{NOON + 1},30\n")
    assert trace.service_s is None
    assert [each.remedy for each in trace.findings] == [
        "say which it is: --duration-column latency --duration-unit ms (or s, us, ns)"
    ]


# --- Prometheus


def answer(*series: list[tuple[float, object]], kind: str = "matrix") -> str:
    result = [
        {"metric": {"pod": str(at)}, "values": [list(point) for point in one]}
        for at, one in enumerate(series)
    ]
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


def test_rates_are_counts_of_each_step(tmp_path: Path):
    series = [(NOON + 30 * at, str(rate)) for at, rate in enumerate([1, 2, 0.5])]
    trace = read(written(tmp_path, answer(series, series)))
    assert isinstance(trace, Counts)
    assert trace.counts.tolist() == [60, 120, 30]
    said = " ".join(each.message for each in trace.findings)
    assert "index of dispersion" in said
    assert "2 series were added up" in said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(answer(), "matched no series", id="no series"),
        pytest.param(answer([(NOON, "NaN"), (NOON + 60, "NaN")]), "has a value", id="nothing but NaN"),
        pytest.param(answer([(NOON, "1")]), "at one time only", id="one sample"),
        pytest.param(answer([(NOON, "1")], kind="vector"), "no range query", id="an instant query"),
        pytest.param(
            answer([(NOON + 60 * at, str(1000 + 7 * at)) for at in range(12)]),
            "running total",
            id="the counter",
        ),
        pytest.param(
            '{"status":"error","errorType":"bad_data","error":"parse error"}', "parse error", id="an error"
        ),
        pytest.param(answer([(NOON, "1"), (NOON + 60, "2")])[:-20], "cut off", id="half a document"),
        pytest.param(
            json.dumps({"data": {"resultType": "matrix", "result": [{"values": 7}]}}), "has a value", id="7"
        ),
    ],
)
def test_answers_that_hold_no_rates(document: str, said: str, tmp_path: Path):
    with pytest.raises(TraceError, match=said) as error:
        read(written(tmp_path, document))
    assert error.value.remedy


def test_samples_that_are_no_rate_are_left_out(tmp_path: Path):
    values = ["1", "NaN", "-2", "+Inf", "3", "1"]
    trace = read(written(tmp_path, answer([(NOON + 60 * at, value) for at, value in enumerate(values)])))
    assert isinstance(trace, Counts)
    assert trace.rates.tolist() == [1, 3, 1]
    said = " ".join(each.message for each in trace.findings)
    assert re.search(r"3 samples are no rate.*series 1: .*NaN", said)
    assert "3 of 6 steps have no sample" in said
