"""The `traffic` of a workload as it was measured, beside what its stack file says."""

from typing import Final

from components.observed.measuring import Measured
from components.spec import Duration, Rate, Share, Traffic, Workload
from components.traffic.measurement import plain, rate_of, rounded

_LEAST_BUSY: Final = Share.parse("0.01%")


def traffic_of(workload: Workload, measured: Measured) -> Traffic:
    """What is known of its traffic: what was measured, else what the stack file says."""
    stated, requests = workload.traffic, measured.requests
    rate = requests.rate if requests is not None and requests.rate is not None else stated.rate
    hourly = stated.hourly
    if requests is not None and requests.hourly is not None:
        # With a mean of 1 to the last digit, as the stack file's are once they are read.
        hourly = Traffic.model_validate({"hourly": list(requests.hourly)}).hourly
    return stated.model_copy(
        update={
            "rate": rate,
            "peak": _peak(stated, measured, rate, hourly),
            "hourly": hourly,
            "service_time": measured.service_time or stated.service_time,
            "utilization": _utilization(stated, measured, rate, measured.service_time or stated.service_time),
        }
    )


def _peak(
    stated: Traffic, measured: Measured, rate: Rate | None, hourly: tuple[float, ...] | None
) -> Rate | None:
    """The busiest minute. The average of more than a minute is below it, and says nothing against more."""
    requests = measured.requests
    if requests is None or rate is None:
        return stated.peak
    peaks = [requests.peak] if requests.peak is not None else []
    if not requests.by_minute and stated.peak is not None:
        peaks.append(stated.peak)
    if not peaks:
        return None
    least = rate_of(rate.per_second * max((1.0, *(hourly or ()))), up=True)
    return max(*peaks, least)


def _utilization(
    stated: Traffic, measured: Measured, rate: Rate | None, work: Duration | None
) -> Share | None:
    """As it was measured; else what rate and work make of one replica, where one of these was.

    None is more than one replica can do, as the rules then see it by themselves.
    """
    if measured.utilization is not None:
        return measured.utilization
    counted = measured.requests is not None and measured.requests.rate is not None
    if not (counted or measured.service_time is not None) or rate is None or work is None:
        return stated.utilization
    busy = rate.per_second * work.seconds
    return max(_LEAST_BUSY, Share(round(rounded(busy) * Share.maximum))) if busy <= 1 else None


def changes_of(workload: Workload, measured: Measured) -> dict[str, object | None]:
    """What is to be written under `traffic`; None is a key to remove."""
    stated, now = workload.traffic, traffic_of(workload, measured)
    return {
        key: _spelled(key, getattr(now, key), measured)
        for key in ("rate", "peak", "utilization", "service_time", "hourly")
        if getattr(stated, key) != getattr(now, key)
    }


def _spelled(key: str, value: object, measured: Measured) -> object | None:
    if value is None:
        return None
    if key == "hourly" and measured.requests is not None:
        return [plain(weight) for weight in measured.requests.hourly or ()]
    return str(value)
