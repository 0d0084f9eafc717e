"""Settings whose value alone says that they are not for production."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from ...errors import Finding
from ...web.origins import origin_of_url

if TYPE_CHECKING:
    from ...app import App
    from ...config import Config

__all__ = ["check_values", "said"]

_LARGE_BODY = 100_000_000
_MOST_FIELDS = 10_000
_MOST_FILES = 1_000
_MOST_THREADS = 256
_LONGEST_SECONDS = 300


def said(config: Config, key: str, number: str, message: str, hint: str) -> Finding:
    """Return a finding about *key*, with the place that sets it; the number's letter is its level."""
    level: Literal["error", "warning"] = "error" if number.startswith("E") else "warning"
    return Finding(f"deploy.{number}", level, message, hint, config.explain(key).source)


def check_values(app: App) -> Iterator[Finding]:
    """Yield what is wrong with switches, secrets, hosts, proxies, cookies and limits."""
    config = app.config
    yield from _switches(config)
    yield from _secrets(config)
    yield from _hosts(config)
    yield from _proxies(config)
    yield from _cookies(config)
    yield from _limits(config)


def _switches(config: Config) -> Iterator[Finding]:
    shown = config.explain("DEBUG")
    if any(each.value == "True" for each in shown.overridden) and shown.source == "check --deploy":
        source = next(each.source for each in shown.overridden if each.value == "True")
        message = "DEBUG is on: error pages show source, variables and settings."
        yield Finding("deploy.E001", "error", message, "Take DEBUG away there.", source)
    if config["DEBUGGER"]:
        message = "DEBUGGER is on: an error page runs whatever is typed into it."
        yield said(config, "DEBUGGER", "E002", message, "Take DEBUGGER away there.")
    if config["TESTING"]:
        message = "TESTING is on: weak secrets and any host are let pass."
        yield said(config, "TESTING", "E003", message, "Take TESTING away there.")
    if str(config["LOG_LEVEL"]).upper() in ("DEBUG", "NOTSET"):
        message = "LOG_LEVEL is DEBUG: logs grow, and hold what requests carry."
        yield said(config, "LOG_LEVEL", "W001", message, 'LOG_LEVEL = "INFO"')
    if config["TEMPLATES_AUTO_RELOAD"]:
        message = "TEMPLATES_AUTO_RELOAD is on: every rendering looks at files, and a changed file is served at once."
        yield said(config, "TEMPLATES_AUTO_RELOAD", "W002", message, "Leave it out: it is on in debug alone.")


def _secrets(config: Config) -> Iterator[Finding]:
    secret = config["SECRET_KEY"]
    if secret is None:
        message = "There is no SECRET_KEY: sessions, signed cookies and tokens cannot be made."
        yield said(config, "SECRET_KEY", "E004", message, "segue secret, and SECRET_KEY=… in the environment.")
    elif secret in config["SECRET_KEY_FALLBACKS"]:
        message = "SECRET_KEY is among SECRET_KEY_FALLBACKS: nothing was replaced."
        yield said(config, "SECRET_KEY_FALLBACKS", "W003", message, "segue secret makes a new one.")


