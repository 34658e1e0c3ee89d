"""What the exercises call: each check says that an answer is right, or names its mistake.

check_…(answer) returns True where the answer is right, raises WrongAnswer with one sentence where
it is wrong, and returns False, with a word, where the stub still stands. One file a lesson.
"""

from .lesson_00 import *  # noqa: F403
from .lesson_01 import *  # noqa: F403
from .lesson_02 import *  # noqa: F403
from .lesson_03 import *  # noqa: F403
from .lesson_04 import *  # noqa: F403
from .lesson_05 import *  # noqa: F403
from .lesson_06 import *  # noqa: F403
from .lesson_07 import *  # noqa: F403
from .lesson_08 import *  # noqa: F403
from .lesson_09 import *  # noqa: F403
from .lesson_10 import *  # noqa: F403
from .lesson_11 import *  # noqa: F403
from .lesson_12 import *  # noqa: F403
from .lesson_13 import *  # noqa: F403
from .lesson_14 import *  # noqa: F403
from .lesson_15 import *  # noqa: F403
from .tools import WrongAnswer  # noqa: F401
