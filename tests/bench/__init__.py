"""Measurements (`make bench`): figures with units, and ratios taken within one run.

Absolute figures belong to the machine they were taken on; ratios travel. Nothing here is asserted
by the test suite.
"""
