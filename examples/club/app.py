"""The app itself; a leaf that every other module may import."""

from segue import App

app = App(__name__, config={"ALLOWED_HOSTS": ["localhost", "127.0.0.1"]})
