"""What tests do with memory that they no longer need."""

import ctypes
import gc
import sys


def free() -> None:
    """Collects what is garbage, and gives the system what is free between what is not."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
