"""Values of fields with `secret=True` are in no log, no repr, no message and no dump."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import pytest

from segue import db


class Account(db.Model):
    name = db.CharField(max_length=20)
    token = db.CharField(max_length=40, secret=True, default="")
    pin = db.IntegerField(secret=True, null=True)


MODELS = [Account]


async def logged(both: Any, caplog: Any, *calls: tuple[Any, ...]) -> str:
    with caplog.at_level(logging.DEBUG, logger="segue.db"):
        for function, values in calls:
            await both.call(function, **values)
    return str(caplog.text)


async def test_a_secret_is_in_no_log(tables: db.Database, both: Any, caplog: Any) -> None:
    text = await logged(
        both,
        caplog,
        (Account.objects.create, {"name": "visible", "token": "hidden", "pin": 774411}),
        (Account.objects.filter(token="hidden", pin__in=[774411, 5]).count, {}),
        (Account.objects.filter(token__icontains="hidden").exists, {}),
        (Account.objects.filter(name="visible").update, {"token": "hidden", "pin": 774411}),
        (Account.objects.get_or_create, {"name": "visible", "token": "hidden"}),
    )

    assert "visible" in text
    assert "***" in text
    assert "hidden" not in text
    assert "774411" not in text


async def test_a_secret_of_many_rows_is_in_no_log(tables: db.Database, both: Any, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG, logger="segue.db"):
        rows = await both.call(Account.objects.bulk_create, [Account(name=f"n{n}", token="hidden") for n in range(3)])
        for each in rows:
            each.token = "hidden2"
        await both.call(Account.objects.bulk_update, rows, ["token"])
        rows[0].token = "hidden3"
        await both.call(rows[0].save)

    assert "n1" in caplog.text
    assert "hidden" not in caplog.text


def test_a_secret_is_in_no_repr(tables: db.Database) -> None:
    account = Account.objects.create(name="x", token="hidden")

    shown = [
        repr(account),
        repr(Account.objects.filter(token="hidden")),
        repr(Account.objects.filter(token="hidden").query),
    ]

    assert "hidden" not in " ".join(shown)


def test_a_secret_is_in_no_message(tables: db.Database) -> None:
    with pytest.raises(ValueError) as caught:
        Account.objects.filter(pin="hidden")

    assert "hidden" not in str(caught.value)


async def test_a_secret_is_given_to_who_names_it(tables: db.Database, both: Any) -> None:
    account = await both.call(Account.objects.create, name="x", token="hidden", pin=1)

    assert await both.call(Account.objects.values().get) == {"id": account.pk, "name": "x"}
    assert await both.call(Account.objects.values_list().get) == (account.pk, "x")
    assert await both.call(Account.objects.values("token").get) == {"token": "hidden"}


def test_a_pickle_holds_no_secret(tables: db.Database) -> None:
    account = Account.objects.create(name="x", token="hidden", pin=774411)

    text = pickle.dumps(account)

    assert b"hidden" not in text
    assert pickle.loads(text).token == "hidden"
    assert pickle.loads(text).name == "x"


def test_saving_what_was_in_a_pickle_keeps_the_secret(tables: db.Database) -> None:
    account = pickle.loads(pickle.dumps(Account.objects.create(name="x", token="hidden")))

    account.name = "y"
    account.save()

    assert Account.objects.get().token == "hidden"


def test_what_was_not_saved_travels_whole(tables: db.Database) -> None:
    assert pickle.loads(pickle.dumps(Account(name="x", token="hidden"))).token == "hidden"


def test_a_copy_has_the_secret(tables: db.Database, counting: Any) -> None:
    account = Account.objects.create(name="x", token="hidden")

    with counting() as seen:
        assert copy.deepcopy(account).token == copy.copy(account).token == "hidden"

    assert seen == []
