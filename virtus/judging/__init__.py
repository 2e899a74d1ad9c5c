"""From a photo, a comparison or a labelled folder to reports: what all the doors call."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.judging.comparison import (
        MAX_COMPARED,
        Agreement,
        ComparedReport,
        Comparison,
        check_comparable,
        check_names,
        compare_paths,
        compare_photo,
        place_in,
    )
    from virtus.judging.deciding import decide_among, decide_picture, thresholds_among, thresholds_of
    from virtus.judging.evaluation import (
        evaluate_folder,
        evaluate_labelled,
        find_labelled,
        forget_calibration,
        keep_calibration,
        measure_margins,
        recalibrate,
        source_from_folders,
    )
    from virtus.judging.exploration import Exploration, explore, explore_face, explore_photo, flip_verdict
    from virtus.judging.paths import (
        READ_AHEAD,
        UNEXPECTED,
        Item,
        analyze_paths,
        read_item,
        reason_of,
        unreadable,
    )
    from virtus.judging.photo import (
        FIRST_FRAME,
        TOO_CLOSE,
        UNFAMILIAR,
        DetectedFaces,
        EachFace,
        Measure,
        analyze_image,
        analyze_photo,
        detect_faces,
        explain_faces,
        judge_faces,
        measure_maps,
        with_prediction,
    )
    from virtus.judging.stability import (
        CHANGES,
        blur,
        brightness,
        find_stability,
        jpeg,
        mirror,
        noise,
        rescale,
        with_stability,
    )

__getattr__, __all__ = offer(__name__, __file__)
