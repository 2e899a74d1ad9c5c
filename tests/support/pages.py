"""A visitor's page without a browser: it sends events in any order, also while others are under way."""

import json
import threading

import httpx

UNCHANGED = {"__type__": "update"}
"""What an event answers for a component that stays as it is; for a `gr.HTML` also as its `props`."""


class Page:
    """A visitor's page: its events by name, with the values of its components."""

    def __init__(self, client):
        self.client, self.config = client, client.config
        parts = self.config["components"]
        self.values = {part["id"]: part["props"].get("value") for part in parts}
        self.ids = {part["props"].get("elem_id"): part["id"] for part in parts}
        self.events = {event["api_name"]: event for event in self.config["dependencies"]}

    def set(self, elem_id, value):
        self.values[self.ids[elem_id]] = value

    def send(self, name):
        """Begin the event; the number by which its answer is known."""
        event, session = self.events[name], self.client.session_hash
        data = [self.values[part] for part in event["inputs"]]
        joining = {"data": data, "fn_index": event["id"], "session_hash": session}
        answer = httpx.post(f"{self.client.src}gradio_api/queue/join", json=joining, timeout=60).raise_for_status()
        return answer.json()["event_id"]

    def answers(self):
        """What the events that were sent answer at last, each with its number, in the order in which they end."""
        address, session = f"{self.client.src}gradio_api/queue/data", self.client.session_hash
        with httpx.stream("GET", address, params={"session_hash": session}, timeout=120) as messages:
            for line in messages.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    yield message["event_id"], message["output"]["data"]

    def fire(self, name):
        """What the event answers at last, where no other one is under way."""
        self.send(name)
        _, answer = next(self.answers())
        return answer

    def draw(self, name):
        """The maps that the event answers at last; what Gradio sends beside them names addresses in memory."""
        return self.fire(name)[0]["props"]["maps"]


def upload(client, path):
    """What a drop zone hands over; the client would upload anew what is described with a `meta`."""
    with path.open("rb") as stream:
        answer = httpx.post(f"{client.src}gradio_api/upload", files={"files": (path.name, stream)}, timeout=60)
    return {"path": answer.json()[0], "orig_name": path.name}


def is_unchanged(*parts):
    """Whether an event answers for components that they stay as they are."""
    return all(part in (UNCHANGED, UNCHANGED | {"props": UNCHANGED}) for part in parts)


class Held:
    """A function that waits at its first call, once it has `begun`, until it `may_end`."""

    def __init__(self, function):
        self.function, self.begun, self.may_end = function, threading.Event(), threading.Event()

    def __call__(self, *args):
        if not self.begun.is_set():
            self.begun.set()
            assert self.may_end.wait(60)
        return self.function(*args)


def answer_late(page, held, late, event, **changed):
    """What both answer: an event that comes to a held function, and one that is sent meanwhile and ends before it.

    Args:
        changed: values of components that the page has for the second event, by their `elem_id` with `_` for `-`.
    """
    late = page.send(late)
    assert held.begun.wait(60)
    for name, value in changed.items():
        page.set(name.replace("_", "-"), value)
    page.send(event)
    answers = page.answers()
    try:
        number, answer = next(answers)
    finally:
        held.may_end.set()
    ((last, late_answer),) = answers
    assert number != last == late
    return late_answer, answer
