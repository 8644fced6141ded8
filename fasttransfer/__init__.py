"""Train feed-forward style networks; stylize pictures in a single forward pass."""

import os

# OpenMP reads these when torch is imported. Its threads would otherwise spin for long while they wait
# for each other, and whatever else runs on the machine then costs a step several times its own share;
# but to be woken each time costs a quarter of it. A thousand turns are what most waits take (a step on
# two idle cores: 132 ms with long spins, 173 with none, 139 so; beside a busy process: 409, 290, 328).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
