"""The model card of a checkpoint folder."""

import pytest

from virtus.checkpoints.bundled import bundled_folder, bundled_names
from virtus.checkpoints.card import Measured, read_card

CARD = """---
model-index:
- name: one
  results:
  - task: {type: image-classification}
    dataset: {name: faces, type: faces}
    metrics:
    - {type: roc_auc, value: 0.9}
    - {type: loss, value: 0.3}
    - {type: accuracy, value: 80}
---

# One

Before.

## Limits

- Many.

## Empty
"""


def write(folder, text):
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def test_sections_and_the_figures_that_are_shares(tmp_path):
    card = read_card(write(tmp_path, CARD))
    assert card.sections == {"Limits": "- Many.", "Empty": ""}
    assert card.measured == (Measured("faces", {"AUC": 0.9}),)


def test_a_card_without_metadata_has_its_sections(tmp_path):
    card = read_card(write(tmp_path, "## Limits\nNone known."))
    assert (card.sections, card.measured) == ({"Limits": "None known."}, ())


def test_no_card_or_one_that_is_not_understood_is_none(tmp_path):
    assert read_card(tmp_path) is None
    (tmp_path / "README.md").write_bytes(b"\xff\xfe\x00")
    assert read_card(tmp_path) is None
    assert read_card(write(tmp_path, "---\na: [\n---\n## Limits\nx")) is None


@pytest.mark.parametrize("name", bundled_names())
def test_the_bundled_cards_say_what_the_page_shows(name):
    card = read_card(bundled_folder(name))
    assert {"Intended use", "How good it is", "Limits"} <= set(card.sections)
    figures, of_one_class = {"AUC", "Accuracy", "Macro F1"}, {"Accuracy", "Macro F1"}
    assert all(set(one.figures) in (figures, of_one_class) for one in card.measured)
    assert sum(set(one.figures) == figures for one in card.measured) >= 4
