"""Django without middleware (its leanest), the cached template loader, `def` and `async def` views."""

import django  # type: ignore[import-untyped]  # it ships no types
import msgspec
from django.conf import settings  # type: ignore[import-untyped]  # it ships no types
from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]  # it ships no types
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]  # it ships no types
from django.http import HttpRequest, HttpResponse, JsonResponse  # type: ignore[import-untyped]  # it ships no types
from django.shortcuts import render  # type: ignore[import-untyped]  # it ships no types
from django.urls import path  # type: ignore[import-untyped]  # it ships no types

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi", "wsgi"]

decode_item = msgspec.json.Decoder(NewItem).decode


def other(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("other")


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(GREETING, content_type="text/plain; charset=utf-8")


def message(request: HttpRequest) -> HttpResponse:
    return JsonResponse(MESSAGE)


def item(request: HttpRequest, pk: int) -> HttpResponse:
    return JsonResponse({"id": pk})


def search(request: HttpRequest) -> HttpResponse:
    q = request.GET.get("q", "")
    try:
        page = int(request.GET.get("page", 1))
    except ValueError:
        return JsonResponse({"error": "page"}, status=422)
    if page < 1 or not 1 <= len(q) <= 50:
        return JsonResponse({"error": "q"}, status=422)
    return JsonResponse({"q": q, "page": page})


def create(request: HttpRequest) -> HttpResponse:
    try:
        new = decode_item(request.body)
    except msgspec.DecodeError:
        return JsonResponse({"error": "body"}, status=422)
    return JsonResponse({"name": new.name, "price": new.price, "tags": new.tags})


def show_page(request: HttpRequest) -> HttpResponse:
    return render(request, "page.html", {"heading": "Twelve records", "records": RECORDS})


async def plain_async(request: HttpRequest) -> HttpResponse:
    return plain(request)


async def message_async(request: HttpRequest) -> HttpResponse:
    return message(request)


async def item_async(request: HttpRequest, pk: int) -> HttpResponse:
    return item(request, pk)


async def search_async(request: HttpRequest) -> HttpResponse:
    return search(request)


async def create_async(request: HttpRequest) -> HttpResponse:
    return create(request)


async def page_async(request: HttpRequest) -> HttpResponse:
    return show_page(request)


class Routes:
    """What Django takes as a module of URLs."""

    def __init__(self, views: list[object]) -> None:
        plain, message, item, search, create, page = views
        measured = [
            path("plain", plain),
            path("json", message),
            path("items/<int:pk>", item),
            path("items", create),
            path("search", search),
            path("page", page),
        ]
        before = [path(other_path[1:], other) for other_path in OTHERS_BEFORE]
        after = [path(other_path[1:] + "<int:pk>", other) for other_path in OTHERS_AFTER]
        self.urlpatterns = before + measured + after


settings.configure(
    DEBUG=False,
    SECRET_KEY="only for a benchmark on the loopback address",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=Routes([plain, message, item, search, create, show_page]),
    MIDDLEWARE=[],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [TEMPLATES]}],
    USE_I18N=False,
    LOGGING_CONFIG=None,
)
django.setup()
wsgi = get_wsgi_application()


async def asgi(scope: dict[str, object], receive: object, send: object) -> None:
    """Answer ASGI with the `async def` views."""
    await _handler(scope, receive, send)


_handler = get_asgi_application()
