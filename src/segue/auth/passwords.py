"""What a new password must be, under the names that Django has for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any, Protocol

from ..errors import Fault, ValidationError
from .guessable import is_common
from .hashing.octets import octets

__all__ = [
    "DEFAULT_VALIDATORS",
    "CommonPasswordValidator",
    "MinimumLengthValidator",
    "NumericPasswordValidator",
    "PasswordValidator",
    "UserAttributeSimilarityValidator",
    "password_validators_help_texts",
    "validate_password",
]

# Comparing is quadratic: nobody's name is longer than what is looked at.
_LOOKED_AT = 128
_MOST_PARTS = 20


class PasswordValidator(Protocol):
    """One rule for new passwords."""

    def validate(self, password: str, user: Any = None) -> None:  # Any: whatever has the attributes
        """Raise `ValidationError` where *password* breaks the rule."""
        ...

    def get_help_text(self) -> str:
        """Return the rule as a sentence for people."""
        ...


class MinimumLengthValidator:
    """Demands a length; by default 8 characters."""

    def __init__(self, min_length: int = 8) -> None:
        self.min_length: int = min_length

    def validate(self, password: str, user: Any = None) -> None:  # Any: not looked at
        """Refuse what is shorter."""
        if len(password) < self.min_length:
            raise _refused(
                "password_too_short",
                f"This password is too short. It must have at least {self.min_length} characters.",
                min_length=self.min_length,
            )

    def get_help_text(self) -> str:
        """Return the rule as a sentence for people."""
        return f"Your password must have at least {self.min_length} characters."


class CommonPasswordValidator:
    """Refuses what everybody tries first: words, rows of keys, dates, and what is done to them.

    Args:
        further: Words of this site that are as easy to guess, such as its name.
    """

    def __init__(self, further: Iterable[str] = ()) -> None:
        self.further: frozenset[str] = frozenset(each.casefold() for each in further)

    def validate(self, password: str, user: Any = None) -> None:  # Any: not looked at
        """Refuse what is common."""
        if is_common(password) or password[:_LOOKED_AT].casefold().strip("0123456789!?.-_ ") in self.further:
            raise _refused("password_too_common", "This password is too common.")

    def get_help_text(self) -> str:
        """Return the rule as a sentence for people."""
        return "Your password cannot be one that many others use."


class UserAttributeSimilarityValidator:
    """Refuses what is much like something known of the user.

    Args:
        user_attributes: What is compared.
        max_similarity: From 0.1 to 1; at 1 only what is the same is refused.
    """

    DEFAULT_USER_ATTRIBUTES: tuple[str, ...] = ("username", "first_name", "last_name", "email")

    def __init__(self, user_attributes: Sequence[str] = DEFAULT_USER_ATTRIBUTES, max_similarity: float = 0.7) -> None:
        self.user_attributes: tuple[str, ...] = tuple(user_attributes)
        self.max_similarity: float = max(0.1, max_similarity)

    def validate(self, password: str, user: Any = None) -> None:  # Any: whatever has the attributes
        """Refuse what is like an attribute of *user*, or like a part of one."""
        if user is None:
            return
        for name in self.user_attributes:
            value = getattr(user, name, None)
            if isinstance(value, str) and self._is_like(password, value):
                raise _refused(
                    "password_too_similar",
                    f"This password is too similar to the {name.replace('_', ' ')}.",
                    verbose_name=name.replace("_", " "),
                )

    def get_help_text(self) -> str:
        """Return the rule as a sentence for people."""
        return "Your password cannot be too similar to what is known of you."

    def _is_like(self, password: str, value: str) -> bool:
        wanted, known = password[:_LOOKED_AT].casefold(), value[:_LOOKED_AT].casefold()
        parts = [*re.split(r"\W+", known)[:_MOST_PARTS], known]
        return any(
            SequenceMatcher(a=wanted, b=part, autojunk=False).quick_ratio() >= self.max_similarity
            for part in dict.fromkeys(parts)
            # What is ten times as long as a part is not like it, whatever it begins with.
            if part and len(password) < 10 * len(part)
        )


class NumericPasswordValidator:
    """Refuses what consists of digits, of any script."""

    def validate(self, password: str, user: Any = None) -> None:  # Any: not looked at
        """Refuse digits alone."""
        if password.isdigit():
            raise _refused("password_entirely_numeric", "This password consists of digits only.")

    def get_help_text(self) -> str:
        """Return the rule as a sentence for people."""
        return "Your password cannot consist of digits only."


DEFAULT_VALIDATORS: tuple[PasswordValidator, ...] = (
    UserAttributeSimilarityValidator(),
    MinimumLengthValidator(),
    CommonPasswordValidator(),
    NumericPasswordValidator(),
)


def validate_password(
    password: str,
    user: Any = None,  # Any: whatever has the attributes
    password_validators: Iterable[PasswordValidator] | None = None,
) -> None:
    """Check a new password by every rule.

    Args:
        user: Whose it will be; need not be saved.
        password_validators: The rules; `None` is `DEFAULT_VALIDATORS`.

    Raises:
        PasswordTooLong: It has over 4,096 bytes; no rule looked at it.
        ValidationError: It breaks rules: one fault for each.
    """
    octets(password)
    faults: list[Fault] = []
    for validator in DEFAULT_VALIDATORS if password_validators is None else password_validators:
        try:
            validator.validate(password, user)
        except ValidationError as error:
            faults += error.faults
    if faults:
        raise ValidationError(faults)


def password_validators_help_texts(password_validators: Iterable[PasswordValidator] | None = None) -> list[str]:
    """Return the rules as sentences for people, those of `validate_password` by default."""
    validators = DEFAULT_VALIDATORS if password_validators is None else password_validators
    return [each.get_help_text() for each in validators]


def _refused(code: str, message: str, **params: object) -> ValidationError:
    return ValidationError([Fault((), code, message, params)])
