"""What the server does for a visitor, whoever asks: limits, uploads, judging, what is kept between calls."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.visitors.batches import (
        MAX_BATCH_BYTES,
        MAX_PHOTOS,
        QUEUE,
        BatchFile,
        BatchFiles,
        judge_batch,
        open_batch,
    )
    from virtus.app.visitors.clips import NUM_ANIMATION_FRAMES, KeptClip, judge_clip, keep_clip, key_photo, watch
    from virtus.app.visitors.detectors import Detectors
    from virtus.app.visitors.files import (
        CLEAN_EVERY_S,
        KEEP_S,
        VisitorFiles,
        answer_folder,
        environment,
        visitor_files,
    )
    from virtus.app.visitors.gpu import is_lent, on_gpu
    from virtus.app.visitors.gradio_internals import (
        UNASKED,
        UNKNOWN_EVENTS,
        ending,
        is_under_way,
        knows_event,
        knows_session,
        lacks_login,
        read_function,
        static_url,
        stop_event,
        until_stopped,
    )
    from virtus.app.visitors.limits import MAX_SESSIONS, MAX_TOOL_CALL_MIB, TOOLS_PATH, find_limits
    from virtus.app.visitors.photos import (
        MAX_WAITING,
        NUM_AT_ONCE,
        AskedCheckpoint,
        ComparedPhoto,
        JudgedPhoto,
        compare_checkpoints,
        face_of,
        judge_photo,
    )
    from virtus.app.visitors.slots import NUM_SLOTS, hold_against_chance, judging_slot, steps_against_chance
    from virtus.app.visitors.uploads import SEE, GuardedBlocks, as_gradio_error, keep_data_uri, uploaded
    from virtus.app.visitors.written_reports import MAX_MAPPED, write_report

__getattr__, __all__ = offer(__name__, __file__)
