"""Class-based views and the paginator: overrides take what they need, and keep their types."""

from __future__ import annotations

from typing import Any, assert_type

from segue import App, Request, Response
from segue.lists import Page, Paginator
from segue.views import DetailView, FormView, ListView, MethodView, TemplateView

app = App("cases")


@app.route("/own/<int:pk>")
class Own(DetailView):
    slug_field = "username"

    def get(self, request: Request, pk: int, page: int = 1) -> Any:
        return super().get(request, pk=pk)

    def get_object(self) -> Any:
        return self.request.method


class Rows(ListView):
    paginate_by = 3
    ordering = ["title"]

    async def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await super().aget(request)

    def get_queryset(self) -> list[int]:
        return [1]


class Api(MethodView):
    def get(self, pk: int) -> dict[str, int]:
        return {"pk": pk}

    async def post(self) -> str:
        return self.request.path


class Contact(FormView):
    success_url = "/thanks"

    def form_valid(self, form: Any) -> Response:
        response: Response = super().form_valid(form)
        return response

    def post(self, request: Request, pk: int) -> Any:
        return super().post(request, pk=pk)


class Page1(TemplateView):
    extra_context = {"a": 1}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["b"] = 2
        return context


assert_type(Own, type[Own])
assert_type(Own().request, Request)
assert_type(Rows().get_context_data(), dict[str, Any])
assert_type(Page1.template_name, str | None)

pages: Paginator[str] = Paginator(["john", "paul"], 1)
assert_type(pages.page(1), Page[str])
assert_type(pages.page(1)[0], str)
assert_type(pages.page(1)[:1], list[str])
assert_type(pages.num_pages, int)
assert_type([page.number for page in pages], list[int])
