"""`python app.py`: the file that calls `app.run()` becomes `segue run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from ..app import App

__all__ = ["command_line", "exec_run"]

_VALUES = ("host", "port", "uds", "workers", "http", "interface", "server", "ssl_certificate", "ssl_keyfile", "config")
_FLAGS = ("debug", "reload", "access_log", "prod", "skip_checks")
_PAIRS = ("debug", "reload", "access_log")


def exec_run(app: App, options: Mapping[str, Any]) -> None:
    """Replace this process by `segue run` with the app of the program that runs.

    Does nothing in a process that only imports the file, so that the call may stand
    without `if __name__ == "__main__"`.

    Raises:
        UsageError: The program is no file (`servers/no-file`), or an option is unknown.
    """
    main = sys.modules["__main__"]
    arguments = command_line(app, vars(main), options)
    if arguments is None:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *_interpreter_options(), "-m", "segue", *arguments])


def command_line(app: App, main: Mapping[str, Any], options: Mapping[str, Any]) -> list[str] | None:
    """Return the arguments of `segue` that serve *app*, or `None` if the program is another one.

    Args:
        main: The names of the program's module.
        options: As `segue run` has them, with `_` for `-`.
    """
    flags = _flags(options)
    if app.import_name != "__main__":
        return None
    file = main.get("__file__")
    if not file or not Path(file).is_file():
        raise UsageError(
            "app.run() was called where there is no file to serve.",
            code="servers/no-file",
            why="The server loads the app anew in its workers, from the file that defines it.",
            hint="Put the app into a file, then: segue --app FILE run",
        )
    name = next((name for name, value in main.items() if value is app), None)
    spec = main.get("__spec__")
    module = spec.name.removesuffix(".__main__") if spec is not None and spec.name else ""
    target = module or os.path.relpath(file)
    return ["--app", f"{target}:{name}" if name else target, "run", *flags]


def _flags(options: Mapping[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if name in _FLAGS:
            if value:
                flags.append(option)
            elif name in _PAIRS and value is not None:
                flags.append(f"--no-{option[2:]}")
        elif name in _VALUES:
            if value is not None:
                flags += [option, str(value)]
        else:
            raise UsageError(
                f"app.run() takes no `{name}`.",
                code="servers/unknown-option",
                why="It takes the options of `segue run`, with _ for -.",
                hint=did_you_mean(name, [*_VALUES, *_FLAGS]) or "segue run --help",
            )
    return flags


def _interpreter_options() -> list[str]:
    """The options that the interpreter itself was given: -X dev, -W error, -O."""
    return [
        *(["-O"] * sys.flags.optimize if sys.flags.optimize < 2 else ["-OO"]),
        *(part for each in sys.warnoptions for part in ("-W", each)),
        *(
            part
            for name, value in sys._xoptions.items()
            for part in ("-X", name if value is True else f"{name}={value}")
        ),
    ]
