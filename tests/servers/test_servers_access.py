from __future__ import annotations

import logging
import logging.config
from typing import Any

import pytest

from segue.servers.access import AccessFormatter, OwnHandler, PlainFormatter, escaped, logging_config, masked_query


def line(**facts: Any) -> str:
    values = {"addr": "10.0.0.1", "method": "GET", "path": "/", "query_string": "", "status": 200, "dt_ms": 1.25}
    record = logging.LogRecord("granian.access", logging.INFO, "", 0, "%(path)s", ({**values, **facts},), None)
    return AccessFormatter().format(record)


def test_a_request_is_one_line_with_milliseconds() -> None:
    assert line(path="/a", query_string="page=2", dt_ms=12.345).endswith(" GET /a?page=2 200 12.3 ms 10.0.0.1")


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\x00", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\ud800"])
@pytest.mark.parametrize("field", ["path", "query_string", "method", "addr"])
def test_no_field_of_a_request_writes_a_control_character(field: str, sign: str) -> None:
    written = line(**{field: f"/a{sign}b"})

    assert sign not in written
    assert len(written.splitlines()) == 1
    assert written.encode()


def test_percent_signs_of_a_path_are_no_format() -> None:
    assert "/100%s%(x)s" in line(path="/100%s%(x)s")


def test_values_of_sensitive_names_are_masked_in_a_query() -> None:
    assert masked_query("q=jazz&token=abc&api_key=d&key=&flag") == "q=jazz&token=***&api_key=***&key=&flag"


def test_a_name_hidden_by_percent_encoding_is_masked() -> None:
    assert masked_query("%74oken=abc") == "%74oken=***"


def test_ordinary_text_stays_as_it_is() -> None:
    assert escaped("Überblick – 日本語 🎷") == "Überblick – 日本語 🎷"


def test_the_status_is_coloured_where_colours_are_wanted() -> None:
    facts = {"addr": "-", "method": "GET", "path": "/", "query_string": "", "status": 404, "dt_ms": 1.0}
    record = logging.LogRecord("granian.access", logging.INFO, "", 0, "", (facts,), None)

    assert "\x1b[33m404\x1b[0m" in AccessFormatter(colours=True).format(record)


def test_a_message_is_one_line_and_a_traceback_follows_it() -> None:
    try:
        raise ValueError("deep")
    except ValueError as error:
        record = logging.LogRecord("segue.app", logging.ERROR, "", 0, "bad\nFAKE ok", (), (type(error), error, None))

    lines = PlainFormatter().format(record).splitlines()

    assert lines[0].endswith("ERROR segue.app: bad\\nFAKE ok")
    assert lines[-1] == "ValueError: deep"


def test_segues_handler_is_quiet_where_the_app_configured_logging(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("segue.app", logging.ERROR, "", 0, "hello", (), None)
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        OwnHandler().emit(record)
        root.handlers = [logging.NullHandler()]
        OwnHandler().emit(record)
    finally:
        root.handlers = kept

    assert capsys.readouterr().err == "hello\n"


def test_the_configuration_is_one_that_logging_takes() -> None:
    config = logging_config(level="INFO", colours=False)

    assert logging.config.DictConfigurator(config).config["loggers"]["segue"]["level"] == "INFO"
