"""X31: offered more than it can do, the server answers what it can and refuses the rest at once."""

from __future__ import annotations

import threading
import time

from harness import Options, Server, Verdict, main, many, serving

SERVICE_SECONDS = 0.05


def run(options: Options) -> Verdict:
    """Offer three times what `MAX_IN_FLIGHT` lets in, then see it recover."""
    allowed, seconds = (10, 5.0) if options.quick else (10, 60.0)
    with serving(options, SEGUE_MAX_IN_FLIGHT=str(allowed)) as server:
        peak, _, _ = _load(server, allowed, seconds / 2)
        good, refused, bare = _load(server, 3 * allowed, seconds)
        begun = time.monotonic()
        recovered = server.get("/a/ok").status == 200
        recovery = time.monotonic() - begun
    figure = {
        "peak_per_second": round(peak, 1),
        "overload_good_per_second": round(good, 1),
        "refused": refused,
        "without_retry_after": bare,
        "recovery_seconds": round(recovery, 3),
    }
    target = {"overload_good_per_second": f"{0.8 * peak:.1f}", "without_retry_after": 0, "recovery_seconds": 2}
    return Verdict(figure, target, good >= 0.8 * peak and refused > 0 and not bare and recovered and recovery < 2)


def _load(server: Server, clients: int, seconds: float) -> tuple[float, int, int]:
    end = time.monotonic() + seconds
    lock = threading.Lock()
    counts = {"good": 0, "refused": 0, "bare": 0}

    def ask(_: int) -> None:
        while time.monotonic() < end:
            reply = server.get(f"/a/sleep?seconds={SERVICE_SECONDS}")
            with lock:
                if reply.status == 200:
                    counts["good"] += 1
                elif reply.status == 503:
                    counts["refused"] += 1
                    counts["bare"] += reply["retry-after"] is None
            if reply.status == 503:
                time.sleep(0.02)

    many(clients, ask)  # type: ignore[arg-type]  # what it returns is not looked at
    return counts["good"] / seconds, counts["refused"], counts["bare"]


if __name__ == "__main__":
    main("X31", run)
