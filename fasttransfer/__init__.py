"""Train feed-forward style networks; stylize pictures in a single forward pass."""

import os

# OpenMP reads this when torch is imported. Its threads would otherwise spin while they wait for each
# other, and whatever else runs on the machine, such as the process that reads photos, then costs a
# step two or three times its own share (measured on two cores: 1.6 s instead of 0.7 s a step).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
