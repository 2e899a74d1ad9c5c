"""What is said of parts that were rubbed out one by one, of where it looked and when it decided: by the page's own
scripts."""

import pytest

from virtus.bundled import ASSETS

pytestmark = pytest.mark.browser
BACKGROUND, EYES, NOSE, MOUTH, CHIN = "background", ("left eye", "right eye"), "nose", "mouth", "chin"
NAMES = [BACKGROUND, *EYES, NOSE, MOUTH, CHIN]
PATCHES = [BACKGROUND] * 15 + [*EYES, NOSE, MOUTH, CHIN]  # 20 of them: the background is 75 %
WHOLE = 0.92
UNCHANGED = (0.92, 0.92)
AROUND = "So it does not go by the face alone; but replacing so much of a picture changes p by itself, too."


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    for name in ("arrays", "drawing", "tried", "look", "lens"):
        page.add_script_tag(content=(ASSETS / "scripts" / f"explore-{name}.js").read_text(encoding="utf-8"))
    page.evaluate(
        """([patches, whole]) => {
            const tones = { real: { word: "Real" }, inconclusive: { word: "Inconclusive" }, fake: { word: "Fake" } };
            window.face = { patches, p_fake: whole, outcome: "fake", tones };
            const outcome = (p) => (p >= 0.8 ? "fake" : p < 0.2 ? "real" : "inconclusive");
            window.asked = (part, ps) => triedPart(part, ps.map((p) => ({ p_fake: p, outcome: outcome(p) })), whole);
        }""",
        [PATCHES, WHOLE],
    )
    yield page
    page.close()


def tried(page, **ps):
    """Words on all parts: blurred and grey p of those named, others unchanged; neighbours with `together`."""
    together = ps.pop("together", {})
    alone = {name: ps.get(name.replace(" ", "_"), UNCHANGED) for name in NAMES}
    script = """([alone, together]) => triedInWords([
        ...partsAlone(face.patches).map((part) => asked(part, alone[part.name])),
        ...partsTogether(face.patches).filter(({ name }) => together[name])
            .map((part) => asked(part, together[part.name])),
    ], face)"""
    return page.evaluate(script, [alone, together])


@pytest.mark.parametrize(
    ("blurred", "grey", "change", "is_unsure"),
    [
        (0.89, 0.74, -0.03, False),  # both towards real: the smaller change counts
        (0.97, 0.95, 0.03, False),
        (0.93, 0.40, 0, True),  # apart, and one of them by at least 0.05
        (0.98, 0.91, 0, True),
        (0.93, 0.89, 0, False),  # apart, but by little
        (0.92, 0.40, 0, False),  # one alone changes nothing, and the other cannot disagree with that
    ],
)
def test_what_both_fillings_bring_about_counts_and_only_where_they_go_apart_it_is_unsure(
    page, blurred, grey, change, is_unsure
):
    """A nose that changed p by 0.03 and by 0.18 in the same direction was called unsure; one that went apart, 0.00."""
    part = page.evaluate("(ps) => asked({ name: 'nose', parts: ['nose'] }, ps)", [blurred, grey])
    assert part["change"] == pytest.approx(change, abs=1e-9)
    assert part["isUnsure"] == is_unsure


def test_what_people_subtract_comes_out(page):
    """From 0.950 to 0.919 it was 0.030 more real: by digits that nobody saw."""
    part = page.evaluate(
        "() => triedPart({ name: 'nose', parts: ['nose'] }, [{ p_fake: 0.9189 }, { p_fake: 0.9186 }], 0.9496)"
    )
    assert part["change"] == pytest.approx(0.919 - 0.950, abs=1e-9)


