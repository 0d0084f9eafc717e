"""`execute()`: Core statements, texts, and what they return; what goes wrong."""

from __future__ import annotations

import logging
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from segue.db.database import Database
from segue.db.errors import (
    DataError,
    DoesNotExist,
    IntegrityError,
    MultipleObjectsReturned,
    OperationalError,
    ProgrammingError,
    QueryError,
    TransactionManagementError,
)
from segue.db.observing import watching
from segue.db.steps import Prepared
from segue.errors import SegueError

METADATA = sa.MetaData()
MUSICIANS = sa.Table(
    "musicians",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("born", sa.Date),
    sa.Column("fee", sa.Numeric(8, 2)),
    sa.Column("instrument", sa.String(20), default="piano"),
    sa.UniqueConstraint("name", name="unique_name"),
    sa.CheckConstraint("fee > 0", name="fee_is_positive"),
)
RECORDS = sa.Table(
    "records",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("leader_id", sa.ForeignKey("musicians.id", name="fk_leader"), nullable=False),
)


@pytest.fixture
def tables(database: Database) -> Database:
    """The database with two tables."""
    with database.connection() as connection:
        METADATA.create_all(connection)
        connection.commit()
    return database


async def test_a_core_statement_reads_and_writes_typed_values(both: Any, tables: Database) -> None:
    await both.execute(tables, MUSICIANS.insert().values(name="Bill", born=date(1929, 8, 16), fee=Decimal("12.50")))

    result = await both.execute(tables, sa.select(MUSICIANS.c.name, MUSICIANS.c.born, MUSICIANS.c.fee))

    assert result.one() == ("Bill", date(1929, 8, 16), Decimal("12.50"))


async def test_rows_have_the_names_of_their_columns(both: Any, database: Database) -> None:
    row = (await both.execute(database, "SELECT :name AS name, 1 + 1", {"name": "Ahmad"})).first()

    assert (row.name, row[1], row._fields) == ("Ahmad", 2, ("name", "column_1"))


async def test_a_result_gives_its_rows_in_several_forms(both: Any, database: Database) -> None:
    result = await both.execute(database, "SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 4")

    assert [result.all(), list(result), len(result)] == [[(1, 2), (3, 4)], [(1, 2), (3, 4)], 2]
    assert [result.scalars(), result.scalar()] == [[1, 3], 1]
    assert result.mappings() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


async def test_one_refuses_none_and_several(both: Any, database: Database) -> None:
    with pytest.raises(DoesNotExist):
        (await both.execute(database, "SELECT 1 AS a WHERE 1 = 0")).one()
    with pytest.raises(MultipleObjectsReturned):
        (await both.execute(database, "SELECT 1 AS a UNION ALL SELECT 2")).one()


async def test_a_write_tells_how_many_rows_it_found(both: Any, tables: Database) -> None:
    await both.execute(tables, MUSICIANS.insert(), [{"name": "Bill"}, {"name": "Scott"}])

    result = await both.execute(tables, MUSICIANS.update().values(instrument="piano"))

    assert result.rowcount == 2
    with pytest.raises(QueryError, match="returns no rows"):
        result.all()


async def test_a_list_of_parameters_runs_a_text_for_each(both: Any, tables: Database) -> None:
    result = await both.execute(
        tables, "INSERT INTO musicians (name) VALUES (:name)", [{"name": "Bill"}, {"name": "Paul"}]
    )

    names = (await both.execute(tables, "SELECT name FROM musicians ORDER BY name")).scalars()
    assert (names, result.rowcount) == (["Bill", "Paul"], 2)


async def test_a_list_of_parameters_is_saved_together_or_not_at_all(both: Any, tables: Database) -> None:
    with pytest.raises(IntegrityError):
        await both.execute(tables, MUSICIANS.insert(), [{"name": "Bill"}, {"name": "Bill"}])

    assert (await both.execute(tables, "SELECT count(*) AS n FROM musicians")).scalar() == 0


async def test_the_defaults_of_a_plain_table_are_used(both: Any, tables: Database) -> None:
    await both.execute(tables, MUSICIANS.insert().values(name="Bill"))

    assert (await both.execute(tables, sa.select(MUSICIANS.c.instrument))).scalar() == "piano"


async def test_a_list_in_a_core_statement_becomes_its_values(both: Any, tables: Database) -> None:
    await both.execute(tables, MUSICIANS.insert(), [{"name": "Bill"}, {"name": "Paul"}, {"name": "Scott"}])
    statement = sa.select(MUSICIANS.c.name).where(MUSICIANS.c.name.in_(["Bill", "Scott"])).order_by(MUSICIANS.c.name)

    assert (await both.execute(tables, statement)).scalars() == ["Bill", "Scott"]
    empty = sa.select(MUSICIANS.c.name).where(MUSICIANS.c.name.in_([]))
    assert (await both.execute(tables, empty)).all() == []


