"""The steps of a wizard: their forms, what was answered, and what may be kept of it.

Holds: `forms_by_step`, `Answers` (the part of a session), `Steps` (what templates see), `unkept_of`.
Imports: errors, the multi-dictionary of forms, `ending`.
Never: keeps a password or a file: they would lie in a session, readable or unbounded.
"""

# Forms are of any type here: of users, of models, or several in one.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any

from ..errors import SetupError, did_you_mean
from ..http.multidict import MultiDict
from .ending import Ending

__all__ = ["Answers", "Steps", "check_names", "forms_by_step", "sent_in", "unkept_of"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}", re.ASCII)


def forms_by_step(form_list: Iterable[Any], where: str) -> dict[str, Any]:
    """Return the classes of forms by the names of their steps: given ones, or numbers.

    Raises:
        SetupError: There is none, or a name cannot stand in an address (`views/bad-wizard`).
    """
    found: dict[str, Any] = {}
    for at, each in enumerate(form_list):
        name, form = each if isinstance(each, tuple) else (str(at), each)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in found:
            raise SetupError(
                f"{name!r} is no name of a step.",
                code="views/bad-wizard",
                where=where,
                why="It stands in addresses and before the names of fields: letters, digits, - and _, each name once.",
                hint='form_list = [("address", AddressForm), ("payment", PaymentForm)]',
            )
        found[name] = form
    if not found:
        raise SetupError(
            "A wizard has no steps.",
            code="views/bad-wizard",
            where=where,
            hint="form_list = [FirstForm, SecondForm]",
        )
    return found


def check_names(given: Mapping[str, Mapping[str, Any]], known: Iterable[str], where: str) -> None:
    """Refuse a name of a step that there is not, in one of the dictionaries by step."""
    names = list(known)
    for attribute, mapping in given.items():
        for name in mapping:
            if name not in names:
                raise SetupError(
                    f"{attribute} has {name!r}, and there is no such step.",
                    code="views/bad-wizard",
                    where=where,
                    hint=did_you_mean(str(name), names),
                )


# What is kept


def unkept_of(form: Any, fields: Mapping[str, Any]) -> list[str]:
    """Return the names of those fields whose values are never kept: passwords, secrets of a model, files."""
    model = getattr(getattr(form, "_meta", None), "model", None)
    secrets = {each.name for each in model._meta.fields if each.secret} if model is not None else frozenset[str]()
    return [
        name
        for name, field in fields.items()
        if name in secrets or field.widget.needs_multipart_form or _is_secret(field.widget)
    ]


def _is_secret(widget: Any) -> bool:
    parts: Sequence[Any] = getattr(widget, "widgets", ())
    return getattr(widget, "input_type", "") == "password" or any(_is_secret(each) for each in parts)


def sent_in(form: Any, data: Any) -> dict[str, list[str]]:
    """Return what of *data* belongs to the fields of a form, or of several, and may be kept."""
    forms = [form.management_form, *form.forms] if hasattr(form, "management_form") else [form]
    owners: dict[str, bool] = {}
    for each in forms:
        unkept = unkept_of(each, each.fields)
        owners.update({each.add_prefix(name): name not in unkept for name in each.fields})
    return {
        name: [str(value) for value in data.getlist(name)]
        for name in data
        if _may_be_kept(name.removeprefix("initial-"), owners)
    }


def _may_be_kept(name: str, owners: Mapping[str, bool]) -> bool:
    """Whether *name* is that of a field that is kept, or of a part of one: `0-born_year` is of `0-born`."""
    while name not in owners and "_" in name:
        name = name.rpartition("_")[0]
    return owners.get(name, False)


class Answers:
    """What one visitor has answered so far, in one key of the session.

    Attributes:
        at: The step to go on with.
        extra_data: What the wizard itself wants to remember.
    """

    # An answer that was left half done, one that was checked, one that is good no longer.
    DRAFT, GOOD, BAD = "draft", "good", "bad"

    def __init__(self, session: MutableMapping[str, Any], key: str) -> None:
        self._session = session
        self._key = key
        # Not stored before there is something: a look at the first page begins no session.
        # Copied: what is changed here reaches the session by `save()` alone.
        content: dict[str, Any] = deepcopy(session.get(key, {}))
        self.at: str = content.get("at", "")
        self.extra_data: dict[str, Any] = content.get("extra", {})
        self._sent: dict[str, dict[str, list[str]]] = content.get("sent", {})
        self._states: dict[str, str] = content.get("states", {})
        self._ticket: str = content.get("ticket", "")

    def __repr__(self) -> str:
        return f"<Answers to {', '.join(self._sent) or 'nothing'}>"  # never what was answered

    def is_good(self, step: str) -> bool:
        """Whether a step was answered well."""
        return self._states.get(step) == self.GOOD

    def is_bad(self, step: str) -> bool:
        """Whether a step was answered well once, and is wrong now."""
        return self._states.get(step) == self.BAD

    def of(self, step: str) -> MultiDict[str] | None:
        """Return what was sent for a step, as its form takes it."""
        sent = self._sent.get(step)
        if sent is None:
            return None
        return MultiDict([(name, value) for name, values in sent.items() for value in values])

    def put(self, step: str, sent: dict[str, list[str]], state: str, *, most: int) -> bool:
        """Keep what was sent for a step, unless all of it would be more than *most* bytes."""
        if sum(_sizes({**self._sent, step: sent})) > most:
            return False
        if state == self.DRAFT and self.is_good(step) and self._sent.get(step) == sent:
            return True
        self._sent[step] = sent
        self._states[step] = state
        return True

    def spoil(self, step: str) -> None:
        """Say that the answer of a step is wrong now."""
        if step in self._sent:
            self._states[step] = self.BAD

    def save(self) -> None:
        """Put it into the session."""
        self._ticket = self._ticket or secrets.token_urlsafe(9)
        content = {"at": self.at, "sent": self._sent, "states": self._states, "ticket": self._ticket}
        self._session[self._key] = content | ({"extra": self.extra_data} if self.extra_data else {})

    def ending(self, request: Any) -> Ending:
        """Return the end of this way through."""
        return Ending(request, self._session, self._key, self._ticket)

    def clear(self) -> None:
        """Forget everything."""
        self._session.pop(self._key, None)


def _sizes(sent: Mapping[str, Mapping[str, list[str]]]) -> Iterator[int]:
    for answers in sent.values():
        for name, values in answers.items():
            yield len(name) + sum(len(value.encode()) + 2 for value in values)


# What templates see


class Steps:
    """The steps of a wizard, seen from one of them.

    Attributes:
        all: The names of those that this visitor has to take.
        current: That of this page.
    """

    def __init__(self, names: Iterable[str], current: str) -> None:
        self.all: list[str] = list(names)
        self.current: str = current

    def __repr__(self) -> str:
        return f"<Step {self.step1} of {self.count}: {self.current}>"

    def __len__(self) -> int:
        return len(self.all)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.all)

    @property
    def first(self) -> str:
        """The first."""
        return self.all[0]

    @property
    def last(self) -> str:
        """The last."""
        return self.all[-1]

    @property
    def index(self) -> int:
        """The place of this one, from 0."""
        return self.all.index(self.current)

    step0 = index

    @property
    def step1(self) -> int:
        """The place of this one, from 1."""
        return self.index + 1

    @property
    def next(self) -> str | None:
        """The one after; `None` for the last."""
        return self.all[self.step1] if self.step1 < self.count else None

    @property
    def prev(self) -> str | None:
        """The one before; `None` for the first."""
        return self.all[self.index - 1] if self.index else None
