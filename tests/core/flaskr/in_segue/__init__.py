"""A blog with users."""

import os

from segue import App


def create_app(test_config=None):
    """Make the application; a test brings its own configuration."""
    app = App(__name__)
    app.config.from_mapping(
        SECRET_KEY="dev",
        SQLITE_FILE=os.path.join(app.root_path, "flaskr.sqlite"),
    )

    if test_config is None:
        app.config.from_pyfile("config.py", silent=True)
    else:
        app.config.from_mapping(test_config)

    @app.route("/hello")
    def hello():
        return "Hello, World!"

    from . import auth, blog, db

    db.init_app(app)
    app.register_blueprint(auth.bp)
    app.register_blueprint(blog.bp)

    return app
