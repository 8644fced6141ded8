"""Joining a cluster of Ray (https://docs.ray.io), or starting one on this machine."""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

from ..core.errors import FastTransferError, brief


@contextlib.contextmanager
def joined_cluster(ray: Any) -> Iterator[dict[str, float]]:
    """Joins the cluster, or starts one for as long as the block takes; yields its resources."""
    own = not ray.is_initialized()
    for name in ("ray", "ray.data"):  # what it says of its plans is not for the user
        logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if own:
        try:
            ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = os.environ.get("RAY_ADDRESS", "this machine")
            raise FastTransferError(
                f"Ray cannot be reached at {where} ({brief(error)}); set RAY_ADDRESS to a cluster that "
                "runs, or leave it out"
            ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # what is lost is reported by name
    try:
        yield ray.cluster_resources()
    finally:
        if own:
            ray.shutdown()
