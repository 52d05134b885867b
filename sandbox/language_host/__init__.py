"""A Pulumi language host for Python programs.

The engine does not run programs: it starts a *language host* (`pulumi-language-python`), reads the port
the host prints, and asks it over gRPC to run a program, a policy pack or a component provider, or to say what
they depend on. The official host is a Go program that ships with the Pulumi CLI and with nothing else, so a
machine that has the engine from source has no host. This package is one.

It behaves as the official host does where a program or its author can see it: the same `runtime.options`
(`toolchain`, `virtualenv`, `typechecker`), the program in a process of its own under *its* interpreter, the
same exit statuses and stack traces. It differs in three places, each on purpose:

* `toolchain: uv` never runs `uv sync` behind a command; `pulumi install` is what installs.
* configuration reaches the program on its standard input, not in its environment, so that secrets are not
  inherited by whatever the program starts, and a large stack file is not cut off by the kernel's limit.
* a plugin without a `virtualenv` runs on the ambient Python where there is no `venv` beside it.

It generates no code (`pulumi convert`, `pulumi package add`) and attaches no debugger; it says so when asked.
"""
