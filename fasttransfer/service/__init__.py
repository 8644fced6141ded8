"""A service for other programs: pictures in, stylized pictures out, over HTTP.

``run_service`` serves; this module loads nothing heavy.
"""

from .run import run_service

__all__ = ["run_service"]