@pytest.mark.parametrize("value", ["it's", 'a "quote"', "50 %", "%s $1 ? :x", "a\\b", "\x1b[31m", "Ünïcødé 🎹", ""])
async def test_a_value_is_bound_whatever_it_holds(both: Any, database: Database, value: str) -> None:
    assert (await both.execute(database, "SELECT :value AS v, '100 %' AS w", {"value": value})).one() == (
        value,
        "100 %",
    )


async def test_bytes_are_bound_as_they_are(both: Any, tables: Database) -> None:
    table = sa.Table("blobs", sa.MetaData(), sa.Column("data", sa.LargeBinary(300)))
    await both.execute(tables, sa.schema.CreateTable(table))
    await both.execute(tables, table.insert().values(data=bytes(range(256))))

    found = (await both.execute(tables, sa.select(table.c.data))).scalar()

    assert bytes(found) == bytes(range(256))


async def test_a_text_may_hold_a_cast_and_a_comment(both: Any, database: Database) -> None:
    assert (
        await both.execute(database, "/* a */ SELECT CAST(:a AS CHAR) AS a -- why not\n", {"a": "1"})
    ).scalar() == "1"


@pytest.mark.parametrize("parameters", [None, {"a": 1}])
async def test_more_than_one_statement_is_refused(both: Any, tables: Database, parameters: Any) -> None:
    first = "SELECT :a AS a" if parameters else "SELECT 1 AS a"

    with pytest.raises(ProgrammingError):
        await both.execute(tables, f"{first}; DELETE FROM musicians", parameters)


async def test_a_name_without_a_value_is_named(both: Any, database: Database) -> None:
    with pytest.raises(QueryError, match="'b'"):
        await both.execute(database, "SELECT :a AS a, :b AS b", {"a": 1})


async def test_a_value_without_a_name_is_named(both: Any, database: Database) -> None:
    with pytest.raises(QueryError, match="no :c") as caught:
        await both.execute(database, "SELECT :a AS a", {"a": 1, "c": 2})

    assert caught.value.hint == "It has :a."


@pytest.mark.parametrize("statement", [5, None, object()])
async def test_what_is_no_statement_is_refused(both: Any, database: Database, statement: Any) -> None:
    with pytest.raises(QueryError, match="no statement"):
        await both.execute(database, statement)


async def test_parameters_without_names_are_refused(both: Any, database: Database) -> None:
    with pytest.raises(QueryError, match="have names"):
        await both.execute(database, "SELECT :a", (1,))


@pytest.mark.parametrize("text", ["BEGIN", "commit", " /* x */ ROLLBACK", "SAVEPOINT a", "START TRANSACTION"])
async def test_a_text_that_begins_or_ends_a_transaction_is_refused(both: Any, database: Database, text: str) -> None:
    with pytest.raises(TransactionManagementError, match=r"db\.execute"):
        await both.execute(database, text)


async def test_a_second_equal_row_is_an_integrity_error(both: Any, tables: Database) -> None:
    await both.execute(tables, MUSICIANS.insert().values(name="Bill"))

    with pytest.raises(IntegrityError) as caught:
        await both.execute(tables, MUSICIANS.insert().values(name="Bill"))

    known = {"sqlite": ("", ("name",), "musicians"), "postgresql": ("unique_name", ("name",), "musicians")}
    error = caught.value
    assert (error.kind, error.status) == ("unique", 409)
    assert (error.constraint, error.columns, error.table) == known.get(tables.vendor, ("unique_name", (), ""))
    assert "Bill" not in str(error)


