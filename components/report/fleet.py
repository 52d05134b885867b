"""The fleet: a card for each zone, and in it each pool's nodes with what of them the workloads ask for."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from components.placement.plan import Plan, Planned, Resource, ZoneNodes
from components.placement.plan.words import amount, asked, machines
from components.report.markup import Element, element
from components.report.palette import PARTS
from components.report.workload import anchor

_NAMES: Final[Mapping[Resource, str]] = {
    Resource.CPU: "cores",
    Resource.MEMORY: "GiB",
    Resource.ACCELERATORS: "GPUs",
}


def fleet(made: Plan) -> Element:
    """The section."""
    functions = [each for each in made.workloads if each.placement.home.is_function]
    return element(
        "section",
        element("h2", "The fleet by zone"),
        None if made.fleet or functions else element("p", "Nothing runs here."),
        element(
            "div",
            (_zone(zone, list(nodes)) for zone, nodes in groupby(made.fleet, key=lambda nodes: nodes.zone)),
            _functions(functions) if functions else None,
            class_="cards",
        ),
        element(
            "p",
            "Nodes and replicas as even over a pool's zones as their number goes. What the system, the"
            " gateway and other pods take is not in it.",
            class_="note",
        )
        if made.fleet
        else None,
        id="fleet",
    )


def _zone(zone: str, pools: list[ZoneNodes]) -> Element:
    return element("div", element("h3", zone), (_pool(nodes) for nodes in pools), class_="card")


def _pool(nodes: ZoneNodes) -> Iterator[Element]:
    yield element(
        "h4",
        nodes.pool,
        element(
            "span", "no price" if nodes.price is None else f"{amount(nodes.price)} a month", class_="price"
        ),
        class_="pool-name",
    )
    yield element("p", machines(nodes), class_="quiet")
    yield element("dl", (_bar(nodes, resource) for resource in Resource), class_="bars")
    if nodes.claims:
        yield element("ul", (_claim(nodes, index) for index in range(len(nodes.claims))), class_="claims")
    else:
        yield element("p", "No workload asks for these.", class_="quiet")
    if nodes.unpriced:
        yield element("p", f"No price: {nodes.unpriced}.", class_="quiet")


def _bar(nodes: ZoneNodes, resource: Resource) -> Iterator[Element]:
    has, claimed = nodes.has(resource), nodes.claimed(resource)
    if not has and not claimed:
        return
    yield element("dt", _NAMES[resource])
    over = has is not None and claimed > has
    yield element(
        "dd",
        element("svg", _parts(nodes, resource, max(has, claimed)), class_="bar", aria_hidden="true")
        if has is not None
        else None,
        element(
            "span",
            asked(nodes, resource),
            " asked for; how much there is is not known" if has is None else "",
            ": more than there is" if over else "",
            class_="over" if over else None,
        ),
    )


def _parts(nodes: ZoneNodes, resource: Resource, whole: float) -> Iterator[Element]:
    yield element("rect", width="100%", height="100%", class_="track")
    start = 0.0
    for index, claim in enumerate(nodes.claims):
        share = claim.of(resource) / whole * 100
        yield element(
            "rect",
            element("title", f"{claim.workload}: {_counted(claim.of(resource), resource)}"),
            x=f"{start:.2f}%",
            width=f"{share:.2f}%",
            height="100%",
            class_=_colour(index),
        )
        start += share


def _claim(nodes: ZoneNodes, index: int) -> Element:
    claim = nodes.claims[index]
    each = ", ".join(_counted(value, resource) for resource in Resource if (value := claim.each.of(resource)))
    return element(
        "li",
        element("span", class_=f"swatch {_colour(index)}"),
        element("a", claim.workload, href=anchor(claim.workload)),
        f" ×{claim.replicas:,}, each {each}",  # noqa: RUF001 - the sign for so many times
    )


def _counted(value: float, resource: Resource) -> str:
    name = _NAMES[resource]
    return f"{value:,.4g} {name.removesuffix('s') if value == 1 else name}"


def _colour(index: int) -> str:
    return f"part-{index % PARTS + 1}"


def _functions(on_them: list[Planned]) -> Element:
    return element(
        "div",
        element("h3", "No zone: functions"),
        element("p", "In whichever zones the cloud puts them. No nodes are held.", class_="quiet"),
        element(
            "ul",
            (
                element(
                    "li",
                    element("a", each.name, href=anchor(each.name)),
                    f", {each.placement.home.described}",
                )
                for each in on_them
            ),
            class_="claims",
        ),
        class_="card",
    )
