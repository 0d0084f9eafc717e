"""The tables of the pages, in one module, where migrations look for them."""

from .factors import SecondFactor
from .tokens import MailedToken

__all__ = ["MailedToken", "SecondFactor"]
