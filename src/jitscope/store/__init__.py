"""Recordings on disk: write, read, find. Nothing is imported here: the writer runs inside the user's program."""
