"""What staff writes into tables: redirects and flat pages."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup, escape

from .. import db
from ..errors import Fault, ValidationError
from ..http.redirects import BadRedirect, check_redirect_target

__all__ = ["MAX_PATH", "FlatPage", "Redirect"]

# As long as MySQL's index of a unique text may be, with room for four bytes a character.
MAX_PATH = 500


class Redirect(db.Model):
    """Where a path of former times leads.

    Attributes:
        old_path: A path, with its query if that matters: `/old?page=2`.
        new_path: A path or an address; empty says that it is gone for good (410).
        is_permanent: Whether browsers and search engines may remember it.
    """

    old_path = db.CharField(max_length=MAX_PATH, unique=True)
    new_path = db.CharField(max_length=2000, blank=True, default="")
    is_permanent = db.BooleanField(default=True)

    class Meta:
        app_label = "redirects"
        ordering: ClassVar[tuple[str, ...]] = ("old_path",)

    def __str__(self) -> str:
        return f"{self.old_path} → {self.new_path or 'gone'}"

    def clean(self) -> None:
        """Refuse a path that no request has, a target that no browser may be sent to, and a circle of one."""
        _demand_path(self.old_path, "old_path")
        if self.new_path == self.old_path:
            raise ValidationError(Fault(("new_path",), "same-path", "It leads to itself."))
        if self.new_path:
            try:
                check_redirect_target(self.new_path, external=True)
            except BadRedirect as error:
                raise ValidationError(Fault(("new_path",), "bad-target", error.message)) from None


class FlatPage(db.Model):
    """A page that staff writes.

    Attributes:
        url: Its path, such as `/about/`.
        content: Its text. Empty lines part paragraphs.
        is_html: Whether the text is HTML, shown as it stands: whoever may set this may
            put scripts into the site.
        template_name: Another template than `flatpages/default.html`.
    """

    url = db.CharField(max_length=MAX_PATH, unique=True)
    title = db.CharField(max_length=200)
    content = db.TextField(blank=True, default="")
    is_html = db.BooleanField(default=False)
    template_name = db.CharField(max_length=100, blank=True, default="")

    class Meta:
        app_label = "flatpages"
        ordering: ClassVar[tuple[str, ...]] = ("url",)

    def __str__(self) -> str:
        return f"{self.url}: {self.title}"

    def get_absolute_url(self) -> str:
        """Return its path."""
        return self.url

    def clean(self) -> None:
        """Refuse a path that no request has."""
        _demand_path(self.url, "url")

    @property
    def body(self) -> Markup:
        """The content as HTML: escaped, unless staff said that it is some."""
        if self.is_html:
            return Markup(self.content)
        text = self.content.replace("\r\n", "\n").strip("\n")
        paragraphs = [each.strip("\n") for each in text.split("\n\n") if each.strip()]
        return Markup("\n").join(
            Markup("<p>{}</p>").format(Markup("<br>\n").join(escape(line) for line in each.split("\n")))
            for each in paragraphs
        )


def _demand_path(path: str, name: str) -> None:
    if not path.startswith("/") or path.startswith("//"):
        raise ValidationError(Fault((name,), "bad-path", "It must begin with one slash."))
