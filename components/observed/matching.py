"""Which workload a series is of: by the names that the components give to what they make.

A function is called `<root>-fn-<workload>-function-<suffix>`, a pod `<workload>-<hash>-<suffix>` with the
label `app.kubernetes.io/name`, a backend of the gateway `model-<workload>`, a route `/v2/models/<workload>`.
What is called otherwise is named by the user: `--map SERIES=WORKLOAD`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from components.naming import part
from components.observed.quantities import OF_FUNCTIONS, RATES, Quantity
from components.observed.series import Series
from components.spec import Stack
from components.spec.suggestions import choose
from components.traffic.findings import Finding, TraceError, Weight, shown

# Labels whose value is the workload's name, the plainest first; the later ones are what kube-state-metrics, a
# scrape configuration and vLLM make of it.
_NAMED: Final = (
    "workload",
    "halfmetal_dev_workload",
    "app_kubernetes_io_name",
    "label_app_kubernetes_io_name",
    "deployment",
    "model_name",
)
_BACKENDS: Final = ("proxy", "backend")
# An exporter that keeps its own labels puts those of what it measures under exported_.
_PODS: Final = ("exported_pod", "pod", "pod_name")
_FUNCTIONS: Final = ("FunctionName", "function_name", "dimension_FunctionName", "dimension_function_name")
_WHERE: Final = ("cluster", "exported_namespace", "namespace")
_SUFFIX: Final = re.compile(r"-[0-9a-f]{7}$")
_SHOWN: Final = 5


@dataclass
class Matcher:
    """Finds the workload of each series."""

    workloads: Sequence[str]
    maps: Mapping[str, str]
    """Name of a series, or of one of its labels' values → workload."""
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, stack: Stack, maps: Mapping[str, str]) -> "Matcher":
        """Raises TraceError for a map to what is no workload."""
        known = [workload.name for workload in stack.workloads]
        for name, workload in maps.items():
            if workload not in known:
                raise TraceError(
                    f"--map {name}={workload}: {workload} is no workload of the stack",
                    choose(workload, known),
                )
        # The longest first: a function of x-fn-y is none of y.
        return cls(sorted(known, key=lambda name: (-len(name), name)), maps)

    def workload_of(self, series: Series) -> str | None:
        """The workload that a series is of."""
        for name in _names(series):
            if name in self.maps:
                self.used.add(name)
                return self.maps[name]
        return next((found for found in self._guesses(series) if found is not None), None)

    def _guesses(self, series: Series) -> Iterator[str | None]:
        labels = series.labels
        yield from (self._exactly(labels[key]) for key in _NAMED if key in labels)
        yield from (self._of_backend(labels[key], series.quantity) for key in _BACKENDS if key in labels)
        yield from (self._of_pod(labels[key]) for key in _PODS if key in labels)
        yield from (self._of_function(labels[key]) for key in _FUNCTIONS if key in labels)
        yield from (self._of_function(alias) or self._exactly(alias) for alias in series.aliases)

    def _exactly(self, name: str) -> str | None:
        return name if name in self.workloads else None

    def _of_backend(self, backend: str, quantity: Quantity | None) -> str | None:
        """What the gateway sends to pods, and the tail: requests too, but not at the pods' own pace."""
        prefixes = ("model-", "tail-") if quantity in RATES else ("model-",)
        prefix = next((prefix for prefix in prefixes if backend.startswith(prefix)), None)
        return None if prefix is None else self._exactly(backend.removeprefix(prefix))

    def _of_pod(self, pod: str) -> str | None:
        for workload in self.workloads:
            if re.fullmatch(rf"{re.escape(workload)}-[0-9a-z]+-[0-9a-z]{{5}}", pod):
                return workload
        return None

    def _of_function(self, function: str) -> str | None:
        base = _base(function)
        for workload in self.workloads:
            if base.endswith(f"-fn-{part(workload)}-function"):
                return workload
        return None

    def findings(self, strangers: Sequence[Series], matched: int) -> Iterator[Finding]:
        """What to say of series that are of no workload, and of maps that no series answers to."""
        for name in self.maps:
            if name not in self.used:
                yield Finding(
                    f"--map {name}={self.maps[name]}: no series is called {shown(name)}",
                    "name the value of one of its labels, its label or id, or its file",
                )
        if strangers:
            titles = list(dict.fromkeys(shown(series.title) for series in strangers))
            more = f" and {len(titles) - _SHOWN} more" if len(titles) > _SHOWN else ""
            yield Finding(
                f"{len(strangers)} of {len(strangers) + matched} series are of no workload of the stack:"
                f" {', '.join(titles[:_SHOWN])}{more}",
                "nothing to do if they are of something else; else --map SERIES=WORKLOAD",
                weight=Weight.NOTE if matched else Weight.WARNING,
            )


def _names(series: Series) -> Iterator[str]:
    yield from series.labels.values()
    yield from series.aliases
    file = PurePath(series.file)
    yield from (series.file, file.name, file.stem)


def _base(function: str) -> str:
    """A function's name without the engine's suffix and without an alias or version behind it."""
    return _SUFFIX.sub("", function.partition(":")[0])


def is_of_function(series: Series) -> bool:
    """Whether a series is of a function, and not of what is before it."""
    if series.metric in OF_FUNCTIONS or any(key in series.labels for key in _FUNCTIONS):
        return True
    return any("-fn-" in alias for alias in series.aliases)


def origin_of(series: Series) -> str:
    """Which deployment it is of: two of the same workload are not to be taken together."""
    for key in _FUNCTIONS:
        if key in series.labels:
            return _base(series.labels[key])
    for alias in series.aliases:
        if "-fn-" in alias:
            return _base(alias)
    return "/".join(series.labels[key] for key in _WHERE if key in series.labels)
