"""An audit beside checkov, on the same Kubernetes and CloudFormation files, whole process by whole process.

The two do not answer the same questions: checkov asks some hundred of every resource, halfmetal fourteen of
those that run something. So beside the times stands how many resources each looked at. Checkov is installed
from `requirements/checkov.txt` into a virtual environment of its own, made once below `build/`; it is run
without its downloads and on the two frameworks alone.

The first subject is the baseline, and it is the audit: checkov's ratio says how many times longer it takes.

With `--state` an exported state of thousands of resources is audited instead, beside one of a single
resource: what is between the two is the audit, without the start of the process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from uv import find_uv_bin

from bench.measure import (
    COLUMNS,
    TIMEOUT_S,
    BenchError,
    Compared,
    Cost,
    as_rows,
    machine,
    print_json,
    report,
    run,
    tell,
    told,
    turn_about,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REPO = Path(__file__).resolve().parents[1]
_LOCK = REPO / "requirements" / "checkov.txt"
_OURS, _THEIRS = "halfmetal audit", "checkov"
_IN_ONE_FILE = 50
_POOLS = ("gpu-a", "gpu-b", "cpu-a")


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="halfmetal-bench-") as folder:
        if arguments.state:
            _state(Path(folder), arguments)
        else:
            _beside_checkov(Path(folder), arguments)


def _state(folder: Path, arguments: argparse.Namespace) -> None:
    """A large state beside one of a single resource."""
    states = {count: folder / f"{count}.json" for count in (1, arguments.state)}
    for count, file in states.items():
        file.write_text(json.dumps(_exported(count)), encoding="utf-8")
    looked_at = {
        f"state of {count}": _looked_at_by_us(_audit(file), folder) for count, file in states.items()
    }
    subjects = {f"state of {count}": partial(_timed, _audit(file), folder) for count, file in states.items()}
    title = f"audit of a state of {arguments.state} resources"
    _print(title, turn_about(subjects, arguments.rounds), looked_at, arguments)


def _beside_checkov(files: Path, arguments: argparse.Namespace) -> None:
    checkov = _checkov()
    _write(files, arguments.deployments, arguments.functions)
    ours = _audit(files)
    theirs = [str(checkov), "-d", str(files), "--framework", "kubernetes", "cloudformation"]
    theirs += ["--skip-download", "--quiet", "--compact", "-o", "json"]
    looked_at = {_OURS: _looked_at_by_us(ours, files), _THEIRS: _looked_at_by_checkov(theirs, files)}
    # Both end with a status of their own where they found something; here that is no failure.
    subjects = {
        f"{name}, {looked_at[name]} resources": partial(_timed, command, files)
        for name, command in ((_OURS, ours), (_THEIRS, theirs))
    }
    title = f"audit of {arguments.deployments} Deployments and {arguments.functions} functions"
    _print(title, turn_about(subjects, arguments.rounds), looked_at, arguments)


def _audit(what: Path) -> list[str]:
    return [str(Path(sys.executable).with_name("halfmetal")), "audit", str(what), "--json"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default 3)")
    parser.add_argument("--deployments", type=int, default=300, help="Kubernetes Deployments (default 300)")
    parser.add_argument("--functions", type=int, default=300, help="Lambda functions (default 300)")
    parser.add_argument("--state", type=int, help="audit a state of so many resources, without checkov")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def _print(
    title: str, found: Sequence[Compared], looked_at: dict[str, int], arguments: argparse.Namespace
) -> None:
    if arguments.json:
        print_json({"audits": [one.as_json() for one in found], "resources": looked_at})
        return
    where = machine()
    beside = f"median of {arguments.rounds} rounds, {where['cores']} cores, load {where['load_average']}"
    report(f"{title}: {beside}", COLUMNS, list(as_rows(found)))


# -- the two


def _checkov() -> Path:
    """Checkov's program, in an environment that holds what the lock file names and nothing else."""
    text = _LOCK.read_bytes() + sys.version.encode()
    into = REPO / "build" / f"checkov-{hashlib.sha256(text).hexdigest()[:16]}"
    program = into / "bin" / "checkov"
    if not program.exists():
        tell("installing checkov")
        uv, env = find_uv_bin(), {**os.environ, "VIRTUAL_ENV": str(into)}
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(into)], cwd=REPO, env=env)
        install = [uv, "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(_LOCK)]
        run(install, cwd=REPO, env=env)
    return program


def _looked_at_by_us(command: Sequence[str], cwd: Path) -> int:
    return int(_answer(command, cwd)["summary"]["resources"])


def _looked_at_by_checkov(command: Sequence[str], cwd: Path) -> int:
    answer = _answer(command, cwd)
    return sum(
        int(part["summary"]["resource_count"]) for part in (answer if isinstance(answer, list) else [answer])
    )


def _answer(command: Sequence[str], cwd: Path) -> Any:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=os.environ
    )
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise BenchError(f"`{' '.join(command)}` printed no JSON:\n{done.stderr[-2000:]}") from error


