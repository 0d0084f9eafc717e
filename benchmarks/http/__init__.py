"""The comparison with peers: Segue, other frameworks and hand-written functions over the same servers.

Holds: the rows, the contestants, the measuring and the report; `apps/` has one file a framework.
Imports: `benchmarks.load` and `benchmarks.servers`; a framework only in its own file.
Never: is found as `http`: run everything as `python -m benchmarks.<name>` from the root.
"""

if __name__ != "benchmarks.http":
    # Beside `benchmarks/` on the path, this folder would hide the standard library's http.
    raise ImportError("Run it from the repository's root: python -m benchmarks.http (not python benchmarks/...).")

__all__: list[str] = []
