"""Views of many objects.

Holds: `MultipleObjectMixin`, which says which rows and cuts them into pages; `ListView`.
Imports: base, rows, the paginator.
Never: shows rows that the model's policies hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..colours import Operation, arun, either, run
from ..errors import NotFound
from ..http.request import Request
from ..lists.paginator import InvalidPage, Page, Paginator
from .base import View
from .hooks import hook, is_overridden
from .naming import model_of, names_of_templates
from .rows import demand_rows, rows_of, scoped

__all__ = ["ListView", "MultipleObjectMixin"]


class MultipleObjectMixin(View):
    """Says which rows are shown, in which order, on which page.

    Attributes:
        model: The model; or give a `queryset`.
        queryset: The rows; a list of anything will do.
        ordering: A field, or several, with `-` for downwards.
        paginate_by: How many rows a page has; `None` shows all.
        paginate_orphans: A last page of so many rows is added to the one before it.
        page_kwarg: The route's or the query's value with the page: a number, or `last`.
        allow_empty: Whether no rows are a page; else they are 404.
        context_object_name: Of the rows in the template; else `<model>_list`.
        template_name_suffix: The end of the default name, `<label>/<model>_list.html`.
        object_list: The rows, all pages of them.
    """

    model: Any = None
    queryset: Any = None
    ordering: str | Sequence[str] | None = None
    paginate_by: int | None = None
    paginate_orphans: int = 0
    page_kwarg: str = "page"
    paginator_class: type[Paginator[Any]] = Paginator
    allow_empty: bool = True
    context_object_name: str | None = None
    template_name_suffix: str = "_list"

    object_list: Any

    # What the policies of a model are asked for.
    policy_action: ClassVar[str] = "view"

    def get_queryset(self) -> Any:
        """Return the rows, in order."""
        rows = rows_of(self)
        ordering = self.get_ordering()
        if not ordering:
            return rows
        return rows.order_by(*([ordering] if isinstance(ordering, str) else ordering))

    def get_ordering(self) -> str | Sequence[str] | None:
        """Return the field, or the fields, to order by; `None` leaves the queryset's order."""
        return self.ordering

    def get_allow_empty(self) -> bool:
        """Return whether no rows are a page."""
        return self.allow_empty

    def get_paginate_by(self, queryset: Any) -> int | None:
        """Return how many rows a page has, or `None` for all."""
        return self.paginate_by

    def get_paginate_orphans(self) -> int:
        """Return how many rows are too few for a last page."""
        return self.paginate_orphans

    def get_paginator(
        self, queryset: Any, per_page: int, orphans: int = 0, *, allow_empty_first_page: bool = True
    ) -> Paginator[Any]:
        """Return what cuts the rows into pages."""
        return self.paginator_class(queryset, per_page, orphans, allow_empty_first_page=allow_empty_first_page)

    def paginate_queryset(self, queryset: Any, page_size: int) -> tuple[Paginator[Any], Page[Any], Any, bool]:
        """Return the paginator, the page asked for, its rows, and whether there are other pages.

        Raises:
            NotFound: There is no such page.
        """
        return run(self._paginate(queryset, page_size))

    async def apaginate_queryset(self, queryset: Any, page_size: int) -> tuple[Paginator[Any], Page[Any], Any, bool]:
        """`paginate_queryset()` in async code."""
        return await arun(self._paginate(queryset, page_size))

    def _paginate(self, queryset: Any, page_size: int) -> Operation[tuple[Paginator[Any], Page[Any], Any, bool]]:
        paginator = self.get_paginator(
            queryset,
            page_size,
            self.get_paginate_orphans(),
            allow_empty_first_page=self.get_allow_empty(),
        )
        number: Any = self.kwargs.get(self.page_kwarg) or self.request.query.get(self.page_kwarg) or 1
        if number == "last":
            number = yield from either(lambda: paginator.num_pages, paginator.anum_pages)
        try:
            page: Page[Any] = yield from either(paginator.page, paginator.apage, number)
        except InvalidPage as error:
            raise NotFound("There is no such page.") from error
        return paginator, page, page.object_list, page.has_other_pages()

    def get_context_object_name(self, object_list: Any) -> str | None:
        """Return the rows' name in the template, beside `object_list`."""
        if self.context_object_name is not None:
            return self.context_object_name
        model = getattr(object_list, "model", None) or model_of(self, None)
        return f"{model._meta.model_name}_list" if model is not None else None

    def get_context_data(self, *, object_list: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template: the rows, the page, the paginator."""
        return super().get_context_data(**run(self._names(object_list)), **kwargs)

    async def aget_context_data(self, *, object_list: Any = None, **kwargs: Any) -> dict[str, Any]:
        """`get_context_data()` in async code."""
        return super().get_context_data(**await arun(self._names(object_list)), **kwargs)

    def _names(self, object_list: Any) -> Operation[dict[str, Any]]:
        rows = self.object_list if object_list is None else object_list
        size = self.get_paginate_by(rows)
        name = self.get_context_object_name(rows)
        paginator, page, is_paginated = None, None, False
        if size:
            paginator, page, rows, is_paginated = yield from hook(self, "paginate_queryset", rows, size)
        context = {"paginator": paginator, "page_obj": page, "is_paginated": is_paginated, "object_list": rows}
        return {**context, name: rows} if name else context

    def get_template_names(self) -> list[str]:
        """Return the names of templates to try: `template_name`, else `<label>/<model>_list.html`."""
        if self.template_name is not None:
            return [self.template_name]
        rows = getattr(self, "object_list", None)
        model = model_of(self, None) or getattr(rows, "model", None)
        names = names_of_templates([model], self.template_name_suffix)
        return names or super().get_template_names()

    # How the rows are found

    def _seen_rows(self) -> Operation[Any]:
        """Return the rows that may be seen."""
        rows = yield from hook(self, "get_queryset")
        return (yield from scoped(self, rows, self.policy_action))

    def _load_rows(self) -> Operation[Any]:
        """Find the rows that may be seen, and keep them; none may be 404."""
        self.object_list = yield from self._seen_rows()
        if not self.get_allow_empty() and not (yield from self._has_rows(self.object_list)):
            raise NotFound("There is nothing here.")
        return self.object_list

    def _has_rows(self, rows: Any) -> Operation[bool]:
        # A page is read anyway: then one look at whether there is a row is cheaper than all rows.
        if hasattr(rows, "aexists") and self.get_paginate_by(rows):
            found: bool = yield from either(rows.exists, rows.aexists)
            return found
        if hasattr(rows, "__await__"):
            return bool((yield from either(_read, _aread, rows)))
        return bool(rows)

    # What start-up asks

    def _reads_from_route(self) -> frozenset[str]:
        is_paged = self.paginate_by is not None or is_overridden(type(self), "get_paginate_by")
        return frozenset({self.page_kwarg} if is_paged else ())

    def _hint_for(self, name: str) -> str:
        rows = f'super().get_queryset().filter(…=self.kwargs["{name}"])'
        return f"Narrow the rows by it: def get_queryset(self): return {rows}"

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        super()._check_setup(given, where)
        demand_rows(self)


class ListView(MultipleObjectMixin):
    """Shows the rows of a model, with `<label>/<model>_list.html`."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer with the page of the rows."""
        return run(self._get())

    async def aget(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`get()` in async code."""
        return await arun(self._get())

    def _get(self) -> Operation[Any]:
        yield from self._load_rows()
        context = yield from hook(self, "get_context_data")
        return (yield from hook(self, "render_to_response", context))


def _read(rows: Any) -> Any:
    len(rows)
    return rows


async def _aread(rows: Any) -> Any:
    return await rows