def _timed(command: Sequence[str], cwd: Path) -> Cost:
    shell = ["sh", "-c", '"$@" > /dev/null || test $? -eq 1', "sh", *command]
    return run(shell, cwd=cwd, env=os.environ)


# -- the files


def _write(folder: Path, deployments: int, functions: int) -> None:
    """Files of fifty: as many as people keep together, and fewer than a template may have."""
    for start in range(0, deployments, _IN_ONE_FILE):
        numbers = range(start, min(start + _IN_ONE_FILE, deployments))
        documents = [document for number in numbers for document in _manifests(number)]
        (folder / f"models-{start}.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    for start in range(0, functions, _IN_ONE_FILE):
        numbers = range(start, min(start + _IN_ONE_FILE, functions))
        resources = {name: made for number in numbers for name, made in _functions(number)}
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        (folder / f"functions-{start}.yaml").write_text(yaml.safe_dump(template), encoding="utf-8")


def _manifests(number: int) -> Iterator[dict[str, Any]]:
    name, labels = f"model-{number}", {"app": f"model-{number}"}
    gpus = {"nvidia.com/gpu": "1"} if number % 2 else {}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "models", "labels": labels},
        "spec": {
            "replicas": number % 4,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "nodeSelector": {"halfmetal.dev/pool": _POOLS[number % len(_POOLS)]},
                    "containers": [
                        {
                            "name": "model",
                            "image": f"example/model:{number}",
                            "ports": [{"containerPort": 8080}],
                            "env": [{"name": "MODEL_NAME", "value": name}],
                            "resources": {
                                "requests": {"cpu": "1", "memory": "4Gi"},
                                "limits": {"memory": "4Gi", **gpus},
                            },
                            "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": 8080}},
                        }
                    ],
                },
            },
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "models"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def _functions(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    yield (
        f"Function{number}",
        {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": f"embed-{number}",
                "Runtime": "python3.12",
                "Handler": "app.handler",
                "Role": "arn:aws:iam::000000000000:role/embed",
                "Code": {"S3Bucket": "bundles", "S3Key": f"{number}.zip"},
                "MemorySize": 512 * (1 + number % 4),
                "Timeout": 30,
                **({"ReservedConcurrentExecutions": 10} if number % 3 else {}),
            },
        },
    )
    yield (
        f"Log{number}",
        {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/lambda/embed-{number}", "RetentionInDays": 14},
        },
    )


def _exported(count: int) -> dict[str, Any]:
    """A state as `pulumi stack export` has it: of four resources one is a function, one its log group."""
    return {"version": 3, "deployment": {"resources": [_stated(number) for number in range(count)]}}


def _stated(number: int) -> dict[str, Any]:
    of = number - number % 4
    token, outputs = (
        (
            "aws:lambda/function:Function",
            {"name": f"embed-{of}", "memorySize": 512, "timeout": 30, "reservedConcurrentExecutions": 10},
        ),
        ("aws:cloudwatch/logGroup:LogGroup", {"name": f"/aws/lambda/embed-{of}", "retentionInDays": 14}),
        (
            "kubernetes:apps/v1:Deployment",
            {**next(_manifests(number)), "status": {"replicas": 1, "readyReplicas": 1}},
        ),
        ("aws:s3/bucket:Bucket", {"bucket": f"bundles-{of}", "tags": {"team": "models"}}),
    )[number % 4]
    return {
        "urn": f"urn:pulumi:bench::models::{token}::{number}",
        "custom": True,
        "type": token,
        "inputs": outputs,
        "outputs": outputs,
    }


if __name__ == "__main__":
    told(main)
