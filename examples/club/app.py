"""The app itself; a leaf that every other module may import."""

from segue import App

app = App(
    __name__,
    database="sqlite:///club.db",
    config={"ALLOWED_HOSTS": ["localhost", "127.0.0.1"], "MAIL_FROM": "The Segue Room <door@segue-room.example>"},
)
