"""Running an app: the servers, reload, the logs of requests.

Holds: the Granian and uvicorn runners, the choice of an interface, what a worker loads.
Imports: floors 0 to 3; a server only inside the function that starts it.
Never: finds an app by itself; the command line hands over how to load it.
"""

__all__: list[str] = []
