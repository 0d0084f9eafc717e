"""Another user model on a later day, by the commands of a project: who is logged in stays so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

APP = """
from segue import App, Request, db
from segue.auth import AbstractUser, Auth, User, login

app = App(__name__, database="sqlite:///club.db", config={"SECRET_KEY": "5e1a0c9de4f2c0d7c1b4e14c3f9a3b7d"})


class Post(db.Model):
    author = db.ForeignKey(User, on_delete=db.CASCADE)


@app.post("/enter")
def enter(request: Request):
    user = User.objects.create_user("bob@example.org", password="kayak lantern")
    Post.objects.create(author=user)
    login(request, user)
    return "in"


@app.get("/me")
def me(user):
    return f"{user} wrote {Post.objects.filter(author=user.pk).count()}"


app.register(Auth(user=User), prefix="/accounts")
"""
MEMBER = """

class Member(AbstractUser):
    instrument = db.CharField(max_length=50, default="harp")


class Post"""
LATER = APP.replace(", User, login", ", login").replace("\n\nclass Post", MEMBER).replace("User", "Member")
LATER = LATER.replace("AbstractMember", "AbstractUser")


ENTER = """
from app import app

with app.test_client() as client:
    client.post("/enter")
    print("; ".join(f"{name}={value}" for name, value in dict(client.cookies).items()))
"""
ASK = """
import sys

from app import app

with app.test_client() as client:
    print(client.get("/me", headers={"cookie": sys.argv[1]}).text)
"""


@pytest.mark.parametrize("answer", ["auth.user:member", "auth.user:Member"])
def test_sessions_and_references_survive_another_user_model(tmp_path: Path, answer: str) -> None:
    def python(*words: str) -> str:
        done = subprocess.run([sys.executable, "-B", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    (tmp_path / "app.py").write_text(APP)
    python("-m", "segue", "makemigrations")
    python("-m", "segue", "migrate")
    cookie = python("-c", ENTER)

    (tmp_path / "app.py").write_text(LATER)
    python("-m", "segue", "makemigrations", "--rename", answer)
    python("-m", "segue", "migrate")

    assert python("-c", ASK, cookie) == "bob@example.org wrote 1"
