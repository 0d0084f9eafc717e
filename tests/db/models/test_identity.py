"""A model's label and table follow from its package, and stay when the class moves."""

from __future__ import annotations

import gc
import importlib
import secrets
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from segue import db
from segue.db.models.checks import check_models
from segue.db.registry import registry_of_package
from segue.errors import SetupError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write files of a package of its own name, and import its modules."""
    name = f"site_{secrets.token_hex(4)}"
    monkeypatch.syspath_prepend(tmp_path)

    def write(**files: str) -> Any:
        for path, text in files.items():
            file = tmp_path / name / f"{path if '/' in path else path.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            for folder in [file.parent, *file.parent.parents]:
                if folder == tmp_path:
                    break
                (folder / "__init__.py").touch()
            file.write_text(f"from segue import db\n{text}")
        importlib.invalidate_caches()
        return lambda module: importlib.import_module(f"{name}.{module}" if module else name)

    write.name = name  # type: ignore[attr-defined]
    yield write
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


RECORD = "class Record(db.Model):\n    title = db.CharField(max_length=9)\n"
MUSICIAN = "class Musician(db.Model):\n    name = db.CharField(max_length=9)\n"


def test_the_label_is_the_package_that_holds_the_module(package: Any) -> None:
    load = package(core__models=MUSICIAN)

    options = load("core.models").Musician._meta

    assert (options.label, options.db_table) == ("core.Musician", "core_musician")


def test_a_module_of_models_may_become_a_package(package: Any) -> None:
    load = package(
        **{"core/models/__init__": "from .people import Musician\n" + RECORD, "core/models/people": MUSICIAN}
    )

    module = load("core.models")

    assert (module.Musician._meta.db_table, module.Record._meta.label) == ("core_musician", "core.Record")


def test_a_one_file_app_has_no_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"single_{secrets.token_hex(4)}"
    (tmp_path / f"{name}.py").write_text(f"from segue import db\n{MUSICIAN}")
    monkeypatch.syspath_prepend(tmp_path)

    options = importlib.import_module(name).Musician._meta

    assert (options.app_label, options.label, options.db_table) == ("", "Musician", "musician")


def test_a_class_that_moves_keeps_its_table_where_its_label_is_kept(package: Any) -> None:
    kept = MUSICIAN + "    class Meta:\n        app_label = 'core'\n"
    load = package(core__models=MUSICIAN, people__artists=kept)

    before, after = load("core.models").Musician, load("people.artists").Musician

    assert (after._meta.label, after._meta.db_table) == (before._meta.label, before._meta.db_table)
    assert [field.deconstruct() for field in after._meta.fields] == [
        field.deconstruct() for field in before._meta.fields
    ]


def test_relations_by_name_are_found_whatever_is_imported_first(package: Any) -> None:
    record = (
        "class Record(db.Model):\n"
        "    leader = db.ForeignKey('Musician', on_delete=db.CASCADE, related_name='records')\n"
    )
    review = "class Review(db.Model):\n    record = db.ForeignKey('music.Record', on_delete=db.CASCADE)\n"
    load = package(music__records=record, music__people=MUSICIAN, press__models=review)

    review_model = load("press.models").Review
    record_model = load("music.records").Record
    assert [finding.id for finding in check_models([record_model])] == ["models.E005"]
    musician = load("music.people").Musician

    assert record_model._meta.get_field("leader").target is musician
    assert review_model._meta.get_field("record").target is record_model
    assert "records" in musician._meta.reverse
    assert check_models([record_model, musician, review_model]) == []


def test_a_name_that_two_labels_have_is_that_of_ones_own(package: Any) -> None:
    tag = "class Tag(db.Model):\n    pass\n"
    post = "class Post(db.Model):\n    tag = db.ForeignKey('Tag', on_delete=db.CASCADE)\n"
    load = package(blog__models=tag + post, shop__models=tag, news__models=post)

    blog, shop, news = load("blog.models"), load("shop.models"), load("news.models")

    assert blog.Post._meta.get_field("tag").target is blog.Tag
    assert shop.Tag is not blog.Tag
    with pytest.raises(SetupError) as caught:
        _ = news.Post._meta.get_field("tag").target
    assert caught.value.code == "data/unknown-model"


def test_an_unknown_model_is_named_with_the_nearest(package: Any) -> None:
    load = package(
        core__models=MUSICIAN + "class R(db.Model):\n    m = db.ForeignKey('Musicain', on_delete=db.CASCADE)\n"
    )

    with pytest.raises(SetupError) as caught:
        _ = load("core.models").R._meta.get_field("m").target

    assert "Musician" in caught.value.hint


def test_a_module_that_is_loaded_again_replaces_its_models(package: Any) -> None:
    load = package(core__models=MUSICIAN)
    first = load("core.models")

    second = importlib.reload(first)

    registry = registry_of_package(package.name)
    assert list(registry) == [second.Musician]
    assert registry.conflicts == []


def test_models_of_a_function_do_not_meet(package: Any) -> None:
    def make() -> Any:
        class Local(db.Model):
            parent = db.ForeignKey("Local", on_delete=db.CASCADE, null=True)

        return Local

    first, second = make(), make()

    assert second._meta.get_field("parent").target is second
    assert first is not second


def test_defining_a_model_opens_no_connection_and_builds_no_table() -> None:
    script = (
        "from segue import db\n"
        "class Record(db.Model):\n"
        "    title = db.CharField(max_length=9)\n"
        "    parent = db.ForeignKey('self', on_delete=db.CASCADE, null=True)\n"
        "    class Meta:\n"
        "        constraints = [db.CheckConstraint(condition=db.Q(title='x'), name='c')]\n"
        "import sys\n"
        "assert Record._meta._table is None\n"
        "assert not {'sqlite3', 'psycopg', 'pymysql'} & set(sys.modules), 'a driver was loaded'\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_needs_no_web_app(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from segue import db\n"
        "\n"
        "database = db.connect('sqlite:///club.db')\n"
        "class Musician(db.Model):\n"
        "    name = db.CharField(max_length=100)\n"
        "database.create_all(Musician)\n"
        "Musician.objects.create(name='Nina')\n"
        "print(Musician.objects.get(name__startswith='N').name, Musician.objects.count())\n"
        "for name in ('http', 'app', 'routing', 'handling', 'protocols', 'templating'):\n"
        "    assert f'segue.{name}' not in sys.modules, name\n"
        "db.disconnect()\n"
    )

    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("Nina 1\n", "")
    assert len(script.read_text().splitlines()) == 12


def test_instances_of_a_query_do_not_keep_each_other_alive(database: db.Database, tables: Any) -> None:
    class Record(db.Model):
        title = db.CharField(max_length=9)

    tables(Record)
    Record.objects.bulk_create([Record(title=str(number)) for number in range(5)])

    records = list(Record.objects.all())
    watched = [weakref.ref(record) for record in records[1:]]
    first = records[0]
    del records
    gc.collect()

    assert [each() for each in watched] == [None] * 4
    assert first.title == "0"
