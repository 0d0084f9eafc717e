"""The demo site: a jazz club with its musicians, records, concerts and members.

A package as the docs describe it: `app.py` makes the app, the modules that need it
import it, and this file imports them.
"""

from segue.auth import Auth

from . import api, members, pages, seed
from .app import app
from .concerts import concerts
from .models import Member

app.register(concerts, prefix="/concerts")
app.register(Auth(user=Member), prefix="/accounts")

__all__ = ["api", "app", "members", "pages", "seed"]
