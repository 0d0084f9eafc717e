"""Signed texts and values: what comes back is what was sent, for one purpose, for a time.

Holds: `Signer` for one key and purpose, the `Keys` of an app, `dumps` and `loads` with them, and `equal`.
Imports: floor 0 and msgspec; itsdangerous when the first text is signed.
Never: hides a value (it can be read by all), knows an app, or lets anything else make signatures.
"""

from .cookies import SignedCookies
from .keys import KEYS, Keys, dumps, loads
from .signer import BadSignature, SignatureExpired, Signer, equal

__all__ = ["KEYS", "BadSignature", "Keys", "SignatureExpired", "SignedCookies", "Signer", "dumps", "equal", "loads"]