def test_the_part_of_the_face_is_named_and_the_background_has_a_sentence_of_its_own(page):
    """The background was named as what decides: it is the largest."""
    words = tried(page, background=(0.51, 0.35), left_eye=(0.81, 0.70), nose=(0.89, 0.74))
    assert words == (
        "Of the parts of the face, the left eye counts most (1 of 20 patches): without it p of fake falls from 0.920 "
        "to 0.810 blurred, 0.700 grey; the verdict is “fake” if it is blurred, “inconclusive” if it is grey. "
        "Without the background, 75 % of the picture, p changes more: 0.510 blurred, 0.350 grey (the verdict becomes "
        f"“inconclusive”). {AROUND}"
    )
    less = tried(page, background=(0.85, 0.82), left_eye=(0.81, 0.70))  # it changes p less
    assert less.endswith("if it is grey. The face alone, without the background, is “fake” too.")
    assert "background" not in tried(page, background=(0.75, 0.92), left_eye=(0.81, 0.70))  # one filling says other
    other = tried(page, background=(0.79, 0.86), left_eye=(0.81, 0.70))  # less than the eye, but by one filling enough
    assert other.endswith(
        "Without the background, 75 % of the picture, p is 0.790 blurred, 0.860 grey (the verdict is “inconclusive” if "
        "it is blurred, “fake” if it is grey)."
    )
    surer = tried(page, background=(0.99, 0.99))
    assert surer.endswith("Without the background, 75 % of the picture, p is 0.990 blurred, 0.990 grey.")


def test_parts_that_count_about_the_same_are_named_together(page):
    words = tried(page, left_eye=(0.80, 0.82), nose=(0.10, 0.83), chin=(0.87, 0.86), background=(0.1, 0.1))
    # 0.10 of the eye, 0.09 of the nose, as the smaller change counts; 0.05 of the chin is less than 0.8 of 0.10.
    assert words.startswith(
        "Several parts of the face count about the same: the left eye and the nose. Without the left"
    )


def test_a_part_without_which_the_verdict_is_surer_does_not_decide_it(page):
    """Of a fake that was only more fake without the right eye, that eye was named as what decided it."""
    words = tried(page, right_eye=(0.99, 0.98), mouth=(0.985, 0.99))
    assert words.startswith("No single part of the face decides it: without any")
    assert "the verdict stays “fake”" in words
    words = tried(page, right_eye=(0.99, 0.99), chin=(0.86, 0.86))  # it changes by 0.07 and by 0.06
    assert words.startswith("Of the parts of the face, the chin counts most (1 of 20 patches): without it p of fake f")
    together = {"both eyes": (0.99, 0.98), "nose and mouth": (0.86, 0.85)}
    assert "But without the nose and the mouth together" in tried(page, right_eye=(0.99, 0.98), together=together)
    torn = """() => triedInWords(partsAlone(face.patches).map((part) => triedPart(part,
        (part.name === 'nose' ? [0.95, 0.9] : [0.6, 0.6]).map((p) => ({ p_fake: p, outcome: 'fake' })), 0.6)),
        { ...face, p_fake: 0.6 })"""
    assert page.evaluate(torn).startswith("No single part")  # it changes much by both, the other way


def test_a_change_towards_fake_is_to_be_believed_less(page):
    page.evaluate("() => { window.low = { ...face, p_fake: 0.1, outcome: 'real' }; }")
    script = """() => triedInWords(partsAlone(face.patches).map((part) => triedPart(part,
        (part.name === 'nose' ? [0.3, 0.5] : [0.1, 0.1]).map((p) => ({ p_fake: p, outcome: 'inconclusive' })),
        0.1)), low)"""
    words = page.evaluate(script)
    assert "from 0.100 to 0.300 blurred, 0.500 grey; the verdict becomes “inconclusive”. Rubbing out often" in words


