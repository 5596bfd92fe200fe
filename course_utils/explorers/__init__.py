"""Interactive pictures: one base class, then one module of explorers per topic.

``from course_utils.explorers import TemperatureExplorer`` finds an explorer in whichever module holds it.
"""

import importlib
import pkgutil
from typing import Any


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        for module in pkgutil.iter_modules(__path__, f"{__name__}."):
            found = getattr(importlib.import_module(module.name), name, None)
            if isinstance(found, type):
                return found
    raise AttributeError(f"course_utils.explorers has no explorer named {name}")
