"""The words of a search.

Holds: `parse`, which reads what a user typed; `Words`; `fold`, which takes case and accents away;
`rank`, which SQLite's connections call.
Imports: the standard library.
Never: keeps a character that is no letter, digit or mark: nothing else reaches a database.

Lengths are cut before anything is normalised, since a normalisation can take a time that grows
with the square of a run of marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

__all__ = ["LONGEST_TEXT", "LONGEST_WORD", "MOST_WORDS", "Group", "Words", "fold", "parse", "rank"]

LONGEST_TEXT = 1000
LONGEST_WORD = 80
MOST_WORDS = 32
_MOST_KEPT = 4096

Phrase = tuple[str, ...]
"""Words that stand side by side; one word is a phrase, too."""

_TERM = re.compile(r'(?P<without>-?)"(?P<quoted>[^"]*)"?|(?P<plain>[^\s"]+)')


class _Folds(dict[int, str]):
    """What a character becomes: small, without its accents; learned as characters come."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFD", chr(code).lower().replace("ς", "σ"))
        found = unicodedata.normalize("NFC", "".join(each for each in parts if not "\u0300" <= each <= "\u036f"))
        if len(self) < _MOST_KEPT:
            self[code] = found
        return found


_FOLDS = _Folds()


def fold(text: str) -> str:
    """Return *text* in small letters without accents; each character by itself, in linear time."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


@dataclass(frozen=True, slots=True)
class Group:
    """What one row must have, and must not have."""

    wanted: tuple[Phrase, ...]
    unwanted: tuple[Phrase, ...]


@dataclass(frozen=True)
class Words:
    """A search: a row is found that fits one of the groups."""

    groups: tuple[Group, ...]

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The different words to look for, folded."""
        return tuple(dict.fromkeys(fold(word) for group in self.groups for each in group.wanted for word in each))


def parse(text: str) -> Words | None:
    """Read what a user typed; `None` where it holds no word to look for.

    All words must be there; `"quoted words"` side by side; `-word` must not; `or` parts two
    searches. What stands after the first thousand characters or 32 words is not looked at.
    """
    groups: list[Group] = []
    for terms in _parted(_terms(text[:LONGEST_TEXT])):
        wanted = tuple(dict.fromkeys(phrase for phrase, without in terms if not without))
        if wanted:
            groups.append(Group(wanted, tuple(dict.fromkeys(phrase for phrase, without in terms if without))))
    return Words(tuple(groups)) if groups else None


def _terms(text: str) -> Iterator[tuple[Phrase, bool] | None]:
    """Return the phrases of a text, each with whether it must be missing; `None` for `or`."""
    left = MOST_WORDS
    for term in _TERM.finditer(text):
        plain = term["plain"]
        if plain is not None and plain.lower() == "or":
            yield None
            continue
        phrase = tuple(islice(_split(term["quoted"] if plain is None else plain), left))
        left -= len(phrase)
        if phrase:
            yield phrase, bool(term["without"]) if plain is None else plain.startswith("-")


def _parted(terms: Iterator[tuple[Phrase, bool] | None]) -> Iterator[list[tuple[Phrase, bool]]]:
    found: list[tuple[Phrase, bool]] = []
    for each in terms:
        if each is None:
            yield found
            found = []
        else:
            found.append(each)
    yield found


def _split(text: str) -> Iterator[str]:
    word = ""
    for each in text:
        # A mark goes on with a word and begins none: alone it folds to nothing.
        if _is_in_word(each) or (word and unicodedata.category(each)[0] == "M"):
            word += each
        elif word:
            yield word[:LONGEST_WORD]
            word = ""
    if word:
        yield word[:LONGEST_WORD]


def _is_in_word(character: str) -> bool:
    """Tell a letter or digit. Of other numbers those part words that stand among signs: ², ½, ①, Ⅳ."""
    if character.isalpha() or character.isdecimal():
        return True
    return character.isalnum() and not (character < "\u0100" or "\u2000" <= character < "\u3400")


# The rank on SQLite


def rank(words: str, weights: str, *texts: str | None) -> float:
    """Return how well a row fits.

    Args:
        words: Folded, parted by spaces.
        weights: One number for each of *texts*, parted by spaces.
    """
    folded = [fold(text) if isinstance(text, str) else "" for text in texts]  # pyright: ignore[reportUnnecessaryIsInstance]  # SQLite keeps anything
    numbers = [int(each) for each in weights.split()]
    listed = words.split()
    whole, often = 0, 0.0
    for word in listed:
        counts = [_count(word, text) for text in folded]
        whole += sum({weight for weight, count in zip(numbers, counts, strict=True) if count})
        often += _saturated(sum(counts))
    return whole + often / len(listed) * 0.99 if listed else 0.0


def _count(word: str, text: str) -> int:
    """Count a word. PERF: a tenth of the time of a regular expression that looks behind."""
    found, size, end = 0, len(word), len(text)
    at = text.find(word)
    while at >= 0:
        stop = at + size
        if (at == 0 or not _is_in_word(text[at - 1])) and (stop == end or not _is_in_word(text[stop])):
            found += 1
        at = text.find(word, stop)
    return found


def _saturated(count: int) -> float:
    """The sum of 1/n², as PostgreSQL's `ts_rank` counts: the tenth time says little more than the ninth."""
    return sum(1 / (each * each) for each in range(1, min(count, 256) + 1)) / 1.64493406685
