"""The demo site: a jazz club with its musicians, records, concerts and members.

A package as the docs describe it: `app.py` makes the app, the modules that need it
import it, and this file imports them.
"""

from . import api, pages, seed
from .app import app
from .concerts import concerts

app.register(concerts, prefix="/concerts")

__all__ = ["api", "app", "pages", "seed"]
