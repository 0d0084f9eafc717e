"""`Model.objects`: where a queryset begins.

Holds: `Manager`, the descriptor on the class; `manager_of`.
Imports: querysets.
Never: keeps rows; each touch is a fresh queryset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .errors import ModelError
from .queryset import QuerySet

__all__ = ["AllRows", "Manager", "ManagerDescriptor", "ManagerOf", "NoObjects", "Objects", "manager_of"]

M = TypeVar("M")
S = TypeVar("S", bound=QuerySet[Any])
D = TypeVar("D")


class Objects:
    """What stands in the body of a model and gives querysets of it."""

    def __get__(self, instance: Any, owner: type[M]) -> QuerySet[M]:
        raise NotImplementedError  # pragma: no cover  # each kind says it


class ManagerDescriptor(Objects):
    """Gives a queryset of the class it is touched on; never on an instance."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind
        self.name: str = "objects"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type[M]) -> QuerySet[M]:
        if instance is not None:
            raise AttributeError(f"{self.name} is on the class: {owner.__name__}.{self.name}, not on an instance.")
        return cast("QuerySet[M]", self.begin(owner))

    def begin(self, model: Any) -> Any:
        """Return a fresh queryset of *model*."""
        options = getattr(model, "_meta", None)
        if options is None or options.abstract:
            raise ModelError(
                f"{model.__name__} is abstract: it has no rows.",
                code="data/abstract",
                hint="Ask one of the models that derive from it.",
            )
        kind = self.kind
        found = kind(model, options.base_query())
        if issubclass(kind, Manager):
            # A manager's own get_queryset() says where it begins; its methods stay at hand.
            chosen = found.get_queryset()
            found.query, found._prefetches, found._mode = chosen.query, chosen._prefetches, chosen._mode
        return found


class ManagerOf(ManagerDescriptor, Generic[S]):
    """The same, of a kind of queryset that type checkers know."""

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type[Any]) -> S: ...  # pyright: ignore[reportIncompatibleMethodOverride]  # the queryset's own class


class AllRows:
    """`Model._default_manager` and `Model._base_manager`: a fresh queryset at each touch."""

    def __init__(self, method: str) -> None:
        self.method = method

    def __get__(self, instance: Any, owner: Any) -> Any:
        return getattr(owner._meta, self.method)()


class NoObjects:
    """What `objects` is on a model whose managers have other names."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        name = next(iter(owner._meta.managers), "")
        raise AttributeError(f"{owner.__name__} has no manager `objects`: it is called {owner.__name__}.{name}.")


if TYPE_CHECKING:

    class _InBody(Objects):
        """Lets `objects = Published()` stand where a model has its `objects`."""

        def __get__(self: D, instance: Any, owner: type[Any]) -> D: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # the manager itself

else:
    _InBody = object


class Manager(QuerySet[M], _InBody):
    """A queryset with a beginning of its own.

    In the body of a model `published = Published()` gives one for each touch.

    >>> class Published(Manager["Post"]):  # doctest: +SKIP
    ...     def get_queryset(self):
    ...         return super().get_queryset().filter(published=True)
    """

    if TYPE_CHECKING:

        def __init__(self) -> None: ...

    else:

        def __new__(cls, model=None, query=None, using=None):
            """Make a queryset of *model*; without one, what a class body takes."""
            return ManagerDescriptor(cls) if model is None else object.__new__(cls)

    def get_queryset(self) -> QuerySet[M]:
        """Return the rows this manager begins with."""
        return QuerySet(self.model, self.model._meta.base_query(), self._using)

    @classmethod
    def from_queryset(cls, queryset: type[S]) -> Callable[[], ManagerOf[S]]:
        """Return a manager class with a queryset's methods."""
        made: Any = type(f"{cls.__name__}From{queryset.__name__}", (cls, queryset), {"__module__": cls.__module__})
        return made  # type: ignore[no-any-return]  # made by hand


def manager_of(kind: type[S]) -> ManagerOf[S]:
    """Return a descriptor whose querysets are of *kind*."""
    return ManagerOf(kind)
