"""The reference lists what the code has, no less."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import get_annotations
from pathlib import Path
from typing import Any

import pytest
from markdown_pages import DOCS

from segue import App, Blueprint, Response, auth, db, lists, views
from segue.auth import Auth, User
from segue.auth.social import Google
from segue.blueprint import RouteOptions
from segue.cli import deploy
from segue.db.models.options import META_NAMES
from segue.db.query.documents import DOCUMENT_LOOKUPS
from segue.db.query.lookups import LOOKUPS
from segue.db.query.transforms import TRANSFORMS
from segue.errors import HTTPError
from segue.handling import markers
from segue.http.limits import Limits
from segue.http.request import Request
from segue.http.uploads import UploadFile

REFERENCE = DOCS / "reference"
DATA_PAGES = ("database.md", "fields.md", "functions.md", "lookups.md", "model-meta.md", "queryset.md")


def first_cells(page: str, heading: str = "") -> list[str]:
    """Return the code in the first cells of the tables of a page, or of one section of it."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w-]+)", cell)]


def codes_in(page: str) -> set[str]:
    """Return every name that stands in code marks on a page."""
    return set(re.findall(r"`([\w-]+)", (REFERENCE / page).read_text(encoding="utf-8")))


def public(thing: type[Any]) -> Iterable[str]:
    """The public attributes that a class and its annotations have, its bases in this package included."""
    names = {name for each in thing.__mro__[:-1] for name in (*vars(each), *get_annotations(each))}
    return sorted(name for name in names if not name.startswith("_"))


def test_every_route_option_is_listed() -> None:
    assert sorted(first_cells("app.md", "Route options")) == sorted(RouteOptions.__annotations__)


@pytest.mark.parametrize("name", sorted({*public(App), *public(Blueprint)} - {"add", "parts", "templates"}))
def test_every_method_of_an_app_and_a_blueprint_is_listed(name: str) -> None:
    internal = {"debug_page", "error_template", "template_folders", "register_blueprint"}

    assert name in codes_in("app.md") | internal


@pytest.mark.parametrize("name", public(Request))
def test_every_attribute_of_a_request_is_listed(name: str) -> None:
    assert name in first_cells("request.md")


@pytest.mark.parametrize("name", public(UploadFile))
def test_every_attribute_of_an_upload_is_listed(name: str) -> None:
    assert name in first_cells("request.md", "UploadFile")


@pytest.mark.parametrize("name", sorted(set(public(Response)) - {"closers", "needs_request", "prepare"}))
def test_every_attribute_of_a_response_is_listed(name: str) -> None:
    assert name in first_cells("response.md")


@pytest.mark.parametrize("kind", [each for each in HTTPError.__subclasses__() if each.__module__ == "segue.errors"])
def test_every_status_with_a_class_is_listed(kind: type[HTTPError]) -> None:
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")

    assert f"| {kind.status} {kind.phrase} | `{kind.__name__}` |" in page


@pytest.mark.parametrize("name", sorted(set(markers.__all__) - {"ByMethod", "Depends", "Marker", "mark", "marks_of"}))
def test_every_marker_is_listed(name: str) -> None:
    assert name in first_cells("parameters.md", "Markers")


