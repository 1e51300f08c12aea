"""The frameworks' caches on disk, read without the frameworks: what is in them, what is broken, what can go."""
