"""What holds of every trace."""

import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import arrivals, csv_of, poisson, written

from components.spec import Duration
from components.spec.workload import Traffic
from components.traffic import Counts, ReadOptions, TraceError, profile, read

seeds = st.integers(0, 10**6)
gaps_ms = st.lists(st.integers(1, 5_000), min_size=3, max_size=60)


@settings(derandomize=True)
@given(seeds, st.floats(0.01, 1000))
def test_poisson_arrivals_have_a_burstiness_of_one(seed: int, rate: float):
    count = 4_000
    # The estimate of an exponential's cv² has a variance of 4/n; five deviations are one in a million.
    measured = profile(arrivals(poisson(rate, count, seed), start=0))
    assert measured.burstiness == pytest.approx(1, abs=5 * (4 / count) ** 0.5 + 0.005)
    assert measured.rate.per_second == pytest.approx(rate, rel=5 / count**0.5 + 0.005)


@given(gaps_ms, st.sampled_from([2, 5, 10]))
def test_scaling_time_scales_the_rate_and_nothing_else(gaps: list[int], factor: int):
    times = np.cumsum([0, *gaps]) / 1000
    # Told to a microsecond, so that no gap is near the resolution of the clock.
    one, other = profile(arrivals(times + 1e-6)), profile(arrivals(times * factor + 1e-6))
    assert other.burstiness == one.burstiness
    assert other.rate.per_second == pytest.approx(one.rate.per_second / factor, rel=0.011)


@settings(max_examples=20)
@given(gaps_ms, seeds)
def test_the_order_of_lines_does_not_matter(gaps: list[int], seed: int):
    heading, *lines = csv_of(np.cumsum([0, *gaps]) / 1000).splitlines(keepends=True)
    shuffled = lines[:]
    random.Random(seed).shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        one = profile(read(written(Path(folder), heading + "".join(lines))))
        other = profile(read(written(Path(folder), heading + "".join(shuffled))))
    assert other.measurements == one.measurements
    assert other.block() == one.block()
    assert any("goes backwards" in each.message for each in other.findings) is (shuffled != lines)


@given(gaps_ms, st.integers(0, 10**6))
def test_a_block_is_always_valid(gaps: list[int], service_us: int):
    times = np.cumsum([0, *gaps]) / 1000
    measured = profile(arrivals(times), service_time=Duration.of(service_us + 1, "us"))
    traffic = Traffic.model_validate(measured.block())
    assert traffic.rate is not None
    assert traffic.peak is not None
    assert traffic.peak >= traffic.rate
    assert (traffic.utilization is None) is (measured.offered_load is not None and measured.offered_load > 1)


@given(
    st.lists(st.floats(0, 1e6) | st.floats(0, 1e308), min_size=1, max_size=80),
    st.sampled_from([1, 15, 60, 3600, 7200]),
)
def test_any_counts_are_measured_or_refused(rates: list[float], step: int):
    trace = Counts(
        ends_ns=(np.arange(len(rates), dtype=np.int64) + 1) * step * 10**9, rates=np.array(rates), step_s=step
    )
    try:
        Traffic.model_validate(profile(trace).block())
    except TraceError as error:
        assert error.remedy


lines_of_logs = st.sampled_from(
    [
        "time,latency_ms",
        "1700158623,20",
        "1700158624,-5",
        "1700158625.5,nan",
        "1700158626,1e308",
        "1700158626,5e-324",
        "1e-99,1",
        "time,duration_s,bytes,generated_tokens\n1700158626,1e308,1e308,1e400\n1700158627,1e-300,1e308,-1\n"
        "1700158629,1e308,1e15,7",
        '{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"1e308"],[61,"1e308"]]}]}}',
        "1700158623979,1",
        "2023-11-16 18:17:03.9,7",
        "2023-11-16T18:17:03+02:00,7",
        "2023-11-16T18:1",
        '{"time":"2026-11-25T12:00:00Z","path":"/a","backend":"model-a","queue_ms":0,"connect_ms":0,'
        '"response_ms":1,"total_ms":2}',
        '{"time":"2026-11-25T12:00:00Z","path":null,"backend":1,"queue_ms":"x","connect_ms":0,'
        '"response_ms":1,"total_ms":2}',
        '{"requestTimeEpoch":1700158623979,"integrationLatency":"-"}',
        '{"requestTimeEpoch":[],"time":{}}',
        '203.0.113.7 - - [25/Nov/2026:12:00:01 +0000]"GET /x HTTP/1.1" 200 5 id',
        'http 2026-11-25T12:00:00.000Z app/x 1.2.3.4:5 - -1 -1 -1 502 - 34 366 "GET http://x:80/ HTTP/1.1"',
        '{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"2"],[61,"3"]]}]}}',
        '"',
        "{",
        "[[[[",
        "\x00",
        ",,,,,,",
    ]
)
garbage = st.lists(lines_of_logs | st.text(max_size=30), max_size=8).map("\n".join)


@given(
    garbage.map(str.encode)
    | st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda it: b"\x1f\x8b\x08\x00" + it),
    st.sampled_from(["auto", "csv", "alb", "clf", "json", "haproxy", "prometheus"]),
    st.sampled_from(
        [ReadOptions(), ReadOptions(time_unit="ms"), ReadOptions(path="/a"), ReadOptions(time_column="1")]
    ),
)
def test_anything_is_measured_or_refused_with_a_remedy(content: bytes, kind: str, options: ReadOptions):
    with tempfile.TemporaryDirectory() as folder:
        try:
            measured = profile(read(written(Path(folder), content), kind, options))
        except TraceError as error:
            assert error.what
            assert error.remedy
            return
    Traffic.model_validate(measured.block())
    assert all(each.message and each.remedy for each in measured.findings)
