"""`WizardView`: one form over several pages, kept in the session until it is done.

Holds: `WizardView`.
Imports: base, hooks, steps; sessions when a page is asked for.
Never: keeps a password or a file; believes a step that was skipped.

Every POST that goes on is answered by a redirect, so a reload sends nothing again. What was
answered is checked once more before `done()`: it may be wrong by then, and what a session holds
is what a visitor sent.
"""

# Forms are of any type here: of users, of models, or several in one.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from markupsafe import Markup

from ..colours import Operation, arun, either, run
from ..errors import Fault, NotFound, SetupError, UsageError, place_of
from ..http.request import Request
from ..http.response import redirect
from ..shortcuts import run_sync, url_for
from .base import View
from .hooks import hook, is_overridden
from .steps import Answers, Steps, check_names, forms_by_step, sent_in, unkept_of

__all__ = ["WizardView"]

_STEP, _GOTO = "wizard_step", "wizard_goto_step"
# What a cookie has room for, beside what else is in it.
_MOST_IN_COOKIE = 2_000


class WizardView(View):
    """Asks for several forms one after the other, and calls `done()` with all of them.

    A route that gives `step` (`"/signup/<slug:step>"`) makes an address for each; else all have
    that of the view. Passwords and files are never kept, so only the last step may ask for them.

    Attributes:
        form_list: The classes of the forms; or tuples of a step's name and a class.
        condition_dict: By step, whether it is taken: a bool, or a function of the wizard.
        initial_dict: By step, what its fields start with.
        instance_dict: By step, the object of a model's form, or the queryset of a formset.
        step_url_kwarg: The value of the route that names the step.
        url_name: The endpoint that has addresses for steps, where the view's own route has none.
        session_key: Where answers are kept; made of the class unless given.
        max_bytes: How long all answers together may be. In a session that is a cookie, 2,000.
        invalid_status: Of the page that shows what is wrong, except to htmx.
        storage: What was answered so far, with `extra_data` of your own.
        steps: The steps, seen from the one of this page.
    """

    form_list: Iterable[Any] = ()
    condition_dict: Mapping[str, Any] = {}  # none of these is ever changed
    initial_dict: Mapping[str, Any] = {}
    instance_dict: Mapping[str, Any] = {}
    step_url_kwarg: str = "step"
    url_name: str | None = None
    session_key: str = ""
    max_bytes: int = 65_536
    invalid_status: int = 422

    storage: Answers
    steps: Steps

    # What happens

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form of a step, or lead to the one that comes first."""
        return run(self._shown())

    async def aget(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`get()` in async code."""
        return await arun(self._shown())

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Check the form of a step, and lead on; after the last one, answer what `done()` returns."""
        return run(self._sent())

    async def apost(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`post()` in async code."""
        return await arun(self._sent())

    def done(self, form_list: list[Any], **kwargs: Any) -> Any:
        """Answer when every step is good; what was answered is forgotten afterwards.

        It is called once, though the last step be sent twice at once: the second is led where the
        first is, or told that this was sent already (409).

        Args:
            form_list: The valid forms, in order.
            kwargs: `form_dict`, the same by step, and the values of the route.
        """
        raise _bad(self, f"{type(self).__name__} does not say what to do in the end.", _DONE)

    def process_step(self, form: Any) -> Any:
        """Look at a good form before its answer is kept; the place to fill `storage.extra_data`."""

    # The steps

    def get_form_list(self) -> dict[str, Any]:
        """Return the classes of forms by step, of those steps that this visitor has to take."""
        return run(self._taken())

    async def aget_form_list(self) -> dict[str, Any]:
        """`get_form_list()` in async code."""
        return await arun(self._taken())

    def _taken(self) -> Operation[dict[str, Any]]:
        found: dict[str, Any] = {}
        for name, form in self._forms.items():
            condition = self.condition_dict.get(name, True)
            if callable(condition):
                condition = yield from either(_ask, _aask, condition, self)
            if condition:
                found[name] = form
        return found

    def get_step_url(self, step: str) -> str:
        """Return the address of a step."""
        endpoint = self.url_name
        if endpoint is None and self.step_url_kwarg in self.kwargs:
            endpoint = self.request.endpoint
        if endpoint is None:
            return self.request.path
        values: dict[str, Any] = {**self.kwargs, self.step_url_kwarg: step}
        return url_for(endpoint, **values)

    # Their forms

    def get_form_prefix(self, step: str) -> str:
        """Return what stands before the names of a step's fields."""
        return step

    def get_form_initial(self, step: str) -> Any:
        """Return what the fields of a step start with."""
        return self.initial_dict.get(step)

    def get_form_instance(self, step: str) -> Any:
        """Return the object that the form of a step is of, or the queryset of a formset."""
        return self.instance_dict.get(step)

    def get_form_kwargs(self, step: str) -> dict[str, Any]:
        """Return further arguments of the form of a step."""
        return {}

    def get_form(self, step: str | None = None, data: Any = None, files: Any = None) -> Any:
        """Return the form of a step, to fill in or with *data*."""
        step = step or self.steps.current
        options = {
            "data": data,
            "files": files,
            "prefix": self.get_form_prefix(step),
            "initial": self.get_form_initial(step),
            **self.get_form_kwargs(step),
        }
        instance = self.get_form_instance(step)
        if instance is not None:
            options.setdefault("queryset" if hasattr(instance, "filter") else "instance", instance)
        return self._forms[step](**options)

    def get_cleaned_data_for_step(self, step: str) -> Any:
        """Return the values of a step; `None` unless it was answered well."""
        return run(self._cleaned(step))

    async def aget_cleaned_data_for_step(self, step: str) -> Any:
        """`get_cleaned_data_for_step()` in async code."""
        return await arun(self._cleaned(step))

    def get_all_cleaned_data(self) -> dict[str, Any]:
        """Return the values of all steps in one dictionary; those of several forms under `formset-<step>`."""
        return run(self._all_cleaned())

    async def aget_all_cleaned_data(self) -> dict[str, Any]:
        """`get_all_cleaned_data()` in async code."""
        return await arun(self._all_cleaned())

    def _all_cleaned(self) -> Operation[dict[str, Any]]:
        found: dict[str, Any] = {}
        for step in (yield from hook(self, "get_form_list")):
            cleaned = yield from self._cleaned(step)
            found |= {f"formset-{step}": cleaned} if isinstance(cleaned, list) else cleaned or {}
        return found

    def _cleaned(self, step: str) -> Operation[Any]:
        if step not in self._known and self.storage.is_good(step):
            form = yield from self._kept_form(step)
            is_valid: bool = yield from either(form.is_valid, form.ais_valid)
            self._known[step] = form.cleaned_data if is_valid else None
        return self._known.get(step)

    def _kept_form(self, step: str) -> Operation[Any]:
        """Return the form of a step with what was answered, or to fill in."""
        data = self.storage.of(step)
        return (yield from hook(self, "get_form", step, data, None if data is None else {}))

    # The page

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template: `form`, and `wizard` with `steps` and `management_form`."""
        field = Markup('<input type="hidden" name="{}" value="{}">').format(_STEP, self.steps.current)
        wizard = {"form": kwargs.get("form"), "steps": self.steps, "management_form": field}
        return super().get_context_data(**{"wizard": wizard, **kwargs})

    def _page(self, form: Any) -> Operation[Any]:
        context = yield from hook(self, "get_context_data", form=form)
        return (yield from hook(self, "render_to_response", context))

    # A request

    _forms: Mapping[str, Any] = {}
    _known: dict[str, Any]

    def _open(self) -> Operation[None]:
        """Read what was answered, and which steps there are for that."""
        from ..web.sessions.session import aloaded, loaded  # of no weight for a site without wizards

        self._forms = forms_by_step(self.form_list, _where(self))
        self._known = {}
        session = yield from either(loaded, aloaded, self.request)
        if session.is_in_cookie:
            self.max_bytes = min(self.max_bytes, _MOST_IN_COOKIE)
        cls = type(self)
        self.storage = Answers(session, self.session_key or f"_wizard:{cls.__module__}.{cls.__qualname__}")
        names = yield from hook(self, "get_form_list")
        self.steps = Steps(names, self._asked_for(names))

    def _asked_for(self, names: Iterable[str]) -> str:
        """Return the step that the request is about.

        Raises:
            NotFound: There is no such step.
        """
        given = self.kwargs.get(self.step_url_kwarg)
        if given is None and self.request.method == "POST":
            given = self.request.form.get(_STEP)
        if given is None:
            given = self.storage.at if self.storage.at in names else next(iter(names))
        return _known_step(given, names)

    def _furthest(self) -> int:
        """Return the place of the first step without a good answer; that of the last if all have one."""
        is_open = (at for at, name in enumerate(self.steps.all) if not self.storage.is_good(name))
        return next(is_open, self.steps.count - 1)

    def _lead_to(self, step: str) -> Any:
        return redirect(self.get_step_url(step), 303)

    def _shown(self) -> Operation[Any]:
        yield from self._open()
        step = self.steps.current
        furthest = self._furthest()
        has_addresses = self.url_name is not None and self.step_url_kwarg not in self.kwargs
        if self.steps.index > furthest or has_addresses:
            return self._lead_to(self.steps.all[min(furthest, self.steps.index)])
        form = yield from self._kept_form(step)
        if self.storage.is_bad(step):
            yield from either(form.is_valid, form.ais_valid)
        elif form.is_bound:
            form.leave_unchecked()
        return (yield from self._page(form))

    def _sent(self) -> Operation[Any]:
        yield from self._open()
        data, step = self.request.form, self.steps.current
        furthest = self._furthest()
        target = data.get(_GOTO)
        if target is not None:
            return (yield from self._left(_known_step(target, self.steps.all), furthest))
        if self.steps.index > furthest:
            return self._lead_to(self.steps.all[furthest])  # the steps before it were not taken
        form = yield from hook(self, "get_form", step, data, self.request.files)
        is_valid: bool = yield from either(form.is_valid, form.ais_valid)
        if is_valid:
            yield from hook(self, "process_step", form)
            if self.storage.put(step, sent_in(form, data), Answers.GOOD, most=self.max_bytes):
                return (yield from self._answered(form))
            _complain(form, self.max_bytes)
        return (yield from self._invalid(form))

    def _left(self, target: str, furthest: int) -> Operation[Any]:
        """Go to another step, with what was begun in this one."""
        step = self.steps.current
        if self.steps.index <= furthest:
            form = yield from hook(self, "get_form", step, self.request.form, self.request.files)
            self.storage.put(step, sent_in(form, self.request.form), Answers.DRAFT, most=self.max_bytes)
        self.storage.at = self.steps.all[min(self.steps.all.index(target), furthest)]
        self.storage.save()
        return self._lead_to(self.storage.at)

    def _invalid(self, form: Any) -> Operation[Any]:
        response = yield from self._page(form)
        if response.status == 200 and self.request.headers.get("hx-request") != "true":
            response.status = self.invalid_status
        return response

    def _answered(self, form: Any) -> Operation[Any]:
        step = self.steps.current
        self._known = {step: form.cleaned_data}
        # What was answered may have taken steps away, or brought others.
        names = list((yield from hook(self, "get_form_list")))
        self.steps = Steps(names if step in names else [*names, step], step)
        following = _after(step, names, list(self._forms))
        if following is None:
            return (yield from self._ended(form, names))
        if unkept := unkept_of(form, getattr(form, "fields", {})):
            raise _not_kept(self, UsageError, step, unkept)
        self.storage.at = following
        self.storage.save()
        return self._lead_to(following)

    def _ended(self, last: Any, names: list[str]) -> Operation[Any]:
        """Check everything again, and be done, or go back to what is wrong."""
        forms: dict[str, Any] = {}
        for name in names:
            is_last = name == self.steps.current
            form = last if is_last else (yield from self._kept_form(name))
            is_good = is_last or (yield from either(form.is_valid, form.ais_valid))
            if not is_good:
                self.storage.spoil(name)
                self.storage.at = name
                self.storage.save()
                return self._lead_to(name)
            forms[name] = form
            self._known[name] = form.cleaned_data
        values = {name: value for name, value in self.kwargs.items() if name != self.step_url_kwarg}
        ending = self.storage.ending(self.request)
        if not (yield from ending.claiming()):
            answer = yield from ending.following()
        else:
            try:
                answer = yield from hook(self, "done", list(forms.values()), form_dict=forms, **values)
            except GeneratorExit:
                raise  # nobody drives this any further
            except BaseException:
                yield from ending.releasing()
                raise
            yield from ending.keeping(answer)
        self.storage.clear()
        return answer

    # What start-up asks

    def _takes_files(self) -> bool:
        forms = forms_by_step(self.form_list, _where(self))
        return any(getattr(each, "__takes_files__", False) for each in forms.values())

    def _reads_from_route(self) -> frozenset[str]:
        return frozenset({self.step_url_kwarg})

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        super()._check_setup(given, where)
        if is_overridden(type(self), "get_form_list") and not self.form_list:
            raise _bad(self, "get_form_list() chooses from form_list, and that is empty.", "form_list = [FirstForm]")
        forms = forms_by_step(self.form_list, _where(self))
        names = {name: getattr(self, name) for name in ("condition_dict", "initial_dict", "instance_dict")}
        check_names(names, forms, _where(self))
        for step, form in list(forms.items())[:-1]:
            each = getattr(form, "form", form)  # that of a formset
            if unkept := unkept_of(each, each.base_fields):
                raise _not_kept(self, SetupError, step, unkept)
        if not is_overridden(type(self), "done") and not is_overridden(type(self), "adone"):
            raise _bad(self, f"{type(self).__name__} does not say what to do in the end.", _DONE)


_DONE = 'def done(self, form_list, **kwargs):\n    …\n    return redirect("/thanks")'


def _ask(condition: Any, wizard: WizardView) -> Any:
    if iscoroutinefunction(condition):
        raise UsageError(
            f"{condition.__name__}() is async def, and the wizard answers in def code.",
            code="views/async-override",
            where=place_of(condition),
            hint="async def get(self, request, *args, **kwargs): return await self.aget(request, *args, **kwargs)\n"
            "and the same for post; or make the condition a def.",
        )
    return condition(wizard)


async def _aask(condition: Any, wizard: WizardView) -> Any:
    if iscoroutinefunction(condition):
        return await condition(wizard)
    return await run_sync(condition, wizard)


def _known_step(name: Any, names: Iterable[str]) -> str:
    if not isinstance(name, str) or name not in names:
        raise NotFound("There is no such step.")
    return name


def _after(step: str, names: list[str], every: list[str]) -> str | None:
    """Return the first of *names* that comes after *step*, which need not be one of them itself."""
    later = every[every.index(step) + 1 :] if step in every else []
    return next((name for name in names if name in later), None)


def _complain(form: Any, most: int) -> None:
    message = "These answers are longer than can be kept."
    if hasattr(form, "add_error"):
        form.add_error(None, message)
    else:
        form.non_form_errors().faults.append(Fault((), "too_long", message, {"max_bytes": most}))


def _where(view: WizardView) -> str:
    cls = type(view)
    return place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}"


def _bad(view: WizardView, text: str, hint: str) -> SetupError:
    return SetupError(text, code="views/bad-wizard", where=_where(view), hint=hint)


def _not_kept(view: WizardView, kind: type[Any], step: str, names: list[str]) -> Exception:
    error: Exception = kind(
        f"The step {step!r} of {type(view).__name__} asks for {', '.join(names)}, which no session keeps.",
        code="views/not-kept",
        where=_where(view),
        why="Passwords would lie in a session in plain text, and files have no place there; the last step goes "
        "straight to done().",
        hint="Ask for it in the last step.",
    )
    return error
