"""One application a framework, each answering the same rows the way its documentation shows.

Holds: `asgi`, `wsgi`, `rsgi` (what the servers are given) in one file a framework.
Imports: that one framework, and `benchmarks.http.content`.
Never: imports another application.
"""

__all__: list[str] = []
