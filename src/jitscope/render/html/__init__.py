"""The report as one HTML file: data, template, and the bundle that ``frontend/`` is built into."""