def test_of_an_inconclusive_face_what_leads_towards_real_is_named_before_a_larger_change_towards_fake(page):
    page.evaluate("() => { window.torn = { ...face, p_fake: 0.5, outcome: 'inconclusive' }; }")
    script = """(given) => triedInWords(partsAlone(face.patches).map((part) => triedPart(part,
        (given[part.name] ?? [0.5, 0.5]).map((p) => ({ p_fake: p, outcome: 'inconclusive' })), 0.5)), torn)"""
    words = page.evaluate(script, {"nose": [0.7, 0.75], "chin": [0.4, 0.42]})
    assert words.startswith(
        "Of the parts of the face, the chin counts most (1 of 20 patches): without it p of fake falls from 0.500 to "
        "0.400 blurred, 0.420 grey; the verdict stays “inconclusive”. Without the nose it rises by more. Rubbing out "
        "often looks fake by itself"
    )
    smaller = page.evaluate(script, {"nose": [0.57, 0.58], "chin": [0.4, 0.42]})
    assert "the chin counts most" in smaller
    assert "Rubbing out" not in smaller
    alone = page.evaluate(script, {"nose": [0.7, 0.75]})
    assert alone.startswith("Of the parts of the face, the nose counts most")
    assert "without it p of fake rises from 0.500 to 0.700 blurred" in alone
    assert "Rubbing out often" in alone


def test_where_no_part_decides_alone_neighbours_may_together(page):
    together = {"both eyes": (0.90, 0.90), "nose and mouth": (0.70, 0.60), "eyes and nose": (0.68, 0.68)}
    words = tried(page, background=(0.60, 0.50), together=together)
    assert words == (
        "No single part of the face decides it. But without the nose and the mouth together (2 of 20 patches) p of "
        "fake goes from 0.920 to 0.700 blurred, 0.600 grey; the verdict becomes “inconclusive”. "
        "Without the background, 75 % of the picture, p changes more: 0.600 blurred, 0.500 grey (the verdict becomes "
        f"“inconclusive”). {AROUND}"
    )  # eyes and nose change it by 0.24, hardly more than 0.22, and are more of the face


def test_where_nothing_decides_that_is_said_of_the_face(page):
    few = {"both eyes": (0.90, 0.90), "nose and mouth": (0.91, 0.90), "eyes and nose": (0.93, 0.94)}
    words = tried(page, background=(0.30, 0.30), together=few)
    assert words.startswith(
        "No single part of the face decides it: without any of them, or neighbours together, blurred or grey, the "
        "verdict stays “fake”. Without the background, 75 % of the picture, p is 0.300 "
    )
    torn = tried(page, nose=(0.97, 0.40), together=few)
    assert torn == (
        "No clear answer: without the nose p of fake goes from 0.920 to 0.970 blurred, 0.400 grey, so it depends on "
        "what stands there instead. The face alone, without the background, is “fake” too. What the model goes by "
        "seems to be spread over several parts."
    )


def test_the_background_stands_last_and_neighbours_among_the_parts(page):
    script = """() => ranked([
        asked({ name: 'background', parts: ['background'] }, [0.5, 0.5]),
        asked({ name: 'nose', parts: ['nose'] }, [0.90, 0.85]),
        asked({ name: 'mouth', parts: ['mouth'] }, [0.99, 0.60]),
        asked({ name: 'chin', parts: ['chin'] }, [0.80, 0.81]),
    ]).map(({ name }) => name)"""
    assert page.evaluate(script) == ["chin", "nose", "mouth", "background"]  # of the mouth nothing is sure


def test_of_a_picture_without_a_face_there_are_no_neighbours_nor_a_background(page):
    script = """(patches) => [partsTogether(patches).length, triedInWords(partsAlone(patches)
        .map((part) => asked(part, [0.92, 0.92])), { ...face, patches })]"""
    number, words = page.evaluate(script, ["top", "left", "right", "bottom"])
    assert number == 0
    assert words.startswith("No single part of the picture decides it: without any one of them, blurred or grey, the")


def test_few_squares_that_hold_much_are_told_of_where_their_part_as_a_whole_does_not(page):
    """ "About evenly" stood beside three bright squares of the wall."""
    squares = "([values, told]) => squaresInWords(values, face.patches, told)"
    # 20 patches: evenly 5 % each; 5 of 15 patches of the background hold a third of it, 1 of 1 of the chin as much.
    values = [40] + [1] * 14 + [1] * 5
    words = page.evaluate(squares, [values, []])
    assert words.startswith(
        "A single square of the background takes 68 % of its attention; evenly it would be 5 %. Models"
    )
    assert page.evaluate(squares, [values, ["background"]]) == ""
    assert page.evaluate(squares, [[1] * 20, []]) == ""
    chin = page.evaluate(squares, [[1] * 19 + [20], []])
    assert chin == "A single square of the chin takes 51 % of its attention; evenly it would be 5 %."


