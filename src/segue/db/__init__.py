"""Models, querysets, databases, migrations.

Holds: the model layer: what a table is, what is asked of it, and what runs that.
Imports: floor 0, SQLAlchemy Core, msgspec, and the drivers of databases when they are used.
Never: knows an app, a request or a form; it works in a script with `db.connect(url)`.
"""

from __future__ import annotations

from . import functions
from .adopting import Adopted, adopt
from .budgets import QueryBudget, query_budget
from .contenttypes import ContentType, ContentTypeField, GenericForeignKey, GenericPrefetch, GenericRelation
from .current import aexecute, atomic, connect, current_database, disconnect, execute, on_commit, route
from .database import Database
from .errors import (
    ConnectionLost,
    DatabaseError,
    DataError,
    DoesNotExist,
    FieldError,
    IntegrityError,
    MultipleObjectsReturned,
    NotSupportedError,
    OperationalError,
    PoolTimeout,
    ProgrammingError,
    ProtectedError,
    QueryBudgetError,
    RestrictedError,
    SerializationError,
    TransactionManagementError,
)
from .expressions import (
    Avg,
    Case,
    Cast,
    Coalesce,
    Count,
    Exists,
    Expression,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    StdDev,
    StringAgg,
    Subquery,
    Sum,
    Value,
    Variance,
    When,
    Window,
)
from .expressions.ctes import CTE
from .expressions.windows import RowRange, ValueRange
from .fields.base import Field
from .fields.choices import Choices, IntegerChoices, TextChoices
from .fields.files import FileField, ImageField
from .fields.numbers import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    DecimalField,
    FloatField,
    IntegerField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallAutoField,
    SmallIntegerField,
)
from .fields.relations import (
    CASCADE,
    DB_CASCADE,
    DB_SET_DEFAULT,
    DB_SET_NULL,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET,
    SET_DEFAULT,
    SET_NULL,
    ForeignKey,
    ManyToManyField,
    OneToOneField,
)
from .fields.special import ArrayField, BinaryField, GeneratedField, JSONField, UUIDField
from .fields.text import CharField, EmailField, GenericIPAddressField, SlugField, TextField, URLField
from .fields.times import DateField, DateTimeField, DurationField, TimeField
from .instance import FETCH_ONE, FETCH_PEERS, RAISE, FetchMode
from .managers import Manager
from .models.base import Model
from .models.constraints import CheckConstraint, Index, UniqueConstraint
from .models.loading import aprefetch_related_objects, prefetch_related_objects
from .models.options import CompositePrimaryKey
from .models.softdelete import SoftDelete, SoftDeleteQuerySet
from .operations.reading import Prefetch
from .policies import Can, acan, can, policy
from .query.lookups import Lookup, register_lookup
from .query.transforms import Transform
from .queryset import QuerySet
from .related import Key, RelatedManager, Reverse
from .search.fields import SearchField
from .search.matching import SearchRank
from .shortcuts import aget_list_or_404, aget_object_or_404, get_list_or_404, get_object_or_404
from .signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

__all__ = [
    "CASCADE",
    "CTE",
    "DB_CASCADE",
    "DB_SET_DEFAULT",
    "DB_SET_NULL",
    "DO_NOTHING",
    "FETCH_ONE",
    "FETCH_PEERS",
    "PROTECT",
    "RAISE",
    "RESTRICT",
    "SET",
    "SET_DEFAULT",
    "SET_NULL",
    "Adopted",
    "ArrayField",
    "AutoField",
    "Avg",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "Can",
    "Case",
    "Cast",
    "CharField",
    "CheckConstraint",
    "Choices",
    "Coalesce",
    "CompositePrimaryKey",
    "ConnectionLost",
    "ContentType",
    "ContentTypeField",
    "Count",
    "DataError",
    "Database",
    "DatabaseError",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DoesNotExist",
    "DurationField",
    "EmailField",
    "Exists",
    "Expression",
    "F",
    "FetchMode",
    "Field",
    "FieldError",
    "FileField",
    "FloatField",
    "ForeignKey",
    "Func",
    "GeneratedField",
    "GenericForeignKey",
    "GenericIPAddressField",
    "GenericPrefetch",
    "GenericRelation",
    "ImageField",
    "Index",
    "IntegerChoices",
    "IntegerField",
    "IntegrityError",
    "JSONField",
    "Key",
    "Lookup",
    "Manager",
    "ManyToManyField",
    "Max",
    "Min",
    "Model",
    "MultipleObjectsReturned",
    "NotSupportedError",
    "OneToOneField",
    "OperationalError",
    "OuterRef",
    "PoolTimeout",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "Prefetch",
    "ProgrammingError",
    "ProtectedError",
    "Q",
    "QueryBudget",
    "QueryBudgetError",
    "QuerySet",
    "RelatedManager",
    "RestrictedError",
    "Reverse",
    "RowRange",
    "SearchField",
    "SearchRank",
    "SerializationError",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "SoftDelete",
    "SoftDeleteQuerySet",
    "StdDev",
    "StringAgg",
    "Subquery",
    "Sum",
    "TextChoices",
    "TextField",
    "TimeField",
    "TransactionManagementError",
    "Transform",
    "URLField",
    "UUIDField",
    "UniqueConstraint",
    "Value",
    "ValueRange",
    "Variance",
    "When",
    "Window",
    "acan",
    "adopt",
    "aexecute",
    "aget_list_or_404",
    "aget_object_or_404",
    "aprefetch_related_objects",
    "atomic",
    "can",
    "connect",
    "current_database",
    "disconnect",
    "execute",
    "functions",
    "get_list_or_404",
    "get_object_or_404",
    "m2m_changed",
    "on_commit",
    "policy",
    "post_delete",
    "post_save",
    "pre_delete",
    "pre_save",
    "prefetch_related_objects",
    "query_budget",
    "register_lookup",
    "route",
]
