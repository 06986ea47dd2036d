"""The ``dagger`` package under nsci's own name."""

from typing import TYPE_CHECKING

import dagger

if TYPE_CHECKING:
    from dagger import *  # noqa: F403


def __getattr__(name):
    return getattr(dagger, name)


def __dir__():
    return dir(dagger)
