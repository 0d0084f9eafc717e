"""What a request may cost: one set of limits that every parser obeys."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one route. Sizes are in bytes; a body over one is refused while it is read.

    Attributes:
        max_body: A body in full. A route that takes uploads raises it to `max_upload_body` or more.
        max_upload_body: What a route gets that opts in to uploads without naming a size.
        spool_threshold: How much of a body, or of all files of a form, stays in memory;
            what is over it goes to a temporary file.
        max_form_memory: All fields of a form that are not files, together.
        max_fields: Fields of a query or form.
        max_files: Files of a form.
        max_field_name: The name of one field.
        max_part_headers: Header lines of one part of a form.
        max_part_header_bytes: All header lines of one part.
        max_json_depth: Arrays and objects within each other.
        json_unique_keys: Whether an object with the same key twice is refused. Two
            parsers disagree on which one counts, and so can be played against each other.
    """

    max_body: int = 2_500_000
    max_upload_body: int = 50_000_000
    spool_threshold: int = 524_288
    max_form_memory: int = 2_500_000
    max_fields: int = 1000
    max_files: int = 100
    max_field_name: int = 256
    max_part_headers: int = 16
    max_part_header_bytes: int = 8192
    max_json_depth: int = 64
    json_unique_keys: bool = True
