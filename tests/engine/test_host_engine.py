"""Programs, policy packs and plugins as the real engine runs them through this language host."""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

MakeProject = Callable[..., Any]
FindProcesses = Callable[[Path], list[str]]

DEADLINE_S = 60.0
HELLO = "import pulumi\npulumi.export('greeting', 'hello')\n"


def test_a_program_sees_its_project_stack_organization_and_directories(project: MakeProject):
    made = project(
        {
            "src/__main__.py": """
                import os, sys, helper, pulumi

                pulumi.export("project", pulumi.get_project())
                pulumi.export("stack", pulumi.get_stack())
                pulumi.export("organization", pulumi.get_organization())
                pulumi.export("root", pulumi.get_root_directory())
                pulumi.export("directory", os.getcwd())
                pulumi.export("dry_run", pulumi.runtime.is_dry_run())
                pulumi.export("interpreter", sys.prefix)
                pulumi.export("helper", helper.__file__)
            """,
            "src/helper.py": "",
        },
        extra="main: src\n",
    )
    ended = made.up()
    assert ended.status == 0, ended.output
    outputs = made.outputs()
    source = str(made.directory / "src")
    assert outputs.pop("project").startswith("p")
    assert outputs == {
        "stack": "test",
        "organization": "organization",
        "root": str(made.directory),
        "directory": source,
        "dry_run": False,
        "interpreter": sys.prefix,
        "helper": f"{source}/helper.py",
    }


def test_the_main_of_a_project_may_be_a_file(project: MakeProject):
    made = project(
        {
            "app/deploy.py": "import names, pulumi\npulumi.export('name', names.NAME)\n",
            "app/names.py": "NAME = 'n'\n",
        },
        extra="main: app/deploy.py\n",
    )
    ended = made.up()
    assert ended.status == 0, ended.output
    assert made.outputs() == {"name": "n"}


def test_secrets_of_the_configuration_stay_secret_and_reach_threads_but_not_the_environment(
    project: MakeProject,
):
    made = project(
        {
            "__main__.py": """
                import os, threading, pulumi

                config = pulumi.Config()
                seen = []
                thread = threading.Thread(target=lambda: seen.append(config.get("password")))
                thread.start()
                thread.join()
                pulumi.export("password", config.require_secret("password"))
                pulumi.export("in_thread", pulumi.Output.secret(seen[0]))
                pulumi.export("plain", config.require("plain"))
                pulumi.export("leaked", [name for name, value in os.environ.items() if "hunter2" in value])
            """
        }
    )
    assert made.run("config", "set", "--secret", "password", "hunter2").status == 0
    assert made.run("config", "set", "plain", "text").status == 0
    ended = made.up()
    assert ended.status == 0, ended.output
    assert "hunter2" not in ended.output
    assert made.outputs() == {"password": "[secret]", "in_thread": "[secret]", "plain": "text", "leaked": []}
    shown = made.outputs("--show-secrets")
    assert (shown["password"], shown["in_thread"]) == ("hunter2", "hunter2")


@dataclass(frozen=True)
class Failure:
    """A program that fails, what must be said of it and what must not."""

    program: str
    says: tuple[str, ...]
    never: tuple[str, ...] = ()


FRAMES_OF_THE_HOST = ("executor.py", "runpy", "run_in_stack", "asyncio/")

