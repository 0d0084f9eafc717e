"""Accounts elsewhere, and whose they are here."""

from __future__ import annotations

from ... import clock, db

__all__ = ["SocialAccount"]


class SocialAccount(db.Model):
    """One account that somebody has with a provider.

    Attributes:
        owner: The user's key.
        subject: The provider's key.
        label: What the page of connections shows: the address there.
    """

    owner = db.CharField(max_length=64, db_index=True)
    provider = db.CharField(max_length=30)
    subject = db.CharField(max_length=255)
    label = db.CharField(max_length=254, blank=True, default="")
    connected_at = db.DateTimeField(default=clock.today, editable=False)

    class Meta:
        app_label = "auth"
        verbose_name = "social account"
        constraints = (db.UniqueConstraint("provider", "subject", name="auth_social_account_subject"),)

    def __str__(self) -> str:
        return f"{self.provider} account of {self.owner}"
