"""Logs with something wrong: what is said, of which line, with which remedy, and whether the rest counts."""

import gzip
import itertools
from pathlib import Path

import pytest
from traces import NOON, csv_of, written, zipped

from components.traffic import Arrivals, ReadOptions, TraceError, Weight, read
from components.traffic.times import zone_of

GOOD = csv_of(range(500))
LOG = "time,latency_ms\n" + "".join(f"{NOON + at},20\n" for at in range(500))


@pytest.mark.parametrize(
    ("content", "said", "remedy"),
    [
        pytest.param("", "is empty", "name a log", id="empty"),
        pytest.param(" \n\n", "is empty", "name a log", id="empty lines only"),
        pytest.param(zipped(""), "is empty", "name a log", id="gzip of nothing"),
        pytest.param("time\n", "no known format", "--format", id="a heading only"),
        pytest.param(bytes(range(256)) * 4, "is a binary file", "a request log", id="a binary file"),
        pytest.param(GOOD.encode("utf-16"), "is UTF-16", "UTF-8", id="UTF-16"),
        pytest.param(b"\x28\xb5\x2f\xfd" + b"x" * 99, "packed with zstd", "zstd -dc", id="zstd"),
        pytest.param("hello\nworld\n", "no known format", "--time-column", id="prose"),
        pytest.param("time\nnan\nnan\n", "no known format", "--format", id="NaN for every time"),
        pytest.param(
            "time\n2026-11-25T12:00:00Z\n2026-11-25T12:00:01\n2026-11-25T12:00:02Z\n",
            "mixed time zones",
            "--zone",
            id="some times with a zone",
        ),
        pytest.param(
            csv_of(range(5)) + "x\n" * 4, "4 of 9 lines cannot be read", "--format", id="half of it bad"
        ),
    ],
)
def test_nothing_to_measure(content: str | bytes, said: str, remedy: str, tmp_path: Path):
    file = written(tmp_path, content)
    with pytest.raises(TraceError) as error:
        read(file)
    assert said in error.value.what
    assert remedy in error.value.remedy
    assert str(file) in str(error.value)


def test_an_unknown_format_names_all_that_was_tried(tmp_path: Path):
    with pytest.raises(TraceError) as error:
        read(written(tmp_path, "hello,world\nnice,day\n"))
    for tried in (
        "haproxy:",
        "alb:",
        "clf",
        "json-lines",
        "csv: no column holds times: hello, world",
        "prometheus:",
    ):
        assert tried in error.value.detail
    assert "it begins: 'hello,world'" in error.value.detail


def test_a_format_that_it_is_not(tmp_path: Path):
    with pytest.raises(TraceError, match="is not alb") as error:
        read(written(tmp_path, GOOD), "alb")
    assert "do not begin with" in error.value.detail


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("no-such-file", "does not exist", id="no file"),
        pytest.param(".", "is a folder", id="a folder"),
        pytest.param("a\0b", "is no path", id="no path"),
    ],
)
def test_no_log_at_all(name: str, said: str, tmp_path: Path):
    with pytest.raises(TraceError, match=said):
        read(f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("content", "line", "said", "weight", "requests"),
    [
        pytest.param(LOG + f"{NOON + 500},2\n" + "17001", 503, "is cut off", Weight.NOTE, 501, id="last cut"),
        pytest.param(LOG + "x,1\n", 502, "is not a time: left out", Weight.WARNING, 500, id="no time"),
        pytest.param(LOG + f"{NOON}000,1\n", 502, "another unit", Weight.WARNING, 500, id="milliseconds"),
        pytest.param(
            LOG + f"{NOON + 1}\n", 502, "has 1 of 2 columns", Weight.WARNING, 500, id="a column short"
        ),
        pytest.param(LOG + f"{NOON + 501},-5\n", 502, "'-5' is negative", Weight.WARNING, 501, id="negative"),
        pytest.param(LOG + f"{NOON + 501},NaN\n", 502, "'NaN' is no number", Weight.WARNING, 501, id="NaN"),
        pytest.param(
            LOG + f"{NOON + 501},1e99\n", 502, "longer than ten years", Weight.WARNING, 501, id="aeons"
        ),
        pytest.param(LOG + f"{NOON + 9},1\n", 502, "goes backwards here", Weight.NOTE, 501, id="backwards"),
    ],
)
def test_one_line_is_wrong(
    *, content: str, line: int, said: str, weight: Weight, requests: int, tmp_path: Path
):
    trace = read(written(tmp_path, content))
    assert isinstance(trace, Arrivals)
    finding = next(each for each in trace.findings if said in each.message)
    assert (finding.line, finding.weight, len(trace.times_ns)) == (line, weight, requests)
    assert finding.remedy


GATEWAY = (
    '{{"time":"2026-11-25T12:00:{at:02d}Z","path":"/v2/models/a","backend":"model-a",'
    '"queue_ms":0,"connect_ms":0,"response_ms":5,"total_ms":{total}}}\n'
)
BALANCER = (
    "http 2026-11-25T12:00:{at:02d}.0Z app/x 1.2.3.4:5 10.0.0.1:80 0 0.1 0 200 200 3 4 "
    '"GET http://x:80/ HTTP/1.1"\n'
)


