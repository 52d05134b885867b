"""The tables of the rules on functions of other platforms than AWS Lambda, which have limits of their own."""

from dataclasses import replace

from rule_case import Case

from components.placement import Answer, Facts, Home, Platform
from components.spec import Duration, Memory, Share

GIB = Memory.of(1, "GiB")
CLOUD_RUN = Facts(home=Home.FUNCTION, platform=Platform.CLOUD_RUN)
SAGEMAKER = Facts(home=Home.FUNCTION, platform=Platform.SAGEMAKER_SERVERLESS, timeout=Duration.of(60, "s"))
MINUTES = Duration.of(1, "m")
BUSY = replace(CLOUD_RUN, utilization=Share.parse("75%"))

CASES = [
    Case(
        "a GPU workload on Cloud Run",
        "accelerator-needs-metal",
        replace(CLOUD_RUN, accelerator_count=1, accelerator_type="L4"),
        Answer.FITS,
        ("Cloud Run has accelerators",),
    ),
    Case(
        "a GPU workload on SageMaker Serverless Inference",
        "accelerator-needs-metal",
        replace(SAGEMAKER, accelerator_count=1, accelerator_type="L4"),
        Answer.REFUSED,
        ("SageMaker Serverless Inference has no accelerator",),
    ),
    Case(
        "20 GiB on Cloud Run",
        "memory-over-function-limit",
        replace(CLOUD_RUN, memory=GIB * 20),
        Answer.FITS,
        ("20,480 MB", "Cloud Run"),
    ),
    Case(
        "33 GiB on Cloud Run",
        "memory-over-function-limit",
        replace(CLOUD_RUN, memory=GIB * 33),
        Answer.REFUSED,
        ("33,792 MB", "32,768 MB"),
    ),
    Case(
        "8 GiB on SageMaker Serverless Inference",
        "memory-over-function-limit",
        replace(SAGEMAKER, memory=GIB * 8),
        Answer.REFUSED,
        ("8,192 MB", "6,144 MB"),
    ),
    Case(
        "75 % on Cloud Run, whose break-even is not Lambda's",
        "sustained-utilization",
        BUSY,
        Answer.UNDECIDED,
        missing=("break_even",),
    ),
    Case(
        "75 % on Cloud Run, past a break-even that was computed",
        "sustained-utilization",
        replace(BUSY, break_even=Share.parse("49%")),
        Answer.REFUSED,
        ("Cloud Run", "49% (computed)"),
    ),
    Case(
        "two minutes on Cloud Run",
        "long-execution",
        replace(CLOUD_RUN, service_time=MINUTES * 2, timeout=MINUTES * 5),
        Answer.FITS,
        ("within the 5m of its own timeout",),
    ),
    Case(
        "two hours on Cloud Run",
        "long-execution",
        replace(CLOUD_RUN, service_time=MINUTES * 120, timeout=MINUTES * 60),
        Answer.REFUSED,
        ("1h of Cloud Run",),
    ),
    Case(
        "two minutes on SageMaker Serverless Inference",
        "long-execution",
        replace(SAGEMAKER, service_time=MINUTES * 2),
        Answer.REFUSED,
        ("1m of SageMaker Serverless Inference",),
    ),
    Case(
        "a second on Cloud Run, where a container is started",
        "cold-start-budget",
        replace(CLOUD_RUN, cold_start_tolerance=Duration.of(1, "s")),
        Answer.REFUSED,
        ("2s (assumed)",),
    ),
    Case(
        "none at all on Cloud Run, where an instance is kept",
        "cold-start-budget",
        replace(CLOUD_RUN, home=Home.RESERVED_FUNCTION, cold_start_tolerance=Duration(0)),
        Answer.FITS,
    ),
    Case(
        "Cloud Run bounds all but what it costs",
        "runaway-function",
        replace(CLOUD_RUN, alarm=True, budget=True),
        Answer.FITS,
    ),
    Case(
        "Cloud Run that nobody watches",
        "runaway-function",
        replace(CLOUD_RUN, alarm=False, budget=True),
        Answer.REFUSED,
        ("it has no alarm",),
    ),
]
