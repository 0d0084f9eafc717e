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

__all__ = ["exec_run", "main_target", "run_flags"]

_VALUES = ("host", "port", "uds", "workers", "http", "interface", "server", "ssl_certificate", "ssl_keyfile", "config")
_FLAGS = ("debug", "reload", "refresh", "access_log", "prod", "skip_checks")
_PAIRS = ("debug", "reload", "access_log")


def exec_run(app: App, options: Mapping[str, Any]) -> None:
    """Replace this process by `segue run` with the app of the program that runs.

    Does nothing where the file is only imported, by a worker or another server, so that
    the call may stand without `if __name__ == "__main__"`.

    Raises:
        UsageError: The program is no file (`servers/no-file`), or an option is unknown.
    """
    flags = run_flags(options)
    main = vars(sys.modules["__main__"])
    if "segue.cli" in sys.modules or not (_calls_from_main() or any(value is app for value in main.values())):
        return
    arguments = ["--app", main_target(app, main), "run", *flags]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *_interpreter_options(), "-m", "segue", *arguments])


def main_target(app: App, main: Mapping[str, Any]) -> str:
    """Return the target by which a worker finds *app* in the program's module.

    Args:
        main: The names of that module.

    Raises:
        UsageError: The program is no file.
    """
    file: Any = main.get("__file__")
    if not file or not Path(file).is_file():
        raise UsageError(
            "app.run() was called where there is no file to serve.",
            code="servers/no-file",
            why="The server loads the app anew in its workers, from the file that defines it.",
            hint="Put the app into a file, then: segue --app FILE run",
        )
    spec: Any = main.get("__spec__")
    target: str = os.path.relpath(str(file)) if spec is None else str(spec.name)
    apps = {id(value): name for name, value in main.items() if isinstance(value, type(app))}
    # One alone is found by itself, though it be made only below `if __name__ == "__main__"`
    # while importing finds the factory that makes it.
    return f"{target}:{apps[id(app)]}" if len(apps) > 1 and id(app) in apps else target


def _calls_from_main() -> bool:
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # as places.caller_place
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "segue":
        frame = frame.f_back
    return frame.f_globals.get("__name__") == "__main__"


def run_flags(options: Mapping[str, Any]) -> list[str]:
    """Return the options of `app.run()` as those of `segue run`.

    Raises:
        UsageError: There is no such option (`servers/unknown-option`).
    """
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


def _x_options() -> dict[str, Any]:
    return sys._xoptions  # pyright: ignore[reportPrivateUsage]  # there is no other way to read -X


def _interpreter_options() -> list[str]:
    """The options that the interpreter itself was given: -X dev, -W error, -O."""
    return [
        *(["-O"] * sys.flags.optimize if sys.flags.optimize < 2 else ["-OO"]),
        *(part for each in sys.warnoptions for part in ("-W", each)),
        *(
            part
            for name, value in _x_options().items()
            for part in ("-X", name if value is True else f"{name}={value}")
        ),
    ]
