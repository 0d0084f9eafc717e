"""SITES-51, Q06: `segue check --deploy` finds each setting that production should not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from segue import App
from segue.cli.deploy import find_unfit
from segue.web import Cors, Security

Project = Callable[..., Path]
Command = Callable[..., Result]

SOUND: dict[str, Any] = {"SECRET_KEY": "x7Qz" * 12, "SITE_URL": "https://www.club-of-friends.org"}


def ids(*batteries: Any, folder: Path | None = None, **config: Any) -> list[str]:
    """What is found in an app that is sound but for these settings."""
    app = App("sound", config={**SOUND, **config}, static_folder=None, template_folder=None)
    if folder is not None:
        app.root_path = folder
        app.static_folder = "static"
    for battery in batteries:
        app.register(battery)
    return [each.id.removeprefix("deploy.") for each in find_unfit(app)]


def test_a_sound_app_has_nothing() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"DEBUGGER": True}, "E002"),
        ({"TESTING": True}, "E003"),
        ({"LOG_LEVEL": "debug"}, "W001"),
        ({"TEMPLATES_AUTO_RELOAD": True}, "W002"),
        ({"SECRET_KEY": None}, "E004"),
        ({"SECRET_KEY_FALLBACKS": [SOUND["SECRET_KEY"]]}, "W003"),
        ({"ALLOWED_HOSTS": ["*"]}, "E005"),
        ({"ALLOWED_HOSTS": [".org"]}, "E006"),
        ({"SITE_URL": None, "ALLOWED_HOSTS": ["a.example"]}, "W004"),
        ({"SITE_URL": "http://www.example.com"}, "E007"),
        ({"SITE_URL": "https://127.0.0.1"}, "E008"),
        ({"TRUSTED_ORIGINS": ["http://a.example"]}, "E009"),
        ({"TRUSTED_ORIGINS": ["https://*.a.example"]}, "W005"),
        ({"TRUSTED_PROXIES": ["0.0.0.0/0"]}, "E010"),
        ({"TRUSTED_PROXIES": ["::/0"]}, "E010"),
        ({"TRUSTED_PROXIES": ["192.0.0.0/3"]}, "E011"),
        ({"TRUSTED_PROXIES": ["8.0.0.0/8"]}, "E011"),
        ({"SESSION_COOKIE_SECURE": False}, "E012"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "W006"),
        ({"SESSION_COOKIE_DOMAIN": "example.com"}, "W007"),
        ({"MAX_CONTENT_LENGTH": 10**10}, "E013"),
        ({"MAX_FORM_FIELDS": 10**6}, "W008"),
        ({"MAX_FILES": 10**5}, "W009"),
        ({"HANDLER_DEADLINE_SECONDS": 0.0}, "E014"),
        ({"HANDLER_DEADLINE_SECONDS": 3600.0}, "E014"),
        ({"THREADS": 0}, "W010"),
        ({"THREADS": 5000}, "W010"),
        ({"THREAD_QUEUE_SECONDS": 0.0}, "W011"),
        ({"CSP": {"script-src": None, "default-src": None}}, "E020"),
        ({"CSP": {"style-src": "'self' 'unsafe-inline'"}}, "W021"),
        ({"CSP": {"default-src": "*"}}, "W022"),
        ({"CSP": {"object-src": "'self'"}}, "W023"),
        ({"CSP": {"base-uri": None}}, "W024"),
        ({"CSP": {"form-action": "https:"}}, "W025"),
        ({"CSP": {"script-src": "'self' 'unsafe-inline'"}}, "E021"),
        ({"CSP": {"script-src": "'self' 'unsafe-eval'"}}, "E022"),
        ({"CSP": {"script-src": "https:"}}, "E023"),
        ({"CSP": {"script-src": "*"}}, "E023"),
        ({"STATIC_URL": "http://cdn.example.com/"}, "E040"),
        ({"DATABASE": "sqlite://:memory:"}, "E045"),
        ({"DATABASE": "sqlite:////dev/shm/site.db"}, "E046"),
        ({"DATABASE": "postgresql://me@db.example.com/site?sslmode=require"}, "E048"),
        ({"DATABASE": "postgresql://me:postgres@db.example.com/site?sslmode=require"}, "E049"),
        ({"DATABASE": "postgresql://me:x7Qz9@db.example.com/site"}, "E050"),
        ({"DATABASE": {"default": "mysql://me:x7Qz9@db.example.com/site"}}, "E050"),
        ({"REDIS_URL": "rediss://cache.example.com"}, "E051"),
        ({"REDIS_URL": "redis://:x7Qz9@cache.example.com"}, "E052"),
        ({"SESSION_STORE": "rediss://cache.example.com"}, "E051"),
        ({"SESSION_STORE": "redis://:x7Qz9@cache.example.com"}, "E052"),
        ({"SESSION_STORE": "cache"}, "E053"),
        ({"SESSION_STORE": "cache", "CACHES": {"default": {"url": "memory://"}}}, "E053"),
        ({"SESSION_STORE": "cache://pages", "CACHES": {"pages": "memory://?max_entries=7"}}, "E053"),
    ],
)
def test_a_setting_for_development_has_a_finding_of_its_own(config: Any, found: str) -> None:
    assert found in ids(**config)


@pytest.mark.parametrize(
    ("battery", "found"),
    [
        (Security(csp=None, csp_report_only={}), "W020"),
        (Security(hsts_seconds=None), "E024"),
        (Security(hsts_seconds=60), "W026"),
        (Security(frame_options=None), "E025"),
        (Security(referrer_policy="unsafe-url"), "W027"),
        (Security(opener_policy=None), "W028"),
        (Security(resource_policy="cross-origin"), "W029"),
        (Cors(origins=["http://a.example"]), "E026"),
        (Cors(origins=["https://*.a.example"], credentials=True), "W030"),
    ],
)
def test_a_battery_that_protects_less_has_a_finding(battery: Any, found: str) -> None:
    assert ids(battery) == [found]


@pytest.mark.parametrize(
    "config",
    [
        {"DATABASE": "postgresql://me:x7Qz9@db.example.com/site?sslmode=verify-full"},
        {"DATABASE": "postgresql://me@localhost/site"},
        {"DATABASE": "postgresql:///site"},
        {"DATABASE": "postgresql://me:x7Qz9@db/site"},
        {"REDIS_URL": "redis://localhost:6379"},
        {"TRUSTED_PROXIES": ["10.0.0.0/8", "unix", "2001:db8::1"]},
        {"ALLOWED_HOSTS": [".club-of-friends.org"]},
        {"TRUSTED_ORIGINS": ["https://shop.example"]},
        {"CSP": {"script-src": "'strict-dynamic' https: 'unsafe-inline'"}},
    ],
)
def test_what_is_sound_is_left_alone(config: Any) -> None:
    assert ids(**config) == []


@pytest.mark.parametrize("name", [".env", ".env.production", ".git", "backup.sql", "site.sqlite3", "tls.key"])
def test_a_secret_among_the_static_files_is_found(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "static" / "deep"
    folder.mkdir(parents=True)
    (folder / name).touch()

    assert ids(folder=tmp_path) == ["E043"]


def test_a_static_folder_that_all_can_write_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    folder.mkdir()
    folder.chmod(0o777)

    assert ids(folder=tmp_path) == ["E042"]


def test_a_static_folder_with_the_program_in_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "static").symlink_to(tmp_path)

    assert ids(folder=tmp_path) == ["E041"]


def test_dotenv_that_all_can_read_is_found(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(0o644)
    (tmp_path / ".env").chmod(0o644)

    assert ids(folder=tmp_path) == ["E044"]


def test_a_database_that_all_can_write_is_found(tmp_path: Path) -> None:
    (tmp_path / "site.db").touch()
    (tmp_path / "site.db").chmod(0o666)

    assert "E047" in ids(DATABASE=f"sqlite:///{tmp_path}/site.db")


# The command


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"DEBUG": True}, "deploy.E001"),
        ({"LOG_LEVEL": "DEBUG"}, "deploy.W001"),
        ({"SECRET_KEY": "short"}, "config.E004"),
        ({"SITE_URL": None}, "security/no-hosts"),
    ],
)
def test_the_command_ends_with_1_and_names_it(project: Project, command: Command, config: Any, found: str) -> None:
    project(app=f"from segue import App\napp = App(__name__, config={ {**SOUND, **config}!r})\n")

    done = command("check", "--deploy", "--json")

    assert done.exit_code == 1
    assert found in [each["id"] for each in json.loads(done.stdout)]


def test_the_command_ends_with_0_where_all_is_sound(project: Project, command: Command) -> None:
    project(app=f"from segue import App\napp = App(__name__, config={SOUND!r})\n")

    done = command("check", "--deploy")

    assert (done.exit_code, done.stdout) == (0, "")


def test_the_place_of_the_setting_is_named(project: Project, command: Command) -> None:
    project(app=f"from segue import App\napp = App(__name__, config={SOUND!r})\napp.config['LOG_LEVEL'] = 'DEBUG'\n")

    assert "app.py:3" in command("check", "--deploy").stdout
