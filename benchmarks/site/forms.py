"""Checking and rendering a form of ten fields, beside Django: `python -m benchmarks.site.forms [--check]`.

Both declare the same fields and are given the same data, once good and once with errors. Every
figure of a run is taken in turn, round by round, so that a busy machine slows both; the best round counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from ..environment import ensure_environment, save
from ..verdicts import Verdict, conclude

LEAST_RATIO = 2.0
ROUNDS = 15
TIMES = 60

GOOD = {
    "name": "Nina Simone", "mail": "nina@example.com", "age": "30", "price": "9.90", "site": "https://example.com/",
    "day": "2024-02-29", "size": "m", "note": "I put a spell on you", "agree": "on", "slug": "nina-simone",
}  # fmt: skip
BAD = {**GOOD, "mail": "nobody", "age": "x", "size": "huge", "day": "never"}


def declare(forms: Any) -> Any:
    """Return the form, by Django's names, which both have."""
    sizes = [("s", "Small"), ("m", "Medium"), ("l", "Large")]
    fields = {
        "name": forms.CharField(max_length=100, help_text="As you like it"),
        "mail": forms.EmailField(),
        "age": forms.IntegerField(min_value=0),
        "price": forms.DecimalField(max_digits=6, decimal_places=2),
        "site": forms.URLField(assume_scheme="https"),
        "day": forms.DateField(),
        "size": forms.ChoiceField(choices=sizes),
        "note": forms.CharField(widget=forms.Textarea),
        "agree": forms.BooleanField(),
        "slug": forms.SlugField(),
    }
    return type("Contact", (forms.Form,), fields)


def works(form: Any) -> dict[str, Callable[[], Any]]:
    """Return what is measured."""

    def good() -> None:
        assert form(GOOD).is_valid()

    def bad() -> None:
        made = form(BAD)
        assert not made.is_valid()
        str(made)

    return {
        "check": good,
        "render": lambda: str(form()),
        "check and render with errors": bad,
    }


def measure(contestants: dict[str, dict[str, Callable[[], Any]]]) -> dict[str, dict[str, float]]:
    """Return microseconds by work and contestant."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for name, functions in contestants.items():
            for work, function in functions.items():
                begin = perf_counter()
                for _ in range(TIMES):
                    function()
                took = (perf_counter() - begin) / TIMES * 1e6
                known = best.setdefault(work, {})
                known[name] = min(took, known.get(name, took))
    return best


def main() -> int:
    """Measure, print and save."""
    import django
    from django import forms as theirs
    from django.conf import settings

    from segue import forms as ours

    settings.configure(USE_I18N=False)
    django.setup()
    found = measure({"segue": works(declare(ours)), "django": works(declare(theirs))})
    print(f"{'':32}{'segue':>10}{'django':>10}{'ratio':>8}")
    for work, times in found.items():
        ratio = times["django"] / times["segue"]
        print(f"{work:32}{times['segue']:>7.0f} µs{times['django']:>7.0f} µs{ratio:>7.1f}x")
    verdicts = [
        Verdict(f"{work}, times django", times["django"] / times["segue"], LEAST_RATIO) for work, times in found.items()
    ]
    status = conclude(verdicts, check="--check" in sys.argv[1:])
    print("Written to", save("forms", {"times_us": found, "verdicts": [each.as_json() for each in verdicts]}))
    return status


if __name__ == "__main__":
    ensure_environment("benchmarks.site.forms")
    sys.exit(main())
