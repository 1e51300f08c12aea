"""A program that prints a report goes on with the same random numbers."""

import subprocess
import sys

PROGRAM = """
import random, jitscope
random.seed(1)
state = random.getstate()
assert str(jitscope.report())
assert "rich" in __import__("sys").modules
assert state == random.getstate()
"""


def test_a_report_leaves_the_programs_random_numbers_alone():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
