"""Settings of every tier: property tests that are the same in each run, whatever the machine's speed."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"