def _hosts(config: Config) -> Iterator[Finding]:
    hosts: Sequence[str] = config["ALLOWED_HOSTS"]
    if "*" in hosts:
        message = "ALLOWED_HOSTS is '*': links, redirects and caches take any host that a client invents."
        yield said(config, "ALLOWED_HOSTS", "E005", message, 'ALLOWED_HOSTS = ["www.example.com"]')
    wide = [each for each in hosts if each.startswith(".") and each.rstrip(".").count(".") == 1]
    if wide:
        message = f"ALLOWED_HOSTS holds {wide[0]!r}: the domains of others end so, too."
        yield said(config, "ALLOWED_HOSTS", "E006", message, 'ALLOWED_HOSTS = [".example.com"]')
    site = origin_of_url(config["SITE_URL"] or "")
    if site is None:
        message = "There is no SITE_URL with a scheme and a host: links in mails and HTTPS depend on it."
        yield said(config, "SITE_URL", "W004", message, 'SITE_URL = "https://www.example.com"')
    elif site.scheme == "http":
        message = "SITE_URL is http: cookies and pages can be read and changed on their way."
        yield said(config, "SITE_URL", "E007", message, f'SITE_URL = "https://{site.host}"')
    if site is not None and _is_local(site.host):
        message = "SITE_URL is this machine: no link to it works for others, and HTTPS is not told to browsers."
        yield said(config, "SITE_URL", "E008", message, 'SITE_URL = "https://www.example.com"')
    for each in config["TRUSTED_ORIGINS"]:
        if str(each).startswith("http://"):
            message = f"TRUSTED_ORIGINS holds {each!r}: whoever is on the way can send forms in its name."
            yield said(config, "TRUSTED_ORIGINS", "E009", message, f'"{str(each).replace("http://", "https://", 1)}"')
        elif "*" in str(each):
            message = f"TRUSTED_ORIGINS holds {each!r}: any site below it can send forms here."
            yield said(config, "TRUSTED_ORIGINS", "W005", message, "Name the sites that do.")


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _proxies(config: Config) -> Iterator[Finding]:
    for each in config["TRUSTED_PROXIES"]:
        try:
            network = ipaddress.ip_network(each, strict=False)
        except ValueError:
            continue  # `unix`, or what the compilation refuses
        if network.prefixlen == 0:
            message = f"TRUSTED_PROXIES is {each!r}: everybody can say who they are and that they came by HTTPS."
            yield said(config, "TRUSTED_PROXIES", "E010", message, 'TRUSTED_PROXIES = ["10.0.0.5"]')
        elif network.prefixlen < (8 if network.version == 4 else 7) or _is_wide_and_public(network):
            message = f"TRUSTED_PROXIES holds {each!r}, which has more machines than a site has proxies."
            yield said(config, "TRUSTED_PROXIES", "E011", message, 'TRUSTED_PROXIES = ["10.0.0.5"]')


def _is_wide_and_public(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return not network.is_private and network.prefixlen < (16 if network.version == 4 else 32)


def _cookies(config: Config) -> Iterator[Finding]:
    if config.get("SESSION_COOKIE_SECURE") is False:
        message = "SESSION_COOKIE_SECURE is off: the session is sent by HTTP too, for everybody to read."
        yield said(config, "SESSION_COOKIE_SECURE", "E012", message, "Leave it out: it is on outside debug.")
    if config.get("SESSION_COOKIE_SAMESITE") == "None":
        message = "SESSION_COOKIE_SAMESITE is None: requests that other sites cause carry the session."
        yield said(config, "SESSION_COOKIE_SAMESITE", "W006", message, 'SESSION_COOKIE_SAMESITE = "Lax"')
    if config.get("SESSION_COOKIE_DOMAIN"):
        message = "SESSION_COOKIE_DOMAIN is set: every site below it is sent the session, and can set one."
        yield said(config, "SESSION_COOKIE_DOMAIN", "W007", message, "Leave it out: the host alone has it.")


def _limits(config: Config) -> Iterator[Finding]:
    if config["MAX_CONTENT_LENGTH"] > _LARGE_BODY:
        message = f"MAX_CONTENT_LENGTH is {config['MAX_CONTENT_LENGTH']:,} bytes for every route."
        hint = "MAX_CONTENT_LENGTH = 2_500_000, and max_body=… on the routes that take files."
        yield said(config, "MAX_CONTENT_LENGTH", "E013", message, hint)
    if config["MAX_FORM_FIELDS"] > _MOST_FIELDS:
        message = f"MAX_FORM_FIELDS is {config['MAX_FORM_FIELDS']:,}: one request can keep a worker busy."
        yield said(config, "MAX_FORM_FIELDS", "W008", message, "MAX_FORM_FIELDS = 1000")
    if config["MAX_FILES"] > _MOST_FILES:
        message = f"MAX_FILES is {config['MAX_FILES']:,}: one request can open as many files."
        yield said(config, "MAX_FILES", "W009", message, "MAX_FILES = 100")
    deadline = config["HANDLER_DEADLINE_SECONDS"]
    if deadline <= 0 or deadline > _LONGEST_SECONDS:
        message = f"HANDLER_DEADLINE_SECONDS is {deadline:g}: handlers that hang pile up."
        yield said(config, "HANDLER_DEADLINE_SECONDS", "E014", message, "HANDLER_DEADLINE_SECONDS = 30")
    if not 1 <= config["THREADS"] <= _MOST_THREADS:
        message = f"THREADS is {config['THREADS']}: workers starve, or the machine does."
        yield said(config, "THREADS", "W010", message, "Leave it out: four for each processor.")
    queue = config["THREAD_QUEUE_SECONDS"]
    if queue <= 0 or queue > _LONGEST_SECONDS:
        message = f"THREAD_QUEUE_SECONDS is {queue:g}: under load every request is refused, or none ever is."
        yield said(config, "THREAD_QUEUE_SECONDS", "W011", message, "THREAD_QUEUE_SECONDS = 5")