FAILURES = {
    "an exception: its own frames and no others": Failure(
        """
        import pulumi
        def deeper():
            raise ValueError("boom")
        deeper()
        """,
        (
            "Program failed with an unhandled exception:",
            '__main__.py", line 4, in <module>',
            '__main__.py", line 3, in deeper',
            "ValueError: boom",
        ),
        (*FRAMES_OF_THE_HOST, "non-zero exit code"),
    ),
    "an exception with a cause: both are shown": Failure(
        """
        try:
            {}["key"]
        except KeyError as error:
            raise RuntimeError("no key") from error
        """,
        ("KeyError: 'key'", "direct cause", "RuntimeError: no key"),
        FRAMES_OF_THE_HOST,
    ),
    "an exception in an apply": Failure(
        """
        import pulumi
        def fail(value):
            raise ValueError("in apply")
        pulumi.export("out", pulumi.Output.from_input(1).apply(fail))
        """,
        ("in fail", "ValueError: in apply"),
        ("runpy", "non-zero exit code"),
    ),
    "sys.exit with a status": Failure(
        "import sys; sys.exit(3)", ("exited with non-zero exit code: 3",), ("Traceback",)
    ),
    "sys.exit with a message": Failure(
        "import sys; sys.exit('no such region')",
        ("no such region", "exited with non-zero exit code: 1"),
        ("Traceback",),
    ),
    "an error it has reported, then sys.exit": Failure(
        "import sys, pulumi; pulumi.log.error('wrong zone'); sys.exit(1)",
        ("error: wrong zone",),
        ("Traceback", "exit code"),
    ),
    "RunError: the message alone": Failure(
        "import pulumi; raise pulumi.RunError('wrong zone')",
        ("error: wrong zone",),
        ("Traceback", "exit code"),
    ),
    "a syntax error": Failure(
        "x = = 1", ('__main__.py", line 1', "SyntaxError: invalid syntax"), FRAMES_OF_THE_HOST
    ),
    "a module that is not installed": Failure(
        "import no_such_module",
        ("ModuleNotFoundError: No module named 'no_such_module'", "is not installed", "pulumi install"),
        FRAMES_OF_THE_HOST,
    ),
    "killed by a signal": Failure(
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ("ended by signal 9",), ("Traceback",)
    ),
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_a_failing_program_is_reported_once_and_plainly(project: MakeProject, case: Failure):
    ended = project({"__main__.py": case.program}).up()
    assert ended.status != 0
    for said in case.says:
        assert said in ended.output
    for never in case.never:
        assert never not in ended.output
    assert _diagnostics(ended.output).count(case.says[-1]) == 1


def test_sys_exit_zero_is_success(project: MakeProject):
    made = project({"__main__.py": HELLO + "import sys; sys.exit(0)\n"})
    assert made.up().status == 0
    assert made.outputs() == {"greeting": "hello"}


def test_a_directory_without_a_program_is_named(project: MakeProject):
    made = project({"helper.py": ""})
    ended = made.up()
    assert ended.status != 0
    assert f"no Pulumi program in {made.directory}: there is no __main__.py" in ended.output
    assert "Traceback" not in ended.output


@dataclass(frozen=True)
class Refusal:
    """Runtime options that cannot be served, and what is said of them."""

    runtime: Mapping[str, Any]
    says: tuple[str, ...]


REFUSALS = {
    "virtual environment missing": Refusal(
        {"virtualenv": ".nowhere"}, ("'.nowhere'", "does not exist", "pulumi install")
    ),
    "virtual environment that is none": Refusal({"virtualenv": "."}, ("is not a virtual environment",)),
    "poetry": Refusal({"toolchain": "poetry"}, ("poetry is not supported", "toolchain: uv")),
    "unknown toolchain": Refusal({"toolchain": "conda"}, ("'conda' is not known", "pip, uv")),
    "uv without its environment": Refusal({"toolchain": "uv"}, (".venv does not exist", "pulumi install")),
    "type checker that is not installed": Refusal(
        {"virtualenv": sys.prefix, "typechecker": "pyright"}, ("pyright", "not installed")
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_options_that_cannot_be_served_are_refused_with_a_remedy(project: MakeProject, case: Refusal):
    ended = project({"__main__.py": HELLO}, runtime=case.runtime).up()
    assert ended.status != 0
    for said in case.says:
        assert said in ended.output
    assert "Traceback" not in ended.output


def test_a_type_error_stops_a_program_that_asks_for_mypy(project: MakeProject):
    made = project(
        {"__main__.py": "count: int = 'one'\n"}, runtime={"virtualenv": sys.prefix, "typechecker": "mypy"}
    )
    ended = made.up()
    assert ended.status != 0
    assert "Incompatible types in assignment" in ended.output
    assert "mypy refused the program" in ended.output


PACK = {
    "pack/PulumiPolicy.yaml": "runtime: {name: python, options: {virtualenv: ENVIRONMENT}}\n",
    "pack/__main__.py": """
        from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

        def greets(args, report):
            stack = next(r for r in args.resources if r.resource_type == "pulumi:pulumi:Stack")
            if args.get_config().get("x") is None and any(r.name == "rude" for r in args.resources):
                report("say hello first")

        PolicyPack("manners", policies=[StackValidationPolicy(
            name="greets", description="Programs greet.", validate=greets,
            enforcement_level=EnforcementLevel.MANDATORY,
        )])
    """,
}


@pytest.mark.parametrize(("name", "status"), [("polite", 0), ("rude", 1)])
def test_a_policy_pack_judges_a_program(project: MakeProject, name: str, status: int):
    program = f"import pulumi\npulumi.ComponentResource('t:m:C', '{name}')\n"
    pack = {path: text.replace("ENVIRONMENT", sys.prefix) for path, text in PACK.items()}
    ended = project({"__main__.py": program, **pack}).run(
        "preview", "--stack", "test", "--policy-pack", "pack"
    )
    assert (ended.status, "say hello first" in ended.output) == (status, status != 0), ended.output


def test_a_policy_pack_finds_its_virtual_environment_beside_itself(project: MakeProject):
    pack = {path: text.replace("ENVIRONMENT", "../environment") for path, text in PACK.items()}
    made = project({"__main__.py": HELLO, **pack})
    (made.directory / "environment").symlink_to(sys.prefix)
    ended = made.run("preview", "--stack", "test", "--policy-pack", "pack")
    assert ended.status == 0, ended.output


def test_a_broken_policy_pack_says_why(project: MakeProject):
    pack = {**PACK, "pack/__main__.py": "raise ValueError('broken pack')\n"}
    pack = {path: text.replace("ENVIRONMENT", sys.prefix) for path, text in pack.items()}
    ended = project({"__main__.py": HELLO, **pack}).run("preview", "--stack", "test", "--policy-pack", "pack")
    assert ended.status != 0
    assert "broken pack" in ended.output


PROVIDER = {
    "provider/PulumiPlugin.yaml": f"runtime: {{name: python, options: {{virtualenv: {sys.prefix}}}}}\n",
    "provider/__main__.py": """
        from typing import Optional, TypedDict

        import pulumi
        from pulumi.provider.experimental import component_provider_host

        class GreeterArgs(TypedDict):
            who: pulumi.Input[str]

        class Greeter(pulumi.ComponentResource):
            greeting: pulumi.Output[str]

            def __init__(self, name: str, args: GreeterArgs, opts: Optional[pulumi.ResourceOptions] = None):
                super().__init__("greetings:index:Greeter", name, {}, opts)
                self.greeting = pulumi.Output.concat("hello ", args["who"])
                self.register_outputs({"greeting": self.greeting})

        component_provider_host(name="greetings", components=[Greeter])
    """,
    "__main__.py": """
        import pulumi

        class Greeter(pulumi.ComponentResource):
            greeting: pulumi.Output[str]

            def __init__(self, name, who):
                properties = {"who": who, "greeting": None}
                super().__init__("greetings:index:Greeter", name, properties, None, remote=True)

        pulumi.export("greeting", Greeter("g", "world").greeting)
    """,
}


def test_a_component_provider_written_in_python_serves_a_program(
    project: MakeProject, processes: FindProcesses
):
    made = project(PROVIDER, extra="plugins: {providers: [{name: greetings, path: provider}]}\n")
    ended = made.up()
    assert ended.status == 0, ended.output
    assert made.outputs() == {"greeting": "hello world"}
    assert _eventually(lambda: not processes(made.directory)), processes(made.directory)


# Ten minutes: whatever ends before DEADLINE_S has not waited for it.
WAITING = """
    import pathlib, time, pulumi

    pathlib.Path("started").touch()
    time.sleep(600)
"""


def test_an_interrupted_update_ends_at_once_without_a_traceback(
    project: MakeProject, processes: FindProcesses
):
    made = project({"__main__.py": WAITING})
    update = made.start("up", "--yes", "--skip-preview", "--stack", "test")
    assert _eventually((made.directory / "started").exists)
    update.send_signal(signal.SIGINT)
    output, _ = update.communicate(timeout=DEADLINE_S)
    assert update.returncode != 0
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output
    assert _eventually(lambda: not processes(made.directory)), processes(made.directory)


def test_nothing_outlives_an_engine_that_was_killed(project: MakeProject, processes: FindProcesses):
    made = project({"__main__.py": WAITING})
    update = made.start("up", "--yes", "--skip-preview", "--stack", "test")
    assert _eventually((made.directory / "started").exists)
    update.kill()
    update.communicate(timeout=DEADLINE_S)
    assert _eventually(lambda: not processes(made.directory)), processes(made.directory)


def test_installing_makes_the_virtual_environment_and_says_when_there_is_nothing_more(project: MakeProject):
    made = project({"__main__.py": HELLO}, runtime={"virtualenv": "environment"})
    ended = made.run("install")
    assert ended.status == 0, ended.output
    assert "Creating virtual environment" in ended.output
    assert "neither a requirements.txt nor a pyproject.toml" in ended.output
    assert (made.directory / "environment" / "bin" / "python").is_file()
    missing = made.up()
    assert "The Pulumi SDK is not installed in the program's Python environment" in missing.output


def test_an_installation_that_fails_says_which_command_and_shows_why(project: MakeProject):
    made = project(
        {"__main__.py": HELLO, "requirements.txt": "./nowhere\n"}, runtime={"virtualenv": "environment"}
    )
    ended = made.run("install")
    assert ended.status != 0
    assert "nowhere" in ended.output
    assert "requirements.txt` exited with" in ended.output
    assert "Traceback" not in ended.output


def test_about_names_the_interpreter_the_toolchain_and_the_direct_dependencies(project: MakeProject):
    ended = project({"__main__.py": HELLO}).run("about")
    assert ended.status == 0, ended.output
    version = ".".join(map(str, sys.version_info[:3]))
    assert f"executable='{sys.prefix}/bin/python' version='{version}'" in ended.output
    assert "toolchain='pip'" in ended.output
    assert "halfmetal" in ended.output


def _diagnostics(output: str) -> str:
    """The closing list of messages; before it each is shown once more as it comes."""
    return output.partition("Diagnostics:")[2] or output


def _eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
