"""Everything a module can declare, in one place."""

from .main import Tour as Tour
