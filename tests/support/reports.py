"""Judged pictures as a report takes them, and what is in a page."""

from dataclasses import replace
from html.parser import HTMLParser

from train.report.assessment import assess
from train.report.evaluate import JudgedSample


def assessment(detector, judged, **options):
    options = {"data": "some", "part": "report", "elapsed_s": 1.0, "robustness": False} | options
    return assess(detector, judged, **options)


def with_p(judged, p_fake, label):
    face = replace(judged.report.faces[0], p_fake=p_fake)
    return JudgedSample(replace(judged.sample, label=label), replace(judged.report, faces=(face,)))


class Tags(HTMLParser):
    """The links, ids, images and scripts of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.links, self.ids, self.images, self.scripts = [], set(), [], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.ids |= {found["id"]} if "id" in found else set()
        self.images += [found] if tag == "img" else []
        self.scripts += tag == "script"
