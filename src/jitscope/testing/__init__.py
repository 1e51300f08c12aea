"""What the pytest plugin is made of: limits, the fixture's handle, the recording of a test run."""
