"""From a function's signature to an endpoint, and from an exception to a response.

Holds: injection, validation, middleware, hooks, error recovery, the bridge of colours.
Imports: floor 0, http, routing.
Never: names a protocol, an app or a template engine.
"""
