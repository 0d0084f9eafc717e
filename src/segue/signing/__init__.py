"""Signed texts and values: what comes back is what was sent, for one purpose, for a time.

Holds: `Signer` for one key and purpose, the `Keys` of an app, `dumps` and `loads` with them, and `equal`.
Imports: floor 0 and msgspec; itsdangerous when the first text is signed.
Never: hides a value (it can be read by all), knows an app, or lets anything else make signatures.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..context import Key

if TYPE_CHECKING:
    from .cookies import SignedCookies
    from .keys import Keys, dumps, loads
    from .signer import BadSignature, SignatureExpired, Signer, equal

__all__ = ["KEYS", "BadSignature", "Keys", "SignatureExpired", "SignedCookies", "Signer", "dumps", "equal", "loads"]

KEYS: Key["Keys"] = Key("signing keys")

_WHERE = {
    "BadSignature": "signer",
    "Keys": "keys",
    "SignatureExpired": "signer",
    "SignedCookies": "cookies",
    "Signer": "signer",
    "dumps": "keys",
    "equal": "signer",
    "loads": "keys",
}


def __getattr__(name: str) -> Any:
    # Every app has keys; what signs with them is loaded where something is signed.
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"segue.signing has no {name!r}")
