"""Runs inside the watched program: writes events, draws no conclusions, never raises into a user's call.

Imports nothing but the standard library, msgspec and `jitscope.model`; jax and torch are imported by the
adapters in `frameworks/` only, and only once the program itself has something of theirs to watch.
"""
