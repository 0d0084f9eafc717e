"""Who somebody is, and how they prove it.

Holds: the hashing of passwords, the rules for them, one-time tokens, codes of second factors.
Imports: the floors below; argon2 and bcrypt when the first password is hashed.
Never: keeps or logs a password, or answers faster for a user who is not there.
"""
