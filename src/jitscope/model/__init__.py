"""Plain values: signatures, causes, events, recordings, reports. No framework, no I/O."""
