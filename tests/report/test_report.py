"""The page as text: whole by itself, the same each time, and what others wrote in it is no markup."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from report_cases import PLANS, all_homes, many, of_all_homes

from components.placement.plan import Plan, Warn, plan
from components.report import page
from components.report.markup import document, element
from components.report.palette import DARK, LIGHT
from components.report.scale import Linear, Log, apart, ceiling
from components.spec import StackError, load

VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;\x00\ud800"


class Parsed(HTMLParser):
    """Elements with their attributes in order, and whether they are closed as they should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@cache
def made(name: str) -> Plan:
    return PLANS[name]()


@cache
def parsed(name: str) -> Parsed:
    return Parsed(page(made(name)))


EACH = pytest.mark.parametrize("name", PLANS)


# -- whole by itself


@EACH
def test_nothing_is_fetched_and_nothing_runs(name: str):
    found = parsed(name)
    assert not found.named("script", "iframe", "object", "embed", "base", "form")
    for _, attributes in found.elements:
        assert not any(key.startswith("on") or key in {"src", "srcset", "style"} for key in attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))
    text = page(made(name))
    assert not any(word in text for word in ("url(", "@import", "http:", "https:"))
    (policy,) = [each["content"] for each in found.named("meta") if "http-equiv" in each]
    assert policy is not None
    assert policy.startswith("default-src 'none';")


@EACH
def test_links_lead_somewhere_and_ids_are_unique(name: str):
    found = parsed(name)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(attributes["href"] or "").removeprefix("#") for attributes in found.named("a")}
    assert targets <= set(ids)


@EACH
def test_headings_go_down_one_step_at_a_time(name: str):
    levels = [int(tag[1]) for tag, _ in parsed(name).elements if tag in {"h1", "h2", "h3", "h4"}]
    assert levels.count(1) == 1
    assert all(lower <= upper + 1 for upper, lower in pairwise(levels))


@EACH
def test_tables_and_charts_say_what_they_are(name: str):
    found = parsed(name)
    assert len(found.named("table")) == len(found.named("caption"))
    assert all(attributes.get("scope") for attributes in found.named("th"))
    for attributes in found.named("svg"):
        assert attributes.get("aria-label") or attributes.get("aria-hidden")
    assert (len(found.named("figure"))) == len(found.named("figcaption"))


@EACH
def test_the_same_plan_is_the_same_page(name: str):
    assert page(made(name)) == page(PLANS[name]())


# -- what it says


def test_the_parts_of_a_page():
    told = parsed("all homes").text
    for said in (
        "hybrid in us-east-1",
        "3 workloads: 1 on functions, 2 on nodes. Prices of 20",
        "p99 of 1.16 s is over its budget of 1s",
        "1.16 s of 1 s ✕ over",
        "Pool breaks even with function at 2.3%",
        "break-even 2.3%, function",
        "p99 budget 300 ms",
        "accelerator-needs-metal",
        "busy 50% of the day",
        "function: not to be had, it has no `serve.function` to run there",
        "1 g6.xlarge at $0.8048/h for 730 hours",
        "1 of 1",
        "1.00 nodes that no workload claims",
        "for all cluster $73.00",
    ):
        assert said in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("no demand", "No cost and no latency: traffic.rate and", id="no traffic"),
        pytest.param("no demand", "not known, of 300 ms", id="a budget, and no latency"),
        pytest.param("endless", "Endless on pool: more requests come than are served.", id="endless"),
        pytest.param("endless", "Now 2,000 requests a second, more than what 2 replicas", id="too many"),
        pytest.param("all homes", "Nodes are without their function twin here", id="a twin"),
        pytest.param("nodes without prices", "No price is known", id="no total"),
        pytest.param("nodes without prices", "32 asked for; how much there is is not known", id="nodes"),
        pytest.param("no prices", "ap-south-2", id="a region"),
        pytest.param("one workload", "No zone: functions", id="no nodes"),
        pytest.param("one workload", "utilisation of 1 warm copy of 2GiB", id="no nodes to be busy"),
    ],
)
def test_what_is_not_there_is_said(name: str, said: str):
    assert said in parsed(name).text


def test_more_than_there_is():
    crowded = all_homes()
    nodes = crowded.fleet[0]
    many_more = replace(nodes, claims=tuple(replace(claim, replicas=100) for claim in nodes.claims))
    assert "50 of 2: more than there is" in Parsed(page(replace(crowded, fleet=(many_more,)))).text


@pytest.mark.slow
def test_a_hundred_workloads():
    text = page(many())
    assert text.count('class="workload"') == 100
    assert len(text) < 3_000_000


