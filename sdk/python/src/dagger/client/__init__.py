"""The client of the engine's API."""
