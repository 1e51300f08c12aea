"""From a report to text or JSON: one module a format. No framework."""