@pytest.mark.slow
@settings(max_examples=40)
@given(
    rate=st.floats(-6, 7).map(lambda power: f"{10**power:.9f}/s"),
    work=st.floats(-7, 3).map(lambda power: f"{10**power:.9f}s"),
    budget=st.none() | st.floats(-8, 4).map(lambda power: f"{10**power:.9f}s"),
    replicas=st.integers(1, 50),
    home=st.sampled_from([None, "function", "pool", "metal"]),
)
def test_any_traffic_has_a_page(rate: str, work: str, budget: str | None, replicas: int, home: str | None):
    stack = of_all_homes()
    embed = stack["workloads"][0]
    embed["traffic"] = {"rate": rate, "service_time": work}
    embed["latency"] = {} if budget is None else {"p99": budget}
    embed["placement"] = {"replicas": replicas} | ({} if home is None else {"home": home})
    try:
        found = plan(load(stack))
    except StackError:
        reject()
    text = Parsed(page(found)).text
    assert not re.search(r"\b(nan|inf)\b|e\+\d", text)


# -- what others wrote


def test_what_is_written_in_a_plan_stays_text():
    usual = all_homes()
    first = usual.workloads[0]
    hostile = replace(
        usual,
        topology=HOSTILE,
        region=HOSTILE,
        warnings=(Warn(HOSTILE, HOSTILE),),
        workloads=(
            replace(first, placement=replace(first.placement, reasons=(HOSTILE,), zone=HOSTILE)),
            *usual.workloads[1:],
        ),
        fleet=tuple(replace(nodes, zone=HOSTILE, instance=HOSTILE) for nodes in usual.fleet),
    )
    found = Parsed(page(hostile))
    assert {tag for tag, _ in found.elements} == {tag for tag, _ in parsed("all homes").elements}
    assert not any(key.startswith("on") for _, attributes in found.elements for key in attributes)
    assert "<script>alert(1)</script>" in found.text
    page(hostile).encode()


@given(st.text(), st.text())
def test_any_text_comes_out_as_it_went_in(text: str, value: str):
    written = document(element("html", element("p", text, element("b", text), text, title=value)))
    found = Parsed(written)
    assert [tag for tag, _ in found.elements] == ["html", "p", "b"]
    written.encode()
    if text.isprintable() and value.isprintable():
        assert "".join(found.words).strip("\n") == text * 3
        assert found.named("p")[0]["title"] == value


def test_attributes_that_are_not_there():
    made = element("details", class_="a", open=True, id=None, hidden=False, aria_label="b", x=1.25)
    assert made.attrib == {"class": "a", "open": "", "aria-label": "b", "x": "1.2"}


# -- colours


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")])
def test_text_can_be_read_on_all_paper(palette: dict[str, str]):
    for name, colour in palette.items():
        if name not in {"paper", "raised", "rule"}:
            for paper in (palette["paper"], palette["raised"]):
                assert contrast(colour, paper) >= 4.5, name


@pytest.mark.parametrize("palette", [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")])
def test_parts_of_a_bar_stand_out_from_what_is_left(palette: dict[str, str]):
    for name, colour in palette.items():
        if name.startswith("part-"):
            assert contrast(colour, palette["rule"]) >= 3, name


def test_both_palettes_name_the_same():
    assert LIGHT.keys() == DARK.keys()


# -- scales


@given(st.floats(1e-6, 1e9), st.integers(2, 9))
def test_marks_are_within_a_scale_and_not_too_many(high: float, at_most: int):
    scale = Linear(0, high, 10, 110)
    ticks = scale.ticks(at_most)
    assert 1 < len(ticks) <= at_most + 1
    assert all(10 <= scale(tick) <= 110 + 1e-6 for tick in ticks)


@given(st.floats(1e-9, 1e3), st.floats(10, 1e9))
def test_marks_of_a_logarithmic_scale(low: float, factor: float):
    scale = Log(low, low * factor, 0, 100)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 10
    assert all(-1e-6 <= scale(tick) <= 100 + 1e-6 for tick in ticks)


@given(st.floats(1e-6, 1e12))
def test_a_ceiling_is_no_lower_and_not_far(value: float):
    assert value * (1 - 1e-8) <= ceiling(value) <= value * 1.5


@given(st.lists(st.floats(0, 100), max_size=8))
def test_labels_keep_apart_and_in_order(places: list[float]):
    found = apart(places, 12, 0, 100)
    assert all(upper - lower >= 12 - 1e-9 for lower, upper in pairwise(sorted(found)))
    assert all(0 - 1e-9 <= place <= 100 + 1e-9 for place in found)
    for first, second in pairwise(sorted(range(len(places)), key=lambda index: (places[index], index))):
        assert found[first] < found[second]
