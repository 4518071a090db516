"""Honour the keys of Keras 1 in ``keras.json``, which Keras 2 and 3 pass over in silence."""

from __future__ import annotations

import json
import os
from types import ModuleType
from typing import Any, Dict

# https://keras.io/1.2.2/backend (Keras 1's documentation of keras.json)
IMAGE_DIM_ORDERING = {"th": "channels_first", "tf": "channels_last"}


def read_config() -> Dict[str, Any]:
    """Return the ``keras.json`` that Keras will read, or {} where there is none to read."""
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        with open(os.path.join(home, "keras.json"), encoding="utf-8") as file:
            config = json.load(file)
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def apply_old_keys(keras: ModuleType) -> None:
    """Set the image data format that ``image_dim_ordering`` meant, unless the new key is there."""
    config = read_config()
    ordering = config.get("image_dim_ordering")
    if ordering in IMAGE_DIM_ORDERING and "image_data_format" not in config:
        keras.backend.set_image_data_format(IMAGE_DIM_ORDERING[ordering])
