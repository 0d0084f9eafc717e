"""Fields of files.

Holds: `FileField`, `ImageField`.
Imports: `base`, validators, widgets; Pillow, once an image is checked.
Never: decodes an image before its size in pixels is known to be bearable; trusts the name of a file.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Unpack

from ...errors import UsageError, ValidationError
from ...validators import FileExtensionValidator
from ..widgets import ClearableFileInput, FileInput, Widget
from ..widgets.files import CLEAR, CONTRADICTION
from .base import Field, FieldOptions

__all__ = ["FileField", "ImageField"]


class FileField(Field):
    """A file that was sent; one of each name, unless the widget takes several: then all are checked.

    Args:
        max_length: How long its name may be.
        allow_empty_file: Whether it may have no bytes.
    """

    widget = ClearableFileInput
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid": 'No file was sent. Does the form say enctype="multipart/form-data"?',
        "missing": "No file was sent.",
        "empty": "The file is empty.",
        "max_length": "The name of the file is too long: %(length)s of at most %(max)s characters.",
        "contradiction": "Either send a file or tick the box, not both.",
    }

    def __init__(
        self, *, max_length: int | None = None, allow_empty_file: bool = False, **options: Unpack[FieldOptions]
    ) -> None:
        self.max_length = max_length
        self.allow_empty_file = allow_empty_file
        super().__init__(**options)

    @property
    def takes_several(self) -> bool:
        """Whether its widget takes several files."""
        return bool(getattr(self.widget, "allow_multiple_selected", False))

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        name, size = getattr(value, "filename", None), getattr(value, "size", None)
        if not isinstance(name, str) or not isinstance(size, int):
            raise self.fault("invalid")
        if self.max_length is not None and len(name) > self.max_length:
            raise self.fault("max_length", max=self.max_length, length=len(name))
        if not name:
            raise self.fault("invalid")
        if not self.allow_empty_file and not size:
            raise self.fault("empty")
        return value

    def clean(self, value: Any, initial: Any = None) -> Any:
        """Return the file; the one that is stored where none was sent, `False` where that is to go."""
        if value is CONTRADICTION:
            raise self.fault("contradiction")
        if value is CLEAR:
            if not self.required:
                return False
            value = None
        if isinstance(value, list | tuple):
            several = list[Any](value)
            if self.takes_several and several:
                return [super(FileField, self).clean(each) for each in several]
            if several:
                raise self.fault("several")
            value = None
        if not value and initial:
            return initial
        return super().clean(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        # A browser takes no file from a page: the stored one is shown.
        return initial if data in (None, CONTRADICTION) or hasattr(data, "raw_filename") else data

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and data is not None and data != []


_NAMES = ("avif", "bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff", "webp")
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


class ImageField(FileField):
    """An image that was sent: its name, its kind and its size are checked before it is decoded.

    It needs Pillow: `pip install segue[images]`.
    Args:
        max_pixels: How many pixels it may have.
    """

    default_validators: ClassVar[Sequence[Callable[[Any], Any]]] = []
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid_image": "This is not an image, or it is damaged.",
        "too_large": "The image has more than %(limit)s pixels.",
        "invalid_extension": "The name of the file must end in one of: %(allowed_extensions)s.",
    }

    def __init__(self, *, max_pixels: int = 50_000_000, **options: Any) -> None:
        self.max_pixels = max_pixels
        super().__init__(**options)
        self._check_name = FileExtensionValidator(_NAMES)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if value is None:
            return None
        try:
            self._check_name(value.filename)
        except ValueError:
            raise self.fault("invalid_extension", allowed_extensions=", ".join(_NAMES)) from None
        self._look_at(value)
        return value

    def _look_at(self, file: Any) -> None:
        image = _pillow()
        try:
            with file.open() as reader, image.open(reader, formats=_FORMATS) as found:
                width, height = found.size
                if width * height > self.max_pixels:
                    raise self.fault("too_large", limit=f"{self.max_pixels:,}")
                if found.format == "JPEG":
                    # Its checksum is in its data: an eighth of each side shows whether all is there.
                    found.draft("L", (max(width // 8, 1), max(height // 8, 1)))
                    found.load()
                else:
                    found.verify()
        except ValidationError:
            raise
        except (image.DecompressionBombError, image.DecompressionBombWarning):
            raise self.fault("too_large", limit=f"{self.max_pixels:,}") from None
        except Exception:  # whatever a damaged file makes Pillow raise
            raise self.fault("invalid_image") from None

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        if isinstance(widget, FileInput) and "accept" not in widget.attrs:
            attrs["accept"] = "image/*"
        return attrs


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise UsageError(
            "An ImageField was sent an image, and Pillow is not installed.",
            code="forms/no-pillow",
            why="Pillow finds out whether a file is an image.",
            hint="pip install segue[images]",
        ) from None
    return Image