@pytest.mark.parametrize("header", ["text/html", "application/json"])
def test_the_constant_headers_are_the_listed_ones(header: str) -> None:
    app = App("docs", static_folder=None, template_folder=None, config={"SITE_URL": "https://www.example.com"})
    app.get("/")(lambda: Response("", content_type=header))
    sent = app.test_client(base_url="https://www.example.com").get("/").headers
    listed = re.findall(
        r"^\| `([A-Z][\w-]+)` \| `?([^`|]+)`?", (REFERENCE / "headers.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    values = {name: sent.get(name) for name, _ in listed}

    assert len(listed) == 9
    assert {name: value for name, value in listed if value != values[name]}.keys() == {"Content-Security-Policy"}
    assert set(sent) - {name.lower() for name in values} <= {"content-type", "content-length"}


def test_the_policy_of_pages_is_the_listed_one() -> None:
    app = App("docs", static_folder=None, template_folder=None)
    app.get("/")(lambda: "<p>")
    sent = app.test_client().get("/").headers["content-security-policy"]
    text = (REFERENCE / "headers.md").read_text(encoding="utf-8").partition("## Content security policy")[2]

    listed = re.findall(r"^\| `([\w-]+)` \| `(.+?)` \|", text, re.MULTILINE)

    assert sent == "; ".join(f"{name} {value}" for name, value in listed)


def test_the_limits_are_the_listed_ones() -> None:
    text = (REFERENCE / "limits.md").read_text(encoding="utf-8").replace(",", "")
    limits = [getattr(Limits(), name) for name in Limits.__dataclass_fields__]

    absent = [limit for limit in limits if limit is not True and not re.search(rf"\b{limit}\b", text)]

    assert absent == []


def words_of(*pages: str) -> set[str]:
    """Return every word inside code marks on the pages: calls and dotted names are taken apart."""
    code = [
        cell for page in pages for cell in re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text(encoding="utf-8"))
    ]
    return {word for each in code for word in re.findall(r"\w+", each)}


@pytest.mark.parametrize("name", sorted(db.__all__))
def test_every_name_of_the_data_layer_is_listed(name: str) -> None:
    assert name in words_of(*DATA_PAGES)


@pytest.mark.parametrize("name", sorted(db.functions.__all__))
def test_every_function_of_the_database_is_listed(name: str) -> None:
    assert name in first_cells("functions.md")


@pytest.mark.parametrize("name", [name for name in public(db.QuerySet) if name not in ("model", "query")])
def test_every_method_of_a_queryset_is_listed(name: str) -> None:
    assert name in words_of("queryset.md")


@pytest.mark.parametrize(
    "name", sorted({*LOOKUPS, *TRANSFORMS, *(each for of in DOCUMENT_LOOKUPS.values() for each in of)})
)
def test_every_lookup_is_listed(name: str) -> None:
    assert name in first_cells("lookups.md")


@pytest.mark.parametrize("name", sorted(META_NAMES))
def test_every_option_of_meta_is_listed(name: str) -> None:
    assert name in first_cells("model-meta.md")


@pytest.mark.parametrize(
    "name", sorted({name for each in views.__all__ for name in [each, *public(getattr(views, each))]})
)
def test_every_class_of_views_and_its_members_are_listed(name: str) -> None:
    methods = {"get", "post", "put", "patch", "delete", "aget", "apost"}

    assert name in codes_in("views.md") | methods


@pytest.mark.parametrize("name", sorted({*lists.__all__, *public(lists.Paginator), *public(lists.Page)} - {"index"}))
def test_every_name_of_the_paginator_is_listed(name: str) -> None:
    assert name in codes_in("views.md") | {"per_page", "orphans", "allow_empty_first_page"}


def test_every_finding_of_a_deployment_is_listed() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(deploy.__file__).parent.glob("*.py"))
    page = (REFERENCE / "checks.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `deploy\.(\w\d+)` ", page, re.MULTILINE))

    assert set(re.findall(r'"(?:deploy\.)?([EW]\d{3})"', sources)) == listed


def test_every_page_of_accounts_is_listed_with_its_endpoint() -> None:
    text = (REFERENCE / "accounts.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(/[^`]*)` \| `auth\.(\w+)`", text, re.MULTILINE)

    app = App("accounts_app", database="sqlite:///:memory:", config={"SECRET_KEY": "x" * 32}, static_folder=None)
    app.register(Auth(user=User, magic_link=True, providers=[Google(client_id="club")]), prefix="/accounts")
    app.compile()
    rules = [each for each in app.url_map if each.endpoint.startswith("auth.")]

    assert sorted(listed) == sorted(
        (each.path.removeprefix("/accounts"), each.endpoint.removeprefix("auth."))
        for each in rules
        if each.endpoint != "auth.static"
    )


def test_every_template_of_accounts_is_listed() -> None:
    folder = Path(auth.__file__).parent / "templates" / "accounts"

    text = (REFERENCE / "accounts.md").read_text(encoding="utf-8").partition("\n## Templates\n")[2]
    listed = re.findall(r"`((?:mail/)?\w+\.(?:html|txt))`", text.partition("\n## ")[0])

    assert sorted(set(listed)) == sorted(str(each.relative_to(folder)) for each in folder.rglob("*.*"))


def test_every_key_of_users_is_listed() -> None:
    app = App("accounts_app", database="sqlite:///:memory:", static_folder=None)
    before = set(app.config.options)
    app.register(Auth(user=User))

    assert set(app.config.options) - before - {"SESSION_STORE"} <= set(first_cells("accounts.md", "Settings"))
