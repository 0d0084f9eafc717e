"""The history: which migration comes after which.

Holds: `Graph`: order, heads, ancestors, squashed migrations, and the state at any point.
Imports: files, states, the merge of states.
Never: asks a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...errors import did_you_mean
from .files import Migration, MigrationError, read_folder
from .merging import merge_states
from .state import State

__all__ = ["Graph"]


class Graph:
    """The migrations of one database.

    Args:
        migrations: All of them.
        applied: What the database says was applied, where it is known: a squashed migration
            stands for those it replaces once they are all applied, or none of them is.
    """

    def __init__(self, migrations: Iterable[Migration], applied: Iterable[str] | None = None) -> None:
        self.all: dict[str, Migration] = {each.name: each for each in migrations}
        self.migrations: dict[str, Migration] = dict(self.all)
        self._parents: dict[str, tuple[str, ...]] = {}
        self._states: dict[frozenset[str], State] = {}
        self._squash(set(applied or ()) if applied is not None else None)
        self._link()
        self.order: list[str] = self._sorted()

    @classmethod
    def read(cls, folder: Path, applied: Iterable[str] | None = None) -> Graph:
        """Return the graph of a folder."""
        return cls(read_folder(folder), applied)

    def __repr__(self) -> str:
        return f"<Graph {', '.join(self.order)}>"

    def __len__(self) -> int:
        return len(self.migrations)

    def __getitem__(self, name: str) -> Migration:
        return self.migrations[name]

    def __contains__(self, name: object) -> bool:
        return name in self.migrations

    # Making

    def _squash(self, applied: set[str] | None) -> None:
        self.stands_for: dict[str, str] = {}
        for each in list(self.all.values()):
            if not each.replaces:
                continue
            there = [name for name in each.replaces if name in self.all]
            done = set(each.replaces) & (applied or set())
            if applied is not None and done and done != set(each.replaces) and each.name not in applied and there:
                # Half of them were applied: the others are run one by one.
                del self.migrations[each.name]
                continue
            for name in each.replaces:
                self.stands_for[name] = each.name
                self.migrations.pop(name, None)

    def _link(self) -> None:
        for name, each in self.migrations.items():
            parents: list[str] = []
            for parent in each.parents:
                found = parent
                while found not in self.migrations and found in self.stands_for:
                    found = self.stands_for[found]
                if found not in self.migrations:
                    raise MigrationError(
                        f"{name} comes after {parent}, which is not there.",
                        code="data/migration-history",
                        where=str(each.path or ""),
                        hint=did_you_mean(parent, self.migrations) or "Bring the file back, or correct `parents`.",
                    )
                if (parent == name or found != name) and found not in parents:
                    parents.append(found)
            self._parents[name] = tuple(parents)

    def _sorted(self) -> list[str]:
        order: list[str] = []
        waiting = sorted(self.migrations)
        while waiting:
            ready = next((name for name in waiting if all(parent in order for parent in self._parents[name])), None)
            if ready is None:
                raise MigrationError(
                    f"These migrations come after each other: {', '.join(waiting)}.",
                    code="data/migration-history",
                    hint="Correct `parents` of one of them.",
                )
            waiting.remove(ready)
            order.append(ready)
        return order

    # Asking

    def parents(self, name: str) -> tuple[str, ...]:
        """Return what *name* comes after."""
        return self._parents[name]

    def heads(self, names: Iterable[str] | None = None) -> list[str]:
        """Return those of *names* that no other of them comes after."""
        known = set(self.order if names is None else names)
        parents = {parent for name in known for parent in self._parents[name]}
        return [name for name in self.order if name in known and name not in parents]

    def head(self) -> str | None:
        """Return the last migration, or `None` where there is none.

        Raises:
            MigrationError: There are several (`data/migration-heads`).
        """
        heads = self.heads()
        if len(heads) > 1:
            files = [str(self.migrations[name].path or name) for name in heads]
            raise MigrationError(
                f"The history has {len(heads)} heads: {' and '.join(heads)}.",
                code="data/migration-heads",
                where=" and ".join(files),
                why="Two branches of the project each brought a migration.",
                hint="segue makemigrations --merge",
            )
        return heads[0] if heads else None

    def ancestors(self, name: str) -> set[str]:
        """Return *name* and all it comes after."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting.extend(self._parents[each])
        return found

    def descendants(self, name: str) -> set[str]:
        """Return *name* and all that comes after it."""
        return {each for each in self.order if name in self.ancestors(each)}

    def find(self, text: str) -> str:
        """Return the migration that a person means by *text*: a name, or its beginning.

        Raises:
            MigrationError: None is, or several are (`data/migration-name`).
        """
        if text in self.migrations:
            return text
        found = [name for name in self.order if name.startswith(text)]
        if len(found) == 1:
            return found[0]
        if not found and text in self.stands_for:
            return self.stands_for[text]
        raise MigrationError(
            f"{len(found) or 'No'} migrations are called {text!r}.",
            code="data/migration-name",
            hint=", ".join(found) or did_you_mean(text, self.order) or "segue showmigrations",
        )

    # States

    def state(self, names: Iterable[str] | None = None) -> State:
        """Return the models after *names*, and all that these come after; after all where it is `None`.

        Raises:
            MigrationError: Branches contradict each other (`data/migration-conflict`).
        """
        heads = self.heads() if names is None else self.heads(self._closed(names))
        return self._after(heads)

    def _closed(self, names: Iterable[str]) -> set[str]:
        return {each for name in names for each in self.ancestors(name)}

    def _after(self, heads: Sequence[str]) -> State:
        key = frozenset(heads)
        if key not in self._states:
            self._states[key] = self._make(list(heads))
        return self._states[key]

    def _make(self, heads: list[str]) -> State:
        if not heads:
            return State()
        if len(heads) == 1:
            migration = self.migrations[heads[0]]
            snapshot = migration.snapshot()
            return snapshot if snapshot is not None else migration.states(self.before(heads[0]))[-1]
        *rest, last = heads
        # What both sides have in common, where they parted.
        common = self._closed(rest) & self.ancestors(last)
        return merge_states(self._after(self.heads(common)), self._after(rest), self._after([last]), (rest[-1], last))

    def before(self, name: str) -> State:
        """Return the models before *name*."""
        return self._after(self.heads(self._closed(self._parents[name])))

    def replayed(self, name: str) -> State:
        """Return the models after *name*, from its operations instead of its snapshot."""
        return self.migrations[name].states(self.before(name))[-1]

    def check_snapshots(self, names: Iterable[str] | None = None) -> None:
        """Compare the snapshots with what the operations say.

        Raises:
            MigrationError: One is missing, or the file was changed without it (`data/migration-snapshot`).
        """
        for name in self.order if names is None else names:
            migration = self.migrations[name]
            if migration.path is None:
                continue
            snapshot = migration.snapshot()
            if snapshot is None or snapshot != self.replayed(name):
                what = "has no snapshot" if snapshot is None else "does other things than its snapshot says"
                raise MigrationError(
                    f"{name} {what}.",
                    code="data/migration-snapshot",
                    where=str(migration.path),
                    why="The snapshot beside the file holds the models after it; the next migration is made from it.",
                    hint="segue makemigrations --resnapshot writes the snapshots anew, from the operations.",
                )
