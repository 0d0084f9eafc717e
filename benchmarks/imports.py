"""`python -m benchmarks.imports`: what `from segue import App` loads and costs, beside Flask."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from statistics import median

from benchmarks.environment import ROOT, ensure_environment, save
from benchmarks.verdicts import Verdict, conclude

MOST_MODULES = 200
PROGRAMS = {"bare": "pass", "segue": "from segue import App", "flask": "import flask"}


def loaded_modules(program: str) -> list[str]:
    """Return the modules that a program loads beyond those of a bare Python."""
    script = f"import sys; bare = set(sys.modules); {program}; print(*sorted(set(sys.modules) - bare), sep='\\n')"
    done = subprocess.run([sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    return done.stdout.split()


def cpu_ms(program: str) -> float:
    """Return the CPU time of a whole Python process that runs a program."""
    process = subprocess.Popen([sys.executable, "-I", "-c", program], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{program!r} ended with status {process.returncode}.")
    return (usage.ru_utime + usage.ru_stime) * 1000


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description="What the import costs.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--list", action="store_true", help="print the names of the modules that Segue loads")
    parser.add_argument("--check", action="store_true", help="end with status 1 where a requirement is missed")
    options = parser.parse_args()
    ensure_environment("benchmarks.imports")
    modules = {name: loaded_modules(program) for name, program in PROGRAMS.items()}
    spent: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(options.rounds):
        for name, program in PROGRAMS.items():
            spent[name].append(cpu_ms(program))
    added = {
        name: median(ours - bare for ours, bare in zip(values, spent["bare"], strict=True))
        for name, values in spent.items()
        if name != "bare"
    }
    for name, cost in added.items():
        print(f"{PROGRAMS[name]:<24} {len(modules[name]):>4} modules {cost:>7.1f} ms of CPU beyond a bare Python")
    if options.list:
        print(*modules["segue"], sep="\n")
    verdicts = [
        Verdict("modules that `from segue import App` loads", len(modules["segue"]), MOST_MODULES, is_ceiling=True),
        Verdict("its CPU time as a share of `import flask`", added["segue"] / added["flask"], 1.0, is_ceiling=True),
    ]
    path = save(
        "imports",
        {"cpu_ms": spent, "modules": modules, "verdicts": [verdict.as_json() for verdict in verdicts]},
    )
    status = conclude(verdicts, check=options.check)
    print(f"Written to {path.relative_to(ROOT)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
