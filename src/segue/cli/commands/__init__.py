"""The built-in commands, one module each.

Holds: modules whose attribute `command` is a Click command; `group.BUILTINS` names them.
Imports: what cli may import.
Never: is imported as a whole; `segue --help` loads none of them.
"""

__all__: list[str] = []
