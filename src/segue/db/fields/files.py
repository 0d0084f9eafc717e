"""Fields that name a file.

Holds: `FileField`, `ImageField`: the column, which keeps a path in a storage.
Imports: `base`, `text`, `validators`.
Never: opens, reads or writes a file; a storage does.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from ...validators import FileExtensionValidator, validate_path
from ..errors import ModelError
from .base import FieldOptions
from .text import CharField

__all__ = ["FileField", "ImageField"]

T = TypeVar("T")
UploadTo = str | Callable[[Any, str], str]


class FileField(CharField[T]):
    """The path of a file in a storage; the empty text where there is none.

    Args:
        upload_to: The folder of new files, in which `strftime` codes are filled in; or a
            function of the instance and the name that returns the whole path.
    """

    kind = "file"
    own_options: ClassVar[tuple[str, ...]] = ("max_length",)

    @overload
    def __init__(
        self: FileField[str],
        *,
        upload_to: UploadTo = ...,
        max_length: int = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: FileField[str | None],
        *,
        upload_to: UploadTo = ...,
        max_length: int = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, upload_to: UploadTo = "", max_length: int = 100, null: bool = False, **options: Any) -> None:
        self._keep_in(upload_to, options)
        self._declare(options, max_length=max_length, null=null)

    def _keep_in(self, upload_to: UploadTo, options: dict[str, Any]) -> None:
        if isinstance(upload_to, str) and (upload_to.startswith("/") or ".." in upload_to.split("/")):
            raise ModelError(
                f"upload_to={upload_to!r} leads out of the storage.",
                code="data/field-option",
                hint='upload_to="covers/%Y"',
            )
        if options.get("primary_key"):
            raise ModelError(
                f"A {type(self).__name__} cannot be the key: the path changes with the file.",
                code="data/field-option",
                hint="Leave primary_key=True out.",
            )
        self.upload_to = upload_to

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        yield validate_path
        yield from super().default_validators()

    def generate_filename(self, instance: Any, filename: str) -> str:
        """Return the path that a new file of *instance* gets, under the name it came with.

        Raises:
            ValidationError: It would lead out of the storage.
        """
        name = posixpath.basename(filename.replace("\\", "/"))
        if callable(self.upload_to):
            path = self.upload_to(instance, name)
        else:
            path = posixpath.join(datetime.now(UTC).strftime(self.upload_to), name)
        path = posixpath.normpath(path)
        validate_path(path)
        return path


class ImageField(FileField[T]):
    """The path of an image in a storage.

    Args:
        width_field: The field that keeps its width in pixels.
        height_field: The field that keeps its height.
    """

    kind = "image"

    @overload
    def __init__(
        self: ImageField[str],
        *,
        upload_to: UploadTo = ...,
        width_field: str | None = ...,
        height_field: str | None = ...,
        max_length: int = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ImageField[str | None],
        *,
        upload_to: UploadTo = ...,
        width_field: str | None = ...,
        height_field: str | None = ...,
        max_length: int = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        upload_to: UploadTo = "",
        width_field: str | None = None,
        height_field: str | None = None,
        max_length: int = 100,
        null: bool = False,
        **options: Any,
    ) -> None:
        self.width_field = width_field
        self.height_field = height_field
        self._keep_in(upload_to, options)
        self._declare(options, max_length=max_length, null=null)

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        yield FileExtensionValidator(("avif", "bmp", "gif", "ico", "jpeg", "jpg", "png", "tif", "tiff", "webp"))
        yield from super().default_validators()