@pytest.mark.parametrize(
    ("line", "bad", "said"),
    [
        pytest.param(GATEWAY, GATEWAY.format(at=9, total=1)[:80], "is not JSON", id="gateway, cut"),
        pytest.param(
            GATEWAY, GATEWAY.format(at=9, total='"x"'), "no number of milliseconds", id="gateway, text"
        ),
        pytest.param(GATEWAY, '{"time":"2026-11-25T12:00:09Z"}', "lacks path, backend", id="gateway, short"),
        pytest.param(BALANCER, BALANCER.format(at=9)[:60], "no line of an ALB log", id="ALB, cut"),
        pytest.param(BALANCER, "nonsense", "no line of an ALB log", id="ALB, nonsense"),
        pytest.param(
            '1.2.3.4 - - [25/Nov/2026:12:00:{at:02d} +0000]"GET / HTTP/1.1" 200 5\n',
            "1.2.3.4 - - [25/Nov/2026:12:",
            "no line of the Common Log Format",
            id="CLF, cut",
        ),
        pytest.param(
            '{{"requestTime":"25/Nov/2026:12:00:{at:02d} +0000"}}\n', '{"requestT', "not JSON", id="JSON, cut"
        ),
        pytest.param(
            "2026-11-25T12:00:{at:02d}Z,b\n",
            f'2026-11-25T12:00:09Z,"{"x" * 140_000}"',
            "0 of 2",
            id="CSV, huge",
        ),
    ],
)
def test_a_bad_line_of_each_format(line: str, bad: str, said: str, tmp_path: Path):
    good = [line.format(at=at, total=7) for at in range(8)]
    trace = read(written(tmp_path, "".join([*good[:4], bad + "\n", *good[4:]])))
    assert isinstance(trace, Arrivals)
    assert len(trace.times_ns) == 8
    assert [each.line for each in trace.findings if said in each.message] == [5]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"time_column": "when"}, "has no column 'when', only time, latency_ms", id="time"),
        pytest.param(
            {"duration_column": "took"}, "has no column 'took', only time, latency_ms", id="duration"
        ),
    ],
)
def test_a_column_that_is_not_there(options: dict[str, str], said: str, tmp_path: Path):
    with pytest.raises(TraceError) as error:
        read(written(tmp_path, LOG), options=ReadOptions(**options))  # type: ignore[arg-type] - names of columns
    assert said in error.value.detail


def test_what_is_too_large_for_a_line_or_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in (
        ("_LONGEST_LINE", 1000),
        ("_WHOLE_AT_MOST", 1000),
        ("_HEAD", 1 << 10),
        ("_CHUNK", 1 << 10),
    ):
        monkeypatch.setattr(f"components.traffic.source.{name}", value)
    with pytest.raises(TraceError, match="line 3 is longer"):
        read(written(tmp_path, f"time\n{NOON}\n" + "x" * 9000), "csv")
    with pytest.raises(TraceError, match="must be read as a whole"):
        read(written(tmp_path, '{"status":"success","data":{"resultType":"matrix","result":[' + " " * 9000))


def test_many_wrong_lines_are_counted(tmp_path: Path):
    lines = GOOD.splitlines(keepends=True)
    trace = read(written(tmp_path, "".join([*lines, *(["?\n"] * 5)])))
    assert [each.line for each in trace.findings if "is not a time" in each.message] == [502, 503, 504]
    assert any("2 more lines cannot be read" in each.message for each in trace.findings)


PACKED = gzip.compress("".join(f"{line}\n" for line in ["time", *range(NOON, NOON + 40_000, 2)]).encode(), 1)


@pytest.mark.parametrize(
    ("content", "said", "at_least"),
    [
        pytest.param(PACKED[: len(PACKED) // 2], "ends too early", 5_000, id="half of it"),
        pytest.param(PACKED[:-8] + b"\0" * 8, "is damaged", 20_000, id="a wrong checksum"),
    ],
)
def test_a_damaged_archive_counts_up_to_there(content: bytes, said: str, at_least: int, tmp_path: Path):
    trace = read(written(tmp_path, content))
    assert isinstance(trace, Arrivals)
    assert len(trace.times_ns) >= at_least
    assert any(f"the compressed trace {said}" in each.message for each in trace.findings)


def test_several_zones_are_compared_in_utc(tmp_path: Path):
    content = "time\n2026-10-25T02:59:59+02:00\n2026-10-25T02:00:01+01:00\n2026-10-25T02:00:02+01:00\n"
    trace = read(written(tmp_path, content))
    assert isinstance(trace, Arrivals)
    assert trace.times_s.tolist() == [0, 2, 3]
    assert any("several zones (+01:00, +02:00)" in each.message for each in trace.findings)


def test_a_named_zone_settles_what_is_mixed(tmp_path: Path):
    content = "time\n2026-11-25T12:00:00Z\n2026-11-25T14:00:01\n2026-11-25T12:00:02Z\n"
    trace = read(written(tmp_path, content), options=ReadOptions(zone=zone_of("+02:00")))
    assert isinstance(trace, Arrivals)
    assert trace.times_s.tolist() == [0, 1, 2]


def test_two_columns_of_times(tmp_path: Path):
    rows = "".join(f"2026-11-25T12:00:0{at}Z,2026-11-25T13:00:0{at}Z\n" for at in range(5))
    trace = read(written(tmp_path, "seen,left\n" + rows))
    assert any(
        "seen is taken for the time of arrival; left holds times" in each.message for each in trace.findings
    )


def test_every_cut_of_a_log_is_read_or_refused(tmp_path: Path):
    text = "time,latency_ms\n" + "".join(f"2026-11-25T12:00:{at:02d}.5Z,20\n" for at in range(3))
    for end in itertools.chain(range(len(text))):
        try:
            read(written(tmp_path, text[:end]))
        except TraceError as error:
            assert error.remedy
