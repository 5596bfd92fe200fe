"""Which precision a processor trains fastest in: a measurement of some milliseconds, because names do not tell."""

from __future__ import annotations

import time
from functools import lru_cache

import torch
from torch.nn.functional import linear


@lru_cache(maxsize=4)
def bfloat16_gains(device: str = "cpu", threads: int = 0) -> bool:
    """Whether products of matrices are faster in bfloat16 by a quarter at least, conversions included.

    bfloat16 has float32's range and three decimal digits. Some processors multiply such numbers two to eight times as
    fast, others convert each product to float32 and back and are slower for it.

    Args:
        device: where to measure, ``"cpu"`` or ``"cuda"``.
        threads: `torch.get_num_threads`, so that another number of threads is another measurement.

    >>> isinstance(bfloat16_gains(), bool)
    True
    """
    inputs, matrix = torch.ones(512, 256, device=device), torch.ones(512, 256, device=device)
    shortest = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for _ in range(8):  # the shortest of several counts, because other programs only ever make one longer
        for kind in shortest:
            begun = time.perf_counter()
            linear(inputs.to(kind), matrix.to(kind))
            if device != "cpu":
                torch.cuda.synchronize()
            shortest[kind] = min(shortest[kind], time.perf_counter() - begun)
    return shortest[torch.float32] > 1.25 * shortest[torch.bfloat16]
