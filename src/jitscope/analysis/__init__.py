"""From a recording to a report: plain functions on plain values. No framework, no I/O, no rendering."""
