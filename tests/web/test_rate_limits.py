"""ACCESS-22's decorator, H08, H09, and X14: who asks too often is told when to come again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from segue import App, Request, rate_limit
from segue.cache import Backend, Cache, MemoryBackend
from segue.errors import ServiceUnavailable, SetupError, TooManyRequests
from segue.web.limiting import Limiter, Rate, account_key, canonical_name, network_of


class Clock:
    """Seconds that move when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Away(MemoryBackend):
    """A back end that never answers."""

    def count(self, *arguments: Any) -> Any:
        raise ConnectionError("away")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    """A cache whose time is that clock's."""
    return Cache(MemoryBackend(clock=clock))


def limited(app: App, colour: str, *decorators: Callable[[Any], Any], path: str = "/") -> None:
    """Add a handler of a colour, decorated."""

    def plain() -> str:
        return "here"

    async def waiting() -> str:
        return "here"

    handler: Any = plain if colour == "def" else waiting
    for decorate in decorators:
        handler = decorate(handler)
    app.get(path)(handler)


@pytest.fixture(params=["def", "async def"])
def colour(request: pytest.FixtureRequest) -> str:
    """Each colour of a handler in turn."""
    return str(request.param)


def test_who_asks_too_often_is_told_when_to_come_again(
    app: App, client: Callable[..., Any], cache: Cache, clock: Clock, colour: str
) -> None:
    limited(app, colour, rate_limit("2/5m", cache=cache))
    asking = client()

    first = asking.get("/")
    clock.now += 100
    second = asking.get("/")
    refused = asking.get("/")
    clock.now += 201
    after = asking.get("/")

    assert [each.status_code for each in (first, second, refused, after)] == [200, 200, 429, 200]
    assert first.headers["ratelimit-policy"] == '"default";q=2;w=300'
    assert [each.headers["ratelimit"] for each in (first, second, refused)] == [
        '"default";r=1;t=300',
        '"default";r=0;t=200',
        '"default";r=0;t=200',
    ]
    assert refused.headers["retry-after"] == "200"
    assert "retry-after" not in second.headers


def test_what_is_refused_makes_no_window_longer(cache: Cache, clock: Clock) -> None:
    limiter = Limiter("1/m", scope="test", cache=cache)
    limiter.hit("key")
    for _ in range(5):
        clock.now += 10
        limiter.hit("key")
    clock.now += 11

    assert limiter.hit("key").is_allowed is True


def test_the_default_cache_of_the_app_counts(app: App, client: Callable[..., Any], colour: str) -> None:
    limited(app, colour, rate_limit("1/h"))
    asking = client()

    assert [asking.get("/").status_code for _ in range(2)] == [200, 429]


def test_each_handler_has_counts_of_its_own_unless_they_share_a_scope(
    app: App, client: Callable[..., Any], cache: Cache
) -> None:
    def other() -> str:
        return "other"

    limited(app, "def", rate_limit("1/h", cache=cache), path="/one")
    app.get("/two")(rate_limit("1/h", cache=cache)(other))
    limited(app, "def", rate_limit("1/h", cache=cache, scope="both"), path="/three")
    limited(app, "async def", rate_limit("1/h", cache=cache, scope="both"), path="/four")
    asking = client()

    assert [asking.get(path).status_code for path in ("/one", "/two", "/three", "/four")] == [200, 200, 200, 429]


def test_a_function_says_whose_count_it_is(app: App, client: Callable[..., Any], cache: Cache, colour: str) -> None:
    def token(request: Request) -> str | None:
        return request.headers.get("x-token")

    limited(app, colour, rate_limit("1/h", cache=cache, key=token))
    asking = client()
    tokens = [{"x-token": "a"}, {"x-token": "b"}, {"x-token": "a"}, {}, {}]

    assert [asking.get("/", headers=each).status_code for each in tokens] == [200, 200, 429, 200, 200]


def test_of_several_limits_each_holds_and_the_narrowest_is_told(
    app: App, client: Callable[..., Any], cache: Cache, clock: Clock
) -> None:
    limited(app, "def", rate_limit("1/s", cache=cache), rate_limit("2/h", cache=cache))
    asking = client()

    first, too_fast = asking.get("/"), asking.get("/")
    clock.now += 2
    second = asking.get("/")
    clock.now += 2
    too_many = asking.get("/")

    assert [each.status_code for each in (first, too_fast, second, too_many)] == [200, 429, 200, 429]
    assert (first.headers["ratelimit"], too_many.headers["retry-after"]) == ('"default";r=0;t=1', "3596")


