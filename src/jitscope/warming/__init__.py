"""Warm-up: what an earlier run compiled is compiled before it is asked for."""
