"""A stack file is changed where it must be, and every other character of it stays."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.spec.editing import NotEditableError, edited

PATH = ("workloads", 0, "traffic")
NEW = {"rate": "5/s", "burstiness": 1.2}


def stack(traffic: str, indent: int = 4) -> str:
    """A file with something before and after the traffic."""
    lines = "".join(f"{' ' * indent}{line}\n" for line in traffic.splitlines())
    before, after = "# top\nworkloads:\n  - name: embed  # first\n", "  # end\n  - name: chat\n"
    return f"{before}{lines}    latency: {{p99: 300ms}}\n{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "traffic: {rate: 2/s, peak: 6/s}  # guessed",
            "traffic: {rate: 5/s, peak: 6/s, burstiness: 1.2}  # guessed",
            id="in braces",
        ),
        pytest.param(
            "traffic:\n  # measured in May\n  rate: 2/s    # a day\n  peak: 6/s  # noon",
            "traffic:\n  # measured in May\n  rate: 5/s    # a day\n  peak: 6/s  # noon\n  burstiness: 1.2",
            id="in lines",
        ),
        pytest.param(
            "traffic:\n      rate: 2/s",
            "traffic:\n      rate: 5/s\n      burstiness: 1.2",
            id="in lines, further in",
        ),
        pytest.param("traffic: {}", "traffic: {rate: 5/s, burstiness: 1.2}", id="empty braces"),
        pytest.param("traffic:", "traffic: {rate: 5/s, burstiness: 1.2}", id="nothing"),
        pytest.param(
            "traffic: {peak: '6/s'}", "traffic: {peak: '6/s', rate: 5/s, burstiness: 1.2}", id="quoted"
        ),
        pytest.param(
            "traffic: {rate: 5/s, burstiness: 1.20}", "traffic: {rate: 5/s, burstiness: 1.20}", id="as is"
        ),
    ],
)
def test_only_what_changes(before: str, after: str):
    once = edited(stack(before), PATH, NEW)
    assert once == stack(after)
    assert edited(once, PATH, NEW) == once


def test_a_mapping_that_is_not_there_yet():
    text = stack("needs: {cpu: 1}\n# about latency")
    after = edited(text, PATH, NEW)
    added = "    traffic:\n      rate: 5/s\n      burstiness: 1.2\n"
    assert after == text.replace("{p99: 300ms}\n", "{p99: 300ms}\n" + added)


def test_below_the_last_line_of_a_file_without_end():
    text = "workloads:\n  - name: embed\n    needs:\n      cpu: 1"
    assert edited(text, PATH, {"rate": "5/s"}) == text + "\n    traffic:\n      rate: 5/s"


def test_a_workload_in_braces():
    text = "workloads: [{name: embed, needs: {cpu: 1}}]\n"
    assert edited(text, PATH, {"rate": "5/s"}) == (
        "workloads: [{name: embed, needs: {cpu: 1}, traffic: {rate: 5/s}}]\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "traffic: {rate: 2/s, utilization: 35%, peak: 6/s}", "traffic: {rate: 2/s, peak: 6/s}", id="mid"
        ),
        pytest.param("traffic: {utilization: 35%, peak: 6/s}", "traffic: {peak: 6/s}", id="first"),
        pytest.param("traffic:\n  rate: 2/s\n  utilization: 35%  # x", "traffic:\n  rate: 2/s", id="a line"),
        pytest.param("traffic: {rate: 2/s}", "traffic: {rate: 2/s}", id="is not there"),
    ],
)
def test_a_key_that_goes(before: str, after: str):
    assert edited(stack(before), PATH, {"utilization": None}) == stack(after)


def test_a_long_list_gets_a_line_of_its_own():
    day = [0.5] * 12 + [1.5] * 12
    after = edited(stack("traffic: {rate: 2/s, peak: 6/s}"), PATH, {"hourly": day})
    assert yaml.safe_load(after)["workloads"][0]["traffic"]["hourly"] == day
    assert "peak: 6/s,\n      hourly: [0.5," in after
    shorter = edited(after, PATH, {"hourly": [1] * 24})
    assert yaml.safe_load(shorter)["workloads"][0]["traffic"]["hourly"] == [1] * 24


def test_lines_of_windows_stay_so():
    text = stack("traffic:\n  rate: 2/s").replace("\n", "\r\n")
    after = edited(text, PATH, NEW)
    assert after.count("\n") == after.count("\r\n") == text.count("\r\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("common: &t {rate: 2/s}\nworkloads: [{traffic: *t}]\n", id="an alias"),
        pytest.param("workloads:\n  - traffic: &t {rate: 2/s}\n  - traffic: *t\n", id="used elsewhere"),
        pytest.param(
            "one: &w {name: a, traffic: {rate: 2/s}}\nworkloads: [*w]\n", id="the workload an alias"
        ),
    ],
)
def test_what_is_shared_is_not_changed(text: str):
    with pytest.raises(NotEditableError):
        edited(text, PATH, NEW)


scalars = st.sampled_from(["5/s", "60/min", "35%", "25ms"]) | st.floats(0, 1e6) | st.integers(0, 100)
keys = st.sampled_from(["rate", "peak", "utilization", "service_time", "burstiness"])
blocks = st.dictionaries(keys, scalars, min_size=1, max_size=5)


@given(blocks, blocks, st.booleans())
def test_any_change_says_what_it_should(before: dict[str, object], changes: dict[str, object], flow: bool):  # noqa: FBT001 - drawn
    body = yaml.safe_dump(before, default_flow_style=flow, width=10_000).strip()
    text = stack(
        f"traffic: {body}" if flow else "traffic:\n" + "".join(f"  {each}\n" for each in body.splitlines())
    )
    after = edited(text, PATH, changes)
    whole = yaml.safe_load(after)
    assert whole["workloads"][0]["traffic"] == yaml.safe_load(body) | yaml.safe_load(yaml.safe_dump(changes))
    assert [each["name"] for each in whole["workloads"]] == ["embed", "chat"]
    assert edited(after, PATH, changes) == after
