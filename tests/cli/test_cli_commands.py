from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from segue import App
from segue.cli.commands.explain import page_folders
from segue.cli.commands.shell import AwaitingConsole, names_for
from segue.clock import moved

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Project = Callable[..., Path]
Command = Callable[..., Result]

APP = "from segue import App, Blueprint, Finding\napp = App(__name__)\n"
ROUTES = APP + (
    "@app.get('/')\n"
    "def index(): return ''\n"
    "@app.route('/edit/<int:pk>', methods=['GET', 'POST'])\n"
    "def edit(pk: int): return ''\n"
)


MODELS = (
    "from segue import App, db\napp = App(__name__, database='sqlite:///club.db')\n"
    "class Musician(db.Model):\n    name = db.CharField(max_length=100)\n"
    "if __name__ == '__main__':\n    app.db.create_all(Musician)\n"
)
# No other shell is there, whatever is installed.
PLAIN = (
    "import sys\nsys.modules |= dict.fromkeys(['IPython', 'ptpython', 'bpython'])\nfrom segue.cli import main\nmain()"
)


def shell(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run *source* by `segue shell -c`, in a process of its own, on tables that were made."""
    subprocess.run([sys.executable, "app.py"], cwd=folder, check=True)
    call = [sys.executable, "-X", "dev", "-c", PLAIN, "shell", "-c", source, *options]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


# routes


def test_routes_show_rule_methods_endpoint_and_place(project: Project, command: Command) -> None:
    project(app=ROUTES)

    lines = command("routes").stdout.splitlines()

    assert lines[0].split() == ["Rule", "Methods", "Endpoint", "Place", "Access"]
    assert lines[1].split() == ["/", "GET", "index", "app.py:3", "open"]
    assert lines[2].split() == ["/edit/<int:pk>", "GET", "POST", "edit", "app.py:5", "open"]


def test_routes_as_json_can_be_read_by_programs(project: Project, command: Command) -> None:
    project(app=ROUTES)

    found = json.loads(command("routes", "--json").stdout)

    assert [each["rule"] for each in found] == ["/", "/edit/<int:pk>"]
    assert found[1]["methods"] == ["GET", "POST"]


def test_routes_name_the_guards_of_a_route(project: Project, command: Command) -> None:
    project(
        app=APP + "blog = Blueprint('blog', __name__, prefix='/blog')\n"
        "@blog.guard\ndef members_only(request): return None\n"
        "@blog.get('/')\ndef index(): return ''\n"
        "app.register(blog)\n"
    )

    assert json.loads(command("routes", "--json").stdout)[0]["access"] == ["members_only"]


def test_routes_of_one_endpoint_suggest_the_nearest(project: Project, command: Command) -> None:
    project(app=ROUTES)

    assert "/edit/" not in command("routes", "index").stdout
    assert "Did you mean index?" in command("routes", "indx").stderr


# config


def test_config_explain_says_value_source_and_what_it_overrode(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(app=APP)
    monkeypatch.setenv("PORT", "9000")

    text = command("config", "explain", "port").stdout

    assert "PORT = 9000 (int)" in text
    assert "variable PORT" in text
    assert "overrode  8000 from default" in text


def test_config_explain_masks_secrets(project: Project, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    project(app=APP)
    monkeypatch.setenv("SECRET_KEY", "not-to-be-shown")

    shown = command("config", "explain", "SECRET_KEY").stdout + command("config", "show").stdout

    assert "not-to-be-shown" not in shown


def test_config_explain_of_an_unknown_key_suggests_one(project: Project, command: Command) -> None:
    project(app=APP)

    done = command("config", "explain", "PROT")

    assert done.exit_code == 1
    assert "Did you mean PORT" in done.stderr


def test_config_show_can_leave_out_the_defaults(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(app=APP)
    monkeypatch.setenv("SEGUE_MAX_FILES", "7")

    found = json.loads(command("config", "show", "--changed", "--json").stdout)

    assert [each["key"] for each in found] == ["MAX_FILES"]


def test_config_diff_lists_what_differs(project: Project, command: Command) -> None:
    project(app=APP, dev="PORT = 1\nDEBUG = True\n", prod="PORT = 2\nDEBUG = True\n")

    found = json.loads(command("config", "diff", "dev", "prod", "--json").stdout)

    assert found == {"PORT": {"dev": 1, "prod": 2}}


# check


def test_check_of_a_sound_app_finds_nothing(project: Project, command: Command) -> None:
    project(app=ROUTES)

    done = command("check")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Nothing found.\n")


def test_check_ends_with_1_at_an_error_and_lists_errors_first(project: Project, command: Command) -> None:
    project(
        app=APP + "@app.check\ndef shop():\n"
        "    yield Finding('shop.W1', 'warning', 'small')\n"
        "    yield Finding('shop.E1', 'error', 'large', hint='Mend it.')\n"
    )

    done = command("check", "--json")

    assert done.exit_code == 1
    assert [each["id"] for each in json.loads(done.stdout)] == ["shop.E1", "shop.W1"]


def test_a_warning_does_not_fail_the_check(project: Project, command: Command) -> None:
    project(app=APP + "@app.check\ndef shop(app):\n    yield Finding('shop.W1', 'warning', app.name)\n")

    done = command("check")

    assert done.exit_code == 0
    assert "warning [shop.W1] app" in done.stdout


def test_an_app_that_does_not_compile_is_a_finding(project: Project, command: Command) -> None:
    project(app=APP + "@app.get('/<unknown:pk>')\ndef show(pk): return ''\n")

    done = command("check")

    assert done.exit_code == 1
    assert "error [routing/" in done.stdout


def test_a_misspelt_key_is_a_finding(project: Project, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    project(app=APP)
    monkeypatch.setenv("SEGUE_DEBUGG", "1")

    done = command("check")

    assert done.exit_code == 1
    assert "config.E001" in done.stdout


def test_an_error_of_a_declaration_says_the_line(project: Project, command: Command) -> None:
    project(
        app="from segue import App, db\napp = App(__name__)\nclass Record(db.Model):\n"
        "    title = db.CharField(max_lenght=50)\n"
    )

    done = command("check")

    assert "CharField takes no `max_lenght`" in done.stderr
    assert "app.py:4" in done.stderr


def test_check_tells_every_fault_of_every_model(project: Project, command: Command) -> None:
    project(
        app="from segue import App, db\n"
        "class Musician(db.Model):\n    tags = db.JSONField(default={})\n"
        "class Record(db.Model):\n    year = db.IntegerField()\n"
        "    class Meta:\n        ordering = ['-yaer']\n        get_latest_by = 'yeer'\n"
        "app = App(__name__, database='sqlite:///club.db')\n"
    )

    done = command("check", "--json")

    assert [each["id"] for each in json.loads(done.stdout)] == ["models.E006", "models.E007", "models.W016"]
    assert done.exit_code == 1


def test_check_deploy_demands_what_production_needs(project: Project, command: Command) -> None:
    project(app=APP)

    assert command("check").exit_code == 0
    assert "security/no-hosts" in command("check", "--deploy").stdout


@pytest.mark.parametrize("body", ["raise KeyError('x')", "return ['text']"])
def test_a_check_that_fails_is_named(project: Project, command: Command, body: str) -> None:
    project(app=APP + f"@app.check\ndef shop(): {body}\n")

    done = command("check")

    assert done.exit_code == 1
    assert "cli/check-failed" in done.stdout
    assert "shop()" in done.stdout


# shell


def test_shell_c_awaits_at_the_top_level(project: Project, command: Command) -> None:
    project(app=APP)

    done = command("shell", "-c", "import asyncio\nawait asyncio.sleep(0, result=6 * 7)")

    assert done.stdout == "42\n"


def test_shell_c_keeps_one_loop_for_all_its_lines(project: Project, command: Command) -> None:
    project(app=APP)
    source = (
        "import asyncio\n"
        "async def loop(): return asyncio.get_running_loop()\n"
        "first = await loop()\n"
        "await loop() is first"
    )

    done = command("shell", "-c", source)

    assert done.stdout == "True\n"


@pytest.mark.slow
def test_shell_c_has_the_models_and_awaits_them_without_any_other_shell(project: Project) -> None:
    done = shell(project(app=MODELS), "await Musician.objects.acount()")

    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.slow
def test_shell_c_waits_for_the_database_in_a_statement_that_does_not_await(project: Project) -> None:
    source = (
        "Musician.objects.create(name='Nina')\nawait Musician.objects.acreate(name='Ella')\nMusician.objects.count()"
    )

    assert shell(project(app=MODELS), source).stdout == "2\n"


@pytest.mark.slow
def test_shell_prints_each_statement_with_its_milliseconds(project: Project) -> None:
    done = shell(project(app=MODELS), "Musician.objects.count()\nawait Musician.objects.filter(name='Nina')", "--sql")

    first, second = done.stderr.splitlines()
    assert re.fullmatch(r"\d+\.\d\d ms  SELECT count\(\*\) .*", first)
    assert re.fullmatch(r"\d+\.\d\d ms  SELECT musician\.id.* \('Nina',.*\)", second)


def test_shell_of_an_app_without_a_database_has_no_models(app: App) -> None:
    assert set(names_for(app)) == {"app", "config"}


def test_shell_c_runs_in_the_apps_context(project: Project, command: Command) -> None:
    project(app=APP)

    assert command("shell", "-c", "from segue import current_app\ncurrent_app() is app").stdout == "True\n"


def test_an_error_in_shell_c_shows_only_its_own_lines(project: Project, command: Command) -> None:
    project(app=APP)

    done = command("shell", "-c", "x = 1\nx / 0")

    assert done.exit_code == 1
    assert 'File "<shell>", line 2' in done.stderr
    assert "segue" not in done.stderr


def test_shell_executes_what_a_pipe_gives(project: Project, command: Command) -> None:
    project(app=APP)

    assert command("shell", input="1 + 1\n").stdout == "2\n"


def test_shell_context_processors_add_names(app: App) -> None:
    app.shell_context_processor(lambda: {"answer": 42})

    assert names_for(app)["answer"] == 42


def test_the_plain_console_awaits_at_its_prompt() -> None:
    import asyncio

    names: dict[str, object] = {}
    with asyncio.Runner() as runner:
        console = AwaitingConsole(names, runner)
        console.push("import asyncio")
        console.push("x = await asyncio.sleep(0, result=5)")

    assert names["x"] == 5


# explain


def test_explain_prints_the_page_of_a_code(command: Command) -> None:
    done = command("explain", "[cli/no-app]")

    assert done.stdout.startswith("# cli/no-app")


def test_explain_lists_the_codes(command: Command) -> None:
    assert "cli/no-app" in command("explain").stdout.splitlines()


@pytest.mark.parametrize("code", ["cli/no-ap", "../../pyproject", "cli/../cli/no-app"])
def test_explain_of_an_unknown_code_reads_no_other_file(command: Command, code: str) -> None:
    done = command("explain", code)

    assert done.exit_code == 1
    assert done.stdout == ""


def test_the_pages_are_found() -> None:
    assert page_folders()


# graph


def test_graph_draws_blueprints_and_what_they_require(project: Project, command: Command) -> None:
    project(
        app=APP + "app.register(Blueprint('auth', __name__))\n"
        "app.register(Blueprint('blog', __name__, prefix='/blog', requires=['auth']))\n"
    )

    lines = command("graph").stdout.splitlines()

    assert lines[0] == "flowchart LR"
    assert '    n2["blog /blog: 0 routes"]' in lines
    assert "    n0 --> n2" in lines
    assert "    n2 -. requires .-> n1" in lines
    assert "n2 -> n1 [style=dashed" in command("graph", "--format", "dot").stdout


@pytest.mark.slow
def test_graph_has_every_foreign_key_of_the_sample() -> None:
    call = [sys.executable, "-m", "segue", "--app", "club", "graph"]
    done = subprocess.run(call, cwd=EXAMPLES, capture_output=True, text=True, check=False)

    labels = dict(re.findall(r"^    (n\d+)\(\[\"club\.(\w+)\"\]\)$", done.stdout, re.MULTILINE))
    keys = re.findall(r"^    (n\d+) -- \"(\w+)\" --> (n\d+)$", done.stdout, re.MULTILINE)
    assert {(labels[begin], name, labels[end]) for begin, name, end in keys} == {
        ("Record", "leader", "Musician"),
        ("Concert_musicians", "concert", "Concert"),
        ("Concert_musicians", "musician", "Musician"),
        ("Reservation", "concert", "Concert"),
        ("Reservation", "member", "Member"),
    }


def test_graph_has_foreign_keys_of_several_columns(project: Project, command: Command) -> None:
    project(
        app="from segue import App, db\napp = App(__name__, database='sqlite:///club.db')\n"
        "class Band(db.Model):\n    town = db.CharField(max_length=9)\n    number = db.IntegerField()\n"
        "    pk = db.CompositePrimaryKey('town', 'number')\n"
        "class Record(db.Model):\n    band = db.ForeignKey(Band, on_delete=db.CASCADE)\n"
    )

    assert '-- "band" -->' in command("graph").stdout


def test_graph_draws_the_same_keys_for_graphviz(project: Project, command: Command) -> None:
    project(app=MODELS + "class Record(db.Model):\n    leader = db.ForeignKey(Musician, on_delete=db.CASCADE)\n")

    shown = command("graph", "--format", "dot").stdout

    number = {
        name: node for node, name in re.findall(r'^ +(n\d+) \[label="(\w+)", style=rounded\];$', shown, re.MULTILINE)
    }
    assert f'    {number["Record"]} -> {number["Musician"]} [label="leader"];' in shown.splitlines()


# commands


def test_commands_lists_those_of_the_app(project: Project, command: Command) -> None:
    project(app=APP + "@app.command\ndef greet():\n    'Say hello.'\n")

    found = json.loads(command("commands", "--json").stdout)

    assert {"name": "greet", "summary": "Say hello.", "from": "app"} in found


def test_commands_of_a_broken_project_are_the_built_ins_and_the_last_line(project: Project, command: Command) -> None:
    project(app="raise RuntimeError('no')\n")

    done = command("commands")

    assert done.exit_code == 0
    assert "routes" in done.stdout
    assert "RuntimeError: no" in done.stderr


def test_a_command_hidden_by_a_built_in_is_a_warning(project: Project, command: Command) -> None:
    project(app=APP + "@app.command\ndef run(): ...\n")

    assert "'run' is hidden" in command("commands").stderr


# entry


@pytest.mark.parametrize(("file", "line"), [("wsgi.py", "application = app.wsgi"), ("asgi.py", "application = app")])
def test_entry_writes_a_file_that_loads_the_app(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch, file: str, line: str
) -> None:
    monkeypatch.setenv("SEGUE_SITE_URL", "https://www.example.com")
    folder = project(site_four="from segue import App\ndef create_app(): return App(__name__)\n", late="PORT = 5\n")

    done = command("--app", "site_four", "--config", "late", "entry", file)
    source = (folder / file).read_text()
    names: dict[str, object] = {}
    exec(source, names)

    assert done.exit_code == 0
    assert line in source.splitlines()
    assert isinstance(names["app"], App)
    assert names["app"].config["PORT"] == 5


def test_entry_overwrites_nothing_unless_forced(project: Project, command: Command) -> None:
    folder = project({"asgi.py": "mine = 1\n"}, app=APP)

    refused = command("entry", "asgi.py")
    kept = (folder / "asgi.py").read_text()
    forced = command("entry", "asgi.py", "--force")

    assert (refused.exit_code, kept, forced.exit_code) == (1, "mine = 1\n", 0)
    assert "cli/file-exists" in refused.stderr


def test_entry_does_not_overwrite_the_app_itself(project: Project, command: Command) -> None:
    project(wsgi=APP)

    assert "holds the app itself" in command("entry", "wsgi.py", "--force").stderr


# test


@pytest.mark.slow
def test_test_runs_pytest_with_its_arguments(project: Project) -> None:
    import subprocess

    folder = project(
        test_it="import os\ndef test_a(): assert os.environ['SEGUE_APP'] == 'site'\ndef test_b(): assert 0\n"
    )
    words = [sys.executable, "-m", "segue", "--app", "site", "test", "-q", "-p", "no:cacheprovider", "-k"]

    good = subprocess.run([*words, "test_a"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    bad = subprocess.run([*words, "test_b"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)

    assert (good.returncode, bad.returncode) == (0, 1)
    assert "1 passed" in good.stdout


def test_the_configuration_that_commands_show_is_that_of_dotenv(project: Project, command: Command) -> None:
    project({".env": "SEGUE_PORT=1234\n"}, app=APP)

    assert json.loads(command("config", "explain", "PORT", "--json").stdout)["source"] == ".env:1"


def test_a_short_key_in_dotenv_is_no_mistake(project: Project, command: Command) -> None:
    project({".env": "SECRET_KEY=short\n"}, app=APP)

    answer = command("check")

    assert (answer.exit_code, answer.stdout) == (0, "")


def test_a_check_for_deployment_does_not_read_dotenv(project: Project, command: Command) -> None:
    project({".env": "SEGUE_SITE_URL=https://www.example.com\n"}, app=APP)

    assert "security/no-hosts" in command("check", "--deploy").stdout


SESSIONS = """\
from segue import App, Session

app = App(__name__, database="sqlite:///club.db", config={"SESSION_STORE": "database"})

@app.get("/")
def index(session: Session):
    session["x"] = 1
    return "x"

@app.command
def visit():
    app.db.create_all()
    app.test_client().get("/")
"""


def test_ended_sessions_are_cleared_away(project: Project, command: Command) -> None:
    project(app=SESSIONS)
    command("visit")

    before = command("clearsessions").output
    with moved(15 * 86400):
        after = command("clearsessions").output

    assert (before, after) == ("0 sessions were removed.\n", "1 session was removed.\n")


def test_sessions_in_cookies_need_no_clearing(project: Project, command: Command) -> None:
    project(app='from segue import App\napp = App(__name__, config={"SECRET_KEY": "5e1a0c9de4f2c0d7c1b4e14c3f9a3b7d"})')

    assert "nothing to clear" in command("clearsessions").output
