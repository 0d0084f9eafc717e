"""The posts."""

from segue import Blueprint, abort, flash, redirect, render_template, url_for
from segue.context import current

from .auth import login_required
from .db import get_db

bp = Blueprint("blog", __name__)

POSTS = (
    "SELECT post.id, title, body, created, author_id, username"
    " FROM post JOIN user ON user.id = post.author_id"
)  # fmt: skip


@bp.route("/")
def index():
    """Show all posts, the newest first."""
    db = get_db()
    posts = db.execute(f"{POSTS} ORDER BY created DESC, post.id DESC").fetchall()
    return render_template("blog/index.html", posts=posts)


def get_post(id, check_author=True):
    """Return a post: 404 where there is none, 403 where it is somebody else's."""
    post = get_db().execute(f"{POSTS} WHERE post.id = ?", (id,)).fetchone()

    if post is None:
        abort(404, f"There is no post {id}.")

    if check_author and post["author_id"] != current().state.user["id"]:
        abort(403)

    return post


@bp.route("/create", methods=("GET", "POST"))
@login_required
def create(request):
    """Write a new post."""
    if request.method == "POST":
        title = request.form["title"]
        body = request.form["body"]
        error = None

        if not title:
            error = "Title is required."

        if error is not None:
            flash(error)
        else:
            db = get_db()
            db.execute(
                "INSERT INTO post (title, body, author_id) VALUES (?, ?, ?)",
                (title, body, request.state.user["id"]),
            )
            db.commit()
            return redirect(url_for("blog.index"))

    return render_template("blog/create.html")


@bp.route("/<int:id>/update", methods=("GET", "POST"))
@login_required
def update(request, id):
    """Change a post of one's own."""
    post = get_post(id)

    if request.method == "POST":
        title = request.form["title"]
        body = request.form["body"]
        error = None

        if not title:
            error = "Title is required."

        if error is not None:
            flash(error)
        else:
            db = get_db()
            db.execute("UPDATE post SET title = ?, body = ? WHERE id = ?", (title, body, id))
            db.commit()
            return redirect(url_for("blog.index"))

    return render_template("blog/update.html", post=post)


@bp.route("/<int:id>/delete", methods=("POST",))
@login_required
def delete(id):
    """Delete a post of one's own."""
    get_post(id)
    db = get_db()
    db.execute("DELETE FROM post WHERE id = ?", (id,))
    db.commit()
    return redirect(url_for("blog.index"))
