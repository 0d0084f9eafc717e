"""Files that others may read or change, and services that are reached without a secret or in clear text."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...conversion import is_table
from ...db.urls import DatabaseURL, parse_url
from ...errors import Finding
from .values import said

if TYPE_CHECKING:
    from ...app import App
    from ...config import Config

__all__ = ["check_places"]

_SECRET_NAMES = frozenset({".env", ".git", ".htpasswd", ".netrc", ".npmrc", ".pypirc", "id_rsa", "id_ed25519"})
_SECRET_ENDINGS = (".key", ".pem", ".p12", ".sqlite", ".sqlite3", ".db", ".sql", ".dump", ".bak")
_KNOWN_PASSWORDS = frozenset({"password", "postgres", "root", "admin", "secret", "changeme", "mysql", "test", "123456"})
_TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})
_VOLATILE = frozenset({"tmpfs", "ramfs"})
_MOST_FILES = 20_000


def check_places(app: App) -> Iterator[Finding]:
    """Yield what is wrong with static folders, `.env`, and the addresses of services."""
    for part in app.parts:
        scaffold = part.scaffold
        if scaffold.static_folder is not None:
            yield from _static(scaffold.root_path / scaffold.static_folder, scaffold.root_path)
    yield from _dotenv(app.root_path)
    if str(app.config["STATIC_URL"]).startswith("http://"):
        message = "STATIC_URL is http: scripts can be changed on their way."
        yield said(app.config, "STATIC_URL", "E040", message, str(app.config["STATIC_URL"]).replace("http:", "https:"))
    yield from _databases(app.config, app.root_path)
    for key in ("REDIS_URL", "SESSION_STORE"):
        yield from _redis(app.config, key)
    yield from _sessions(app.config)


def _static(folder: Path, root: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    if root.resolve().is_relative_to(folder.resolve()):
        message = "The static folder holds the program: its source is served."
        yield Finding("deploy.E041", "error", message, 'static_folder="static"', str(folder))
        return
    if _is_writable_by_all(folder):
        message = "Every user of this machine can write into the static folder, and so serve what they like."
        yield Finding("deploy.E042", "error", message, f"chmod o-w {folder}", str(folder))
    exposed = next(_secrets_in(folder), None)
    if exposed is not None:
        message = f"The static folder holds {exposed.name}, which is served to whoever asks."
        yield Finding(
            "deploy.E043", "error", message, "Move it out of the folder, and replace its secrets.", str(exposed)
        )


def _secrets_in(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            lower = name.lower()
            if lower in _SECRET_NAMES or lower.startswith(".env.") or lower.endswith(_SECRET_ENDINGS):
                yield Path(place, name)
        seen += len(files)
        if seen > _MOST_FILES:
            return


def _is_writable_by_all(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & stat.S_IWOTH)


def _dotenv(root: Path) -> Iterator[Finding]:
    path = root / ".env"
    if os.name == "posix" and path.is_file() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        message = ".env can be read by every user of this machine."
        yield Finding("deploy.E044", "error", message, f"chmod 600 {path}", str(path))


def _databases(config: Config, root: Path) -> Iterator[Finding]:
    given: Any = config["DATABASE"]
    addresses: list[Any] = [*given.values()] if is_table(given) else [given]
    for address in addresses:
        if not isinstance(address, str):
            continue
        url = parse_url(address, root=root)
        for number, message, hint in _sqlite(url) if url.vendor == "sqlite" else _server(url):
            yield said(config, "DATABASE", number, message, hint)


def _sqlite(url: DatabaseURL) -> Iterator[tuple[str, str, str]]:
    if url.is_memory:
        yield "E045", "The database lives in memory: each worker has its own, and all is lost.", "sqlite:///site.db"
        return
    path = Path(url.database)
    if _file_system(path) in _VOLATILE or path.is_relative_to("/dev/shm"):
        message = f"The database {path} lies on a file system in memory: a restart of the machine loses it."
        yield "E046", message, "Put it on a disk, where backups are made."
    if path.is_file() and _is_writable_by_all(path):
        yield "E047", f"Every user of this machine can write into the database {path}.", f"chmod o-rwx {path}"


def _server(url: DatabaseURL) -> Iterator[tuple[str, str, str]]:
    if not _is_remote(url.host):
        return
    if not url.password and not any(name in url.options for name in ("passfile", "service", "sslcert", "ssl_cert")):
        yield "E048", f"The database at {url.host} is reached without a password.", "postgresql://user:password@…"
    if url.password.lower() in _KNOWN_PASSWORDS or (url.password and url.password == url.user):
        yield "E049", f"The password of the database at {url.host} is one that everybody tries.", "Change it there."
    if url.options.get("sslmode") not in _TLS_MODES and "ssl_ca" not in url.options:
        option = "?sslmode=verify-full" if url.vendor == "postgresql" else "?ssl_ca=/etc/ssl/certs/ca-certificates.crt"
        yield "E050", f"The database at {url.host} is reached without TLS.", option


def _redis(config: Config, key: str) -> Iterator[Finding]:
    address: Any = config[key]
    if not isinstance(address, str) or not address.startswith(("redis:", "rediss:")):
        return
    parts = urlsplit(address)
    if not _is_remote(parts.hostname or ""):
        return
    if not parts.password:
        message = f"Redis at {parts.hostname} is reached without a password."
        yield said(config, key, "E051", message, "rediss://:password@…")
    if parts.scheme != "rediss":
        message = f"Redis at {parts.hostname} is reached without TLS."
        yield said(config, key, "E052", message, "rediss://…")


def _sessions(config: Config) -> Iterator[Finding]:
    store: Any = config["SESSION_STORE"]
    if not isinstance(store, str) or not (store == "cache" or store.startswith("cache://")):
        return
    caches: Any = config["CACHES"] or "memory://"
    name = store.removeprefix("cache").removeprefix("://") or "default"
    found: Any = caches.get(name, "memory://") if is_table(caches) else caches
    address: Any = found.get("url") if is_table(found) else found
    if isinstance(address, str) and address.startswith("memory:"):
        message = "Sessions are kept in the memory of each worker: the next one does not know who is logged in."
        yield said(config, "SESSION_STORE", "E053", message, 'SESSION_STORE = "database"   # or "redis"')


def _is_remote(host: str) -> bool:
    """Whether what is sent there leaves this machine and its own network of containers."""
    if not host or host.startswith("/") or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return "." in host  # a name without a dot is a neighbour: a container, a machine of the same rack


def _file_system(path: Path) -> str:
    """Return the type of the file system that holds *path*, where the system tells."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        _, mount, found, *_ = line.split(" ")
        if path.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, found
    return kind