def test_of_the_brightest_squares_no_more_is_said_than_is_so(page):
    """That they lie in the background stood beside a second one on a cheek."""
    around = "(values) => aroundInWords(values, face.patches)"  # the last five are of the face
    assert page.evaluate(around, [9, 8, 7] + [1] * 17).startswith("Its brightest squares lie in the background")
    assert page.evaluate(around, [9] + [1] * 18 + [8]).startswith("Its brightest square lies in the background")
    assert page.evaluate(around, [8] + [1] * 18 + [9]) == ""


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        (
            [0.3, 0.2, 0.22, 0.88, 0.9],
            "It was undecided from the start, and stayed so. But its p went from 0.220 to 0.880 in block 3 of 4. "
            "It ends at p = 0.900.",
        ),
        ([0.3, 0.35, 0.4], "It was undecided from the start, and stayed so. It ends at p = 0.400."),
        (
            [0.3, 0.2, 0.22, 0.96],
            "It never settled: after block 2 of 3 it was undecided, after the last it said “fake”. "
            "It ends at p = 0.960.",
        ),
        ([0.96, 0.97, 0.99], "It said “fake” from the start, and stayed so. It ends at p = 0.990."),
        ([0.3, 0.02, 0.01, 0.01], "Early: from block 1 of 3 on it said “real”, and stayed so. It ends at p = 0.010."),
    ],
)
def test_when_it_decided_is_told_and_where_it_never_did_when_p_went_far(page, decided, words):
    """Of a face that stayed inconclusive while its p rose by 0.66, only that it was undecided from the start."""
    face = {"decided": decided, "real_below": 0.05, "fake_above": 0.95}
    assert page.evaluate("(one) => decidedInWords(one)", face) == words


def test_of_a_face_whose_p_counts_for_nothing_nothing_was_to_be_decided(page):
    """Of one cut too close, that the model was undecided, while its p had gone to 0.97."""
    face = {"decided": [0.2, 0.3, 0.97], "real_below": 0, "fake_above": 1.0000000000000002}
    assert page.evaluate("(one) => decidedInWords(one)", face) == (
        "It had nothing to decide: of this face no p is a verdict. "
        "But its p went from 0.300 to 0.970 in block 2 of 2. It ends at p = 0.970."
    )


def test_stripes_show_which_side_of_a_line_is_meant(page):
    """Around the background stood a line that looked like one around the face."""
    script = """async () => {
        const canvas = document.body.appendChild(document.createElement("canvas"));
        const picture = document.createElement("canvas");
        [picture.width, picture.height] = [400, 400];
        const one = new PatchCanvas(canvas, {});
        one.show(Object.assign(picture, { naturalWidth: 400, naturalHeight: 400 }), [4, 4]);
        one.outlined = [...Array(16).keys()].map((at) => at % 4 === 0);
        const greens = (value, at) => at % 4 === 1 && value > 120;
        const bright = (x) => [...canvas.getContext("2d").getImageData(x, 5, 50, 390).data].filter(greens).length;
        const drawn = async () => {
            one.draw();
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            return [bright(20), bright(220)];
        };
        return [await drawn(), ((one.isStriped = true), await drawn())];
    }"""
    plain, striped = page.evaluate(script)
    assert plain == [0, 0]
    assert striped[0] > 50
    assert striped[1] == 0


def test_what_was_found_is_kept_for_the_faces_of_one_photo_and_goes_with_it(page):
    script = """() => {
        const kept = new KeptOfFaces();
        const [one, two, other] = [["a", "1"], ["a", "2"], ["b", "3"]].map(([photo, judged]) => ({ photo, judged }));
        kept.keep(one, "found");
        const of = [kept.find(one), kept.find(two), kept.find(other), kept.find(one)];
        kept.keep(one, "again");
        kept.forget();
        return [...of, kept.find(one)];
    }"""
    assert page.evaluate(script) == ["found", None, None, None, None]
