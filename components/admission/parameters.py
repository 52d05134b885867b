"""A stack's figures: what the policies of its rules are asked with.

The policies are the same for every stack; thresholds, pools, waivers and how hard each rule is stand in a
ConfigMap, as plain text under telling keys, so that a person can read there what holds in this cluster.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from components.admission.policies import policies
from components.admission.reading import OF_POOL, annotation
from components.placement import Enforcement, Facts, Home, Setting, Settings
from components.placement.taints import taints
from components.placement.waivers import Waived
from components.spec import Pool, Waiver

Reach = Literal["own", "shared"]
"""Whether a namespace is the stack's own, or others have things there that are no concern of the stack's."""

_KEEPS_OFF: Final = frozenset(("NoSchedule", "NoExecute"))


@dataclass(frozen=True, slots=True)
class Governed:
    """What is judged, by which figures."""

    settings: Settings
    pools: tuple[tuple[Pool, Facts], ...] = ()
    """Each pool with its facts."""
    waivers: Sequence[Waiver] = ()
    compliance: tuple[str, ...] = ()
    """The regimes that workloads in the namespace fall under."""
    reach: Reach = "own"
    defaults: bool = False
    """Whether pods are given what their pool implies."""


def parameters(governed: Governed) -> dict[str, str]:
    """The data of a ConfigMap, the mode of a binding aside."""
    found: dict[str, str] = {"namespace": governed.reach}
    for rule, policy in policies().items():
        found |= _of_rule(governed.settings.by_id[rule], policy.thresholds)
    found["pools"] = " ".join(pool.name for pool, _ in governed.pools)
    for pool, facts in governed.pools:
        found |= _of_pool(pool, facts)
    found |= _of_waivers(governed.waivers)
    found["compliance"] = "+".join(governed.compliance) or "none"
    return dict(sorted(found.items()))


def softened(settings: Settings) -> Settings:
    """The same rules, of which none refuses: what is mandatory is advisory."""
    return Settings(
        {
            rule: replace(setting, enforcement=Enforcement.ADVISORY)
            if setting.enforcement is Enforcement.MANDATORY
            else setting
            for rule, setting in settings.by_id.items()
        }
    )


def _of_rule(setting: Setting, thresholds: Iterable[str]) -> dict[str, str]:
    rule = setting.rule.id
    found = {f"{rule}.enforcement": str(setting.enforcement)}
    for name in thresholds:
        threshold = setting.thresholds.values[name]
        found[f"{rule}.{name}"] = str(threshold.value.steps)
        found[f"{rule}.{name}.said"] = str(threshold.value)
        found[f"{rule}.{name}.caveat"] = threshold.caveat
    return found


def _of_pool(pool: Pool, facts: Facts) -> dict[str, str]:
    carried = facts.to_annotations()
    own = {fact: carried[annotation(fact)] for fact in sorted(OF_POOL) if annotation(fact) in carried}
    kept_off = (
        f"{taint.key}={taint.value}:{taint.effect}" for taint in taints(pool) if taint.effect in _KEEPS_OFF
    )
    told = {
        **own,
        "home": str(facts.home or Home.POOL),
        "accelerators": str(pool.accelerator is not None).lower(),
        "taints": " ".join(kept_off),
    }
    return {f"pool.{pool.name}.{name}": text for name, text in told.items()}


def _of_waivers(waivers: Sequence[Waiver]) -> dict[str, str]:
    # The first that fits is the one that counts longest.
    numbered = {str(number): waiver for number, waiver in enumerate(_longest_first(waivers), start=1)}
    found: dict[str, str] = {}
    for number, waiver in numbered.items():
        listed = f"{waiver.rule}.waivers"
        found[listed] = f"{found.get(listed, '')} {number}".strip()
        for name, text in _of_waiver(waiver):
            found[f"waiver.{number}.{name}"] = text
    return found


def _longest_first(waivers: Iterable[Waiver]) -> list[Waiver]:
    return sorted(waivers, key=lambda waiver: waiver.expires, reverse=True)


def _of_waiver(waiver: Waiver) -> Iterator[tuple[str, str]]:
    yield "subject", _pattern(waiver.subject)
    # The end of its last day, as text: of the last day that there is, nobody can name the next.
    yield "until", f"{waiver.expires}T24:00:00Z"
    for name, expired in (("waived", False), ("expired", True)):
        # A message with a line break is not shown.
        yield name, " ".join(str(Waived(waiver, expired)).split())
    undated = f"the waiver of {waiver.owner} holds for a change that sets something, and so is dated"
    yield "undated", " ".join(undated.split())


def _pattern(subject: str) -> str:
    """A name in which `*` stands for any characters, as a regular expression."""
    # Of what a subject may be made of, the dot alone means something else there.
    return f"^{subject.replace('.', '[.]').replace('*', '.*')}$"
