"""Who visits: registration, login and logout."""

import functools

from werkzeug.security import check_password_hash, generate_password_hash

from segue import Blueprint, flash, redirect, render_template, url_for
from segue.context import current

from .db import get_db

bp = Blueprint("auth", __name__, prefix="/auth")


def login_required(view):
    """Send visitors who are not logged in to the login page."""

    @functools.wraps(view)
    def wrapped_view(**kwargs):
        if current().state.user is None:
            return redirect(url_for("auth.login"))

        return view(**kwargs)

    return wrapped_view


@bp.before_app_request
def load_logged_in_user(request):
    """Find the user of the session."""
    user_id = request.session.get("user_id")

    if user_id is None:
        request.state.user = None
    else:
        request.state.user = get_db().execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()


@bp.route("/register", methods=("GET", "POST"))
def register(request):
    """Make a new user."""
    if request.method == "POST":
        username = request.form["username"]
        password = request.form["password"]
        db = get_db()
        error = None

        if not username:
            error = "Username is required."
        elif not password:
            error = "Password is required."

        if error is None:
            try:
                db.execute(
                    "INSERT INTO user (username, password) VALUES (?, ?)",
                    (username, generate_password_hash(password)),
                )
                db.commit()
            except db.IntegrityError:
                error = f"User {username} is already registered."
            else:
                return redirect(url_for("auth.login"))

        flash(error)

    return render_template("auth/register.html")


@bp.route("/login", methods=("GET", "POST"))
def login(request):
    """Log a user in who knows the password."""
    if request.method == "POST":
        username = request.form["username"]
        password = request.form["password"]
        db = get_db()
        error = None
        user = db.execute("SELECT * FROM user WHERE username = ?", (username,)).fetchone()

        if user is None:
            error = "Incorrect username."
        elif not check_password_hash(user["password"], password):
            error = "Incorrect password."

        if error is None:
            request.session.clear()
            request.session["user_id"] = user["id"]
            return redirect(url_for("blog.index"))

        flash(error)

    return render_template("auth/login.html")


@bp.route("/logout")
def logout(session):
    """Forget who visits."""
    session.clear()
    return redirect(url_for("blog.index"))
