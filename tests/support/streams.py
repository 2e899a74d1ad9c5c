"""The streams on which a page hears of the answers to its events."""

import time

LIMIT_S = 240  # for a stream that is held open for ever; maps may be tested on a busy machine meanwhile
QUIET_S = 1


class Streams:
    """Those of a page that it asked for since `follow`, and which of them it holds open."""

    def __init__(self):
        self.begun, self._open, self._changed = 0, set(), 0.0

    def follow(self, page):
        """To be called before the page goes anywhere: it opens its first stream while it loads."""
        page.on("request", self._begin)
        for end in ("requestfinished", "requestfailed"):  # the page breaks off what has ended
            page.on(end, self._end)

    def wait_for_end(self, page):
        """Until the page holds none open, and opened no other for a while."""
        limit = time.monotonic() + LIMIT_S
        while self._open or time.monotonic() < self._changed + QUIET_S:
            assert time.monotonic() < limit, "a stream is held open"
            page.wait_for_timeout(50)

    def _begin(self, request):
        if "/queue/data" in request.url:
            self.begun += 1
            self._open.add(request)
            self._changed = time.monotonic()

    def _end(self, request):
        if request in self._open:
            self._open.remove(request)
            self._changed = time.monotonic()