def test_the_place_among_decorators_does_not_matter(app: App, client: Callable[..., Any], cache: Cache) -> None:
    @rate_limit("1/h", cache=cache)
    @app.get("/")
    def index() -> str:
        return "here"

    asking = client()

    assert [asking.get("/").status_code for _ in range(2)] == [200, 429]


def test_the_body_of_a_refused_request_is_not_read(app: App, client: Callable[..., Any], cache: Cache) -> None:
    @app.post("/")
    @rate_limit("1/h", cache=cache)
    def index(request: Request) -> str:
        return request.text

    asking = client()
    asking.post("/", data="one")

    assert asking.post("/", data="x" * 3_000_000).status_code == 429


def test_many_threads_get_exactly_the_limit(cache: Cache) -> None:
    limiter = Limiter("10/5m", scope="test", cache=cache)

    with ThreadPoolExecutor(8) as pool:
        allowed = [hit.is_allowed for hit in pool.map(lambda _: limiter.hit("key"), range(100))]

    assert allowed.count(True) == 10


def test_a_hit_says_what_is_left_and_can_be_taken_back(cache: Cache) -> None:
    limiter = Limiter("2/h", scope="login", cache=cache)
    hits = [limiter.hit("alice") for _ in range(3)]
    limiter.reset("alice")

    assert [hit.remaining for hit in hits] == [1, 0, 0]
    assert [hit.retry_after_seconds for hit in hits] == [0, 0, 3600]
    assert limiter.hit("alice").remaining == 1
    with pytest.raises(TooManyRequests, match="3600 seconds"):
        hits[2].demand()


def test_without_an_answer_a_request_is_allowed(app: App, client: Callable[..., Any], colour: str) -> None:
    limited(app, colour, rate_limit("1/h", cache=Cache(Away())))
    asking = client()

    assert [asking.get("/").status_code for _ in range(3)] == [200, 200, 200]


def test_without_an_answer_a_closed_limit_refuses(app: App, client: Callable[..., Any], colour: str) -> None:
    limited(app, colour, rate_limit("1/h", cache=Cache(Away()), fail_closed=True))

    refused = client().get("/")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")


def test_a_closed_limiter_says_so_to_code() -> None:
    with pytest.raises(ServiceUnavailable):
        Limiter("1/h", scope="login", cache=Cache(Away()), fail_closed=True).hit("alice")


def test_two_apps_on_one_back_end_count_apart() -> None:
    shared: Backend = MemoryBackend()
    apps = [App(name, config={"CACHES": shared}, static_folder=None, template_folder=None) for name in ("one", "two")]
    for each in apps:
        limited(each, "def", rate_limit("1/h"))

    assert [each.test_client().get("/").status_code for each in apps] == [200, 200]


# Rates and keys


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/5m", Rate(10, 300)), ("1/s", Rate(1, 1)), ("100/hour", Rate(100, 3600)), ("5 / 2 days", Rate(5, 172_800)),
        ("20/h", Rate(20, 3600)), ("3/10s", Rate(3, 10)), ("3/15min", Rate(3, 900)),
    ],
)  # fmt: skip
def test_a_rate_is_read(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text", ["", "10", "10/", "/m", "0/m", "10/0m", "-1/m", "10/5 parsecs", "ten/m", "1" * 50 + "/m"]
)
def test_what_is_no_rate_stops_the_start(text: str) -> None:
    with pytest.raises(SetupError, match="is no rate"):
        rate_limit(text)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_client_is_its_address_or_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice ", "\tAlice\u00a0", "\uff21lice", "\u24d0lice"])
def test_ways_to_write_a_name_are_one(name: str) -> None:
    assert canonical_name(name) == "alice"


@pytest.mark.parametrize("name", ["alice", "ALICE", "álice", "a\u0301lice", "al\u200bice", "\uff21lice ", " alice"])
def test_attempts_on_one_account_are_counted_together(name: str) -> None:
    assert account_key(name, "192.0.2.7") == "alice@192.0.2.7"


@pytest.mark.parametrize(
    "name", ["x" * 1_000_000, "a" + "\u0301\u0316" * 20_000, "\ufdfa" * 100_000], ids=["long", "marks", "expanding"]
)
def test_a_monstrous_name_takes_no_time(calls_of: Callable[[Callable[[], Any]], int], name: str) -> None:
    assert calls_of(lambda: account_key(name, "192.0.2.7")) < 10_000
