"""One text of an operation, in two colours."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from segue.colours import Operation, either, pair, twin_of


def _halve(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


async def _ahalve(number: int) -> int:
    await asyncio.sleep(0)
    return _halve(number)


def _quarter(number: int) -> Operation[int]:
    """Return a quarter of *number*, or -1."""
    try:
        half = yield from either(_halve, _ahalve, number)
        return (yield from either(_halve, _ahalve, number=half))
    except ValueError:
        return -1


quarter, aquarter = pair(_quarter)


@pytest.mark.parametrize(("number", "result"), [(8, 2), (6, -1), (7, -1)])
def test_both_colours_do_the_same_and_see_the_errors_of_their_steps(number: int, result: int) -> None:
    assert quarter(number) == result
    assert asyncio.run(aquarter(number)) == result


def test_both_have_the_names_the_signature_and_the_words_of_the_operation() -> None:
    assert (quarter.__name__, aquarter.__name__) == ("quarter", "aquarter")
    assert list(inspect.signature(quarter).parameters) == ["number"]
    assert quarter.__doc__ == aquarter.__doc__ == _quarter.__doc__


def test_the_async_one_is_the_twin_of_the_other() -> None:
    assert twin_of(quarter) is aquarter
    assert twin_of(_halve) is None


def test_an_error_that_nobody_takes_comes_out() -> None:
    def _fail(number: int) -> Operation[int]:
        return (yield from either(_halve, _ahalve, number))

    fail, afail = pair(_fail)

    with pytest.raises(ValueError, match="3 is odd"):
        fail(3)
    with pytest.raises(ValueError, match="3 is odd"):
        asyncio.run(afail(3))
