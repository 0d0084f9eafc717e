"""What every store of sessions does alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from segue import App
from segue.clock import moved
from segue.errors import UsageError
from segue.testing import Client
from segue.web.sessions import Session

NAME = "__Host-session"


def test_what_is_set_is_there_in_the_next_request_in_both_colours(app: App, protocol: str) -> None:
    with app.test_client(protocol=protocol) as visitor:
        answers = [visitor.get(path).text for path in ("/count", "/acount", "/acount", "/count")]

    assert answers == ["1", "2", "3", "4"]


def test_an_untouched_session_leaves_no_trace(visitor: Client) -> None:
    visitor.get("/count")

    answer = visitor.get("/untouched")

    assert "vary" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "cache-control" not in answer.headers


def test_a_session_that_was_only_read_sets_no_cookie_but_varies(visitor: Client) -> None:
    answer = visitor.get("/read")

    assert answer.headers["vary"] == "Cookie"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("how", ["in", "len", "iter", "bool", "get", "is_new", "permanent"])
def test_every_way_to_look_at_it_makes_the_answer_vary(app: App, how: str) -> None:
    looks: dict[str, Any] = {
        "in": lambda session: "x" in session,
        "len": len,
        "iter": list,
        "bool": bool,
        "get": lambda session: session.get("x"),
        "is_new": lambda session: session.is_new,
        "permanent": lambda session: session.permanent,
    }

    @app.get("/look")
    def look(request: Any) -> str:
        looks[how](request.session)
        return "x"

    assert app.test_client().get("/look").headers["vary"] == "Cookie"


def test_the_cookie_is_for_this_host_over_tls_and_for_no_script(visitor: Client) -> None:
    header = visitor.get("/count").headers["set-cookie"]

    assert header.startswith(f"{NAME}=")
    assert header.partition("; ")[2] == "Path=/; Secure; HttpOnly; SameSite=Lax"


def test_in_debug_it_works_without_tls(store: str, make_app: Callable[..., App]) -> None:
    app = make_app(store, DEBUG=True)

    with app.test_client() as visitor:
        header = visitor.get("/count").headers["set-cookie"]

    assert header.startswith("session=")
    assert "Secure" not in header


def test_a_cookie_for_a_whole_domain_has_another_prefix(store: str, make_app: Callable[..., App]) -> None:
    app = make_app(store, SESSION_COOKIE_DOMAIN="localhost.example", SESSION_COOKIE_SAMESITE="Strict")

    with app.test_client() as visitor:
        header = visitor.get("/count").headers["set-cookie"]

    assert header.startswith("__Secure-session=")
    assert "Domain=localhost.example" in header
    assert "SameSite=Strict" in header


def test_a_change_inside_a_value_is_kept(visitor: Client) -> None:
    assert [visitor.get("/nested").text for _ in range(3)] == ["1", "2", "3"]


def test_setting_what_is_there_already_writes_nothing(visitor: Client, store: str) -> None:
    visitor.get("/count")
    before = dict(visitor.cookies)

    answer = visitor.get("/same")

    assert "set-cookie" not in answer.headers
    assert dict(visitor.cookies) == before


def test_values_come_back_as_they_went_in(app: App) -> None:
    values = {
        "text": "Köln \N{EIGHTH NOTE}",
        "number": -(2**63),
        "part": 0.1,
        "none": None,
        "yes": True,
        "raw": b"\x00\xff",
        "moment": datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
        "nested": {"list": [1, {"deep": []}]},
    }

    @app.get("/set")
    def set_all(session: Session) -> str:
        session.update(values)
        return "x"

    @app.get("/equal")
    def equal(session: Session) -> str:
        return str(dict(session) == values)

    with app.test_client() as visitor:
        visitor.get("/set")
        assert visitor.get("/equal").text == "True"


@pytest.mark.parametrize("value", [object(), {1, object()}, 2**70], ids=["object", "set", "huge"])
def test_a_value_that_cannot_be_stored_is_named(app: App, value: Any) -> None:
    @app.get("/set")
    def set_it(session: Session) -> str:
        session["fine"] = 1
        session["wrong"] = value
        return "x"

    with app.test_client() as visitor, pytest.raises(UsageError, match=r"session\['wrong'\]"):
        visitor.get("/set")


def test_a_key_must_be_text(app: App) -> None:
    @app.get("/set")
    def set_it(session: Session) -> str:
        session[1] = "x"  # type: ignore[index]
        return "x"

    with app.test_client() as visitor, pytest.raises(UsageError) as raised:
        visitor.get("/set")

    assert raised.value.code == "web/session-key"


def test_flush_forgets_all_and_erases_the_cookie(visitor: Client) -> None:
    visitor.get("/count")

    answer = visitor.get("/forget")

    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert NAME not in visitor.cookies
    assert visitor.get("/read").json == {}


def test_emptying_it_erases_the_cookie(visitor: Client) -> None:
    visitor.get("/count")

    visitor.get("/clear")

    assert NAME not in visitor.cookies


def test_a_renewed_session_keeps_its_content_under_another_id(visitor: Client) -> None:
    visitor.get("/count")
    before = visitor.cookies[NAME]

    with moved(1):
        visitor.get("/renew")

        assert visitor.cookies[NAME] != before
        assert visitor.get("/read").json == {"count": 1}


def test_an_invented_id_is_never_adopted(visitor: Client) -> None:
    visitor.cookies[NAME] = "A" * 43

    answer = visitor.get("/count")

    assert answer.text == "1"
    assert visitor.cookies[NAME] != "A" * 43


@pytest.mark.parametrize("text", ["", "x", "A" * 43, "A" * 3000, "a.b.c", "\N{SNOWMAN}", "%00", '"'])
def test_a_forged_cookie_is_as_none_and_no_error(visitor: Client, text: str) -> None:
    answer = visitor.get("/read", cookies={NAME: text})

    assert answer.status_code == 200
    assert answer.json == {}


def test_an_unused_session_ends(visitor: Client) -> None:
    visitor.get("/count")

    with moved(14 * 86400 + 1):
        assert visitor.get("/read", headers={"cookie": f"{NAME}={visitor.cookies[NAME]}"}).json == {}


def test_a_session_that_is_used_goes_on_but_not_for_ever(visitor: Client) -> None:
    visitor.get("/count")

    with moved() as travel:
        counts = []
        for _ in range(4):
            travel.forward(8 * 86400)
            counts.append(visitor.get("/count").text)

    assert counts == ["2", "3", "4", "1"]


def test_reading_alone_keeps_it_alive(visitor: Client) -> None:
    visitor.get("/count")

    with moved() as travel:
        answers = []
        for _ in range(3):
            travel.forward(8 * 86400)
            answers.append(visitor.get("/read").json)

    assert answers == [{"count": 1}, {"count": 1}, {"count": 1}]


def test_a_permanent_session_outlives_the_browser(visitor: Client) -> None:
    header = visitor.get("/stay").headers["set-cookie"]

    assert "Max-Age=1209600" in header


def test_a_session_may_have_an_end_of_its_own(app: App) -> None:
    @app.get("/short")
    def short(session: Session) -> str:
        session["x"] = 1
        session.set_expiry(60)
        return "x"

    with app.test_client() as visitor:
        header = visitor.get("/short").headers["set-cookie"]
        with moved(61):
            later = visitor.get("/read", headers={"cookie": header.partition(";")[0]})

    assert "Max-Age=60" in header
    assert later.json == {}


def test_changing_it_after_the_response_began_is_an_error(app: App) -> None:
    @app.get("/late")
    def late(session: Session) -> Any:
        session["early"] = 1

        def chunks() -> Any:
            yield "a"
            session["late"] = 1

        return chunks()

    with app.test_client() as visitor, pytest.raises(UsageError) as raised:
        visitor.get("/late")

    assert raised.value.code == "web/session-too-late"


def test_it_is_saved_when_the_handler_answers_with_an_error(app: App) -> None:
    from segue import abort

    @app.get("/denied")
    def denied(session: Session) -> str:
        session["denied"] = True
        abort(403)

    with app.test_client() as visitor:
        assert visitor.get("/denied").status_code == 403
        assert visitor.get("/read").json == {"denied": True}


def test_a_parameter_may_be_called_session_without_a_type(app: App) -> None:
    @app.get("/untyped")
    async def untyped(session) -> str:  # type: ignore[no-untyped-def]
        return type(session).__name__

    assert app.test_client().get("/untyped").text == "Session"


def test_its_repr_shows_keys_and_no_values(app: App) -> None:
    @app.get("/shown")
    def shown(session: Session) -> str:
        session["token"] = "s3cret"
        return repr(session)

    assert app.test_client().get("/shown").text == "<Session with token>"


@pytest.mark.parametrize("value", [0, -1, 10**12, float("nan")])
def test_a_life_that_cannot_be_is_an_error_of_the_configuration(
    store: str, make_app: Callable[..., App], value: float
) -> None:
    app = make_app(store, SESSION_IDLE=value)

    with pytest.raises(Exception, match="SESSION_IDLE"), app.test_client() as visitor:
        visitor.get("/count")
