"""`User`: the user model of a site that has none of its own."""

from __future__ import annotations

from .users import AbstractUser

__all__ = ["User"]


class User(AbstractUser):
    """A user of a site without a user model of its own."""

    class Meta:
        app_label = "auth"
