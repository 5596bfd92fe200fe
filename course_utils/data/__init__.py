"""The course's data: one loader per data set. Numbers come as torch tensors, text as ``str``.

Each loader says shapes, units and source; ``datasets/README.md`` describes all of it. Third-party text comes from
``course_utils.assets``; digits and photographs come with scikit-learn; the rest is the project's own. `drawings` and
`tiny_tales` are no loaders: they make up what they give. `recorded` reads measurements that took minutes to make.
"""

from course_utils.data.cats_and_dogs import Drawings, drawings
from course_utils.data.images import FORM_STARTS, PHOTOGRAPHS, Digits, digits, photographs
from course_utils.data.measurements import TERMINAL_SPEED, FallingBall, falling_ball
from course_utils.data.published import Claim, ModelSize, claims, llm_sizes
from course_utils.data.runs import Recorded, record, recorded, shown
from course_utils.data.splits import PARTS, Play, addresses, addresses_text, plays, plays_text
from course_utils.data.tales import Tale, tiny_tales, tiny_tales_text
from course_utils.data.texts import Speech, Translation, shakespeare, speeches, translations

__all__ = [
    "FORM_STARTS", "PARTS", "PHOTOGRAPHS", "TERMINAL_SPEED",
    "Claim", "Digits", "Drawings", "FallingBall", "ModelSize", "Play", "Recorded", "Speech", "Tale", "Translation",
    "addresses", "addresses_text", "claims", "digits", "drawings", "falling_ball", "llm_sizes", "photographs",
    "plays", "plays_text", "record", "recorded", "shakespeare", "shown", "speeches", "tiny_tales", "tiny_tales_text",
    "translations",
]  # fmt: skip