async def test_a_missing_value_is_an_integrity_error(both: Any, tables: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await both.execute(tables, "INSERT INTO musicians (id, name) VALUES (1, NULL)")

    assert (caught.value.kind, caught.value.columns) == ("not_null", ("name",))


async def test_a_reference_to_nothing_is_an_integrity_error(both: Any, tables: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await both.execute(tables, RECORDS.insert().values(leader_id=99))

    assert caught.value.kind == "foreign_key"
    assert caught.value.constraint == ("" if tables.vendor == "sqlite" else "fk_leader")


async def test_a_row_that_is_referred_to_cannot_go(both: Any, tables: Database) -> None:
    await both.execute(tables, MUSICIANS.insert().values(id=1, name="Bill"))
    await both.execute(tables, RECORDS.insert().values(leader_id=1))

    with pytest.raises(IntegrityError) as caught:
        await both.execute(tables, MUSICIANS.delete())

    assert caught.value.kind == "foreign_key"


async def test_a_row_against_a_check_is_an_integrity_error(both: Any, tables: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await both.execute(tables, MUSICIANS.insert().values(name="Bill", fee=Decimal(-1)))

    assert (caught.value.kind, caught.value.constraint) == ("check", "fee_is_positive")


async def test_a_missing_table_hints_at_migrations(both: Any, database: Database) -> None:
    with pytest.raises(ProgrammingError) as caught:
        await both.execute(database, "SELECT * FROM nowhere")

    assert ("nowhere" in caught.value.message, caught.value.hint) == (True, "segue migrate")


async def test_a_missing_column_hints_at_migrations(both: Any, tables: Database) -> None:
    with pytest.raises(ProgrammingError) as caught:
        await both.execute(tables, "SELECT missing FROM musicians")

    assert caught.value.hint == "segue migrate"


async def test_wrong_sql_is_a_programming_error(both: Any, database: Database) -> None:
    with pytest.raises(ProgrammingError):
        await both.execute(database, "SELEKT 1")


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True)
async def test_a_text_that_is_too_long_is_a_data_error(both: Any, tables: Database) -> None:
    with pytest.raises(DataError) as caught:
        await both.execute(tables, MUSICIANS.insert().values(name="B" * 41))

    assert "BBBB" not in str(caught.value)


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True)
async def test_a_number_that_is_too_large_is_a_data_error(both: Any, tables: Database) -> None:
    with pytest.raises(DataError):
        await both.execute(tables, MUSICIANS.insert().values(id=2**40, name="Bill"))


async def test_a_text_that_is_no_text_is_a_data_error(both: Any, database: Database) -> None:
    with pytest.raises(DataError):
        await both.execute(database, "SELECT :a AS a", {"a": "\ud800"})


async def test_after_an_error_the_connection_goes_on(both: Any, database: Database) -> None:
    with pytest.raises(ProgrammingError):
        await both.execute(database, "SELECT * FROM nowhere")

    assert (await both.execute(database, "SELECT 1 AS a")).scalar() == 1


async def test_observers_see_statement_parameters_and_time(both: Any, database: Database) -> None:
    seen: list[tuple[str, tuple[Any, ...], bool]] = []
    database.observers.append(lambda prepared, values, seconds: seen.append((prepared.sql, tuple(values), seconds > 0)))

    await both.fetch(database, Prepared("SELECT 1 AS a"))
    await both.execute(database, "SELECT :a AS a", {"a": "x"})

    assert [(sql.partition(" ")[0], values, took) for sql, values, took in seen] == [
        ("SELECT", (), True),
        ("SELECT", ("x",), True),
    ]


async def test_a_statement_that_fails_is_observed(both: Any, database: Database) -> None:
    seen: list[str] = []
    database.observers.append(lambda prepared, values, seconds: seen.append(prepared.sql))

    with pytest.raises(ProgrammingError):
        await both.execute(database, "SELECT * FROM nowhere")

    assert seen == ["SELECT * FROM nowhere"]


async def test_watching_sees_the_statements_of_its_block_alone(both: Any, database: Database) -> None:
    seen: list[str] = []

    with watching(lambda prepared, values, seconds: seen.append(prepared.sql)):
        await both.fetch(database, Prepared("SELECT 1 AS inside"))
    await both.fetch(database, Prepared("SELECT 1 AS outside"))

    assert seen == ["SELECT 1 AS inside"]


async def test_the_log_shows_control_characters_as_escapes(
    both: Any, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "segue.db"):
        await both.execute(database, "SELECT :a AS a,\n 1 AS b", {"a": "\x1b[31m\r\nforged"})

    line = next(each.getMessage() for each in caplog.records if "forged" in each.getMessage())
    assert r"\x1b[31m\r\nforged" in line
    assert line.isprintable()


def test_the_log_is_silent_by_default(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    database.execute("SELECT 1 AS a")

    assert caplog.records == []


@pytest.mark.parametrize("address", ["postgresql://me:hunter2@127.0.0.1:1/club", "mysql://me:hunter2@127.0.0.1:1/club"])
async def test_a_server_that_does_not_answer_is_named_without_the_password(both: Any, address: str) -> None:
    pytest.importorskip("psycopg")
    database = Database(address)

    with pytest.raises(OperationalError, match=r"127\.0\.0\.1:1/club") as caught:
        await both.execute(database, "SELECT 1")

    assert (caught.value.code, "hunter2" in str(caught.value)) == ("data/unreachable", False)


async def test_a_file_that_cannot_be_opened_is_named(both: Any, tmp_path: Any) -> None:
    database = Database("sqlite:///missing/club.db", root=tmp_path)

    with pytest.raises(OperationalError, match=r"missing/club\.db"):
        await both.execute(database, "SELECT 1")


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
@pytest.mark.parametrize("value", [2**70, "\ud800", object()])
def test_a_value_that_cannot_be_bound_is_not_told_as_the_error_before(database: Database, value: Any) -> None:
    database.execute("CREATE TABLE halls (name VARCHAR(9) UNIQUE)")
    database.execute("INSERT INTO halls VALUES ('a')")
    with pytest.raises(SegueError):
        database.execute("SELECT :value", {"value": value})
    with pytest.raises(IntegrityError):
        database.execute("INSERT INTO halls VALUES ('a')")

    with pytest.raises(SegueError) as caught:
        database.execute("SELECT :value", {"value": value})

    assert not isinstance(caught.value, IntegrityError)
