"""Checkpoints: fetched, examined, loaded, calibrated, and at work as a `Detector`."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.checkpoints.bundled import (
        BASE,
        ENVIRONMENT_VARIABLE,
        FAST,
        WORDS,
        bundled_default,
        bundled_names,
        bundled_words,
        resolve_name,
        retired_words,
    )
    from virtus.checkpoints.calibration import (
        EVEN,
        at_prior,
        check_prior,
        fake_above_among,
        fit_calibration,
        judge,
        outcome_of,
    )
    from virtus.checkpoints.card import Card, read_card
    from virtus.checkpoints.detector import Detector, TrunkState, margins_of
    from virtus.checkpoints.examine import Examination, examine_base, examine_base_configs, examine_checkpoint
    from virtus.checkpoints.hub import COMMIT, ask_hub, bounded_client, fetch, is_repo_id
    from virtus.checkpoints.known import CHECKPOINTS, DEFAULT_MARGIN, MARGINS
    from virtus.checkpoints.load import (
        Checkpoint,
        examine_named,
        fast_words,
        find_checkpoint,
        load_checkpoint,
        locate,
        name_of_user_calibration,
        split_label,
    )
    from virtus.checkpoints.metrics import (
        NUM_BINS,
        area_under_roc,
        calibration_error,
        classification_metrics,
        log_odds,
        reliability,
    )
    from virtus.checkpoints.novelty import (
        FILE,
        MIN_PICTURES,
        Novelty,
        block_of,
        feature_of,
        fit_novelty,
        store_novelty,
        without_novelty,
    )
    from virtus.checkpoints.sidecar import (
        forget_user_calibration,
        read_calibration,
        read_sidecar,
        read_user_calibration,
        store_calibration,
        store_user_calibration,
        user_file,
        write_sidecar,
    )
    from virtus.checkpoints.thresholds import LENIENT_RULE, NUM_FACES, RULE, ThresholdRule, error_among, upper_bound

__getattr__, __all__ = offer(__name__, __file__)
