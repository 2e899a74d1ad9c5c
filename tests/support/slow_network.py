"""A visitor in a browser whose network is slow: who goes on before the server hears of what was done."""


def asks(page, event):
    """Whether that event is what a request asks the server: a function of the request."""
    find = "(name) => gradio_config.dependencies.find((event) => event.api_name === name).id"
    number = page.evaluate(find, event)
    return lambda request: "/queue/join" in request.url and request.post_data_json["fn_index"] == number


class SlowWay:
    """What a page asks by an event, held back on its way to the server until `end`."""

    def __init__(self, page, event):
        self.is_asked, self._held, self._has_ended = asks(page, event), [], False
        page.route("**/queue/join*", self._send)

    def _send(self, route):
        if self._has_ended or not self.is_asked(route.request):
            route.continue_()
        else:
            self._held.append(route)

    def end(self):
        self._has_ended = True
        for route in self._held:
            route.continue_()


def ask_twice(page, event, first, second):
    """What an event asks at last: the values of its inputs, in their order.

    Args:
        first, second: what the visitor does; both trigger it, the second while what was asked first is on its way.
    """
    way = SlowWay(page, event)
    with page.expect_request(way.is_asked):
        first()
    second()
    with page.expect_request(way.is_asked) as asked:
        way.end()
    return asked.value.post_data_json["data"]
