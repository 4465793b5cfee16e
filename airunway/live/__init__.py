"""The live cluster: status, endpoints and adoption. It is only read, except for Helm's release records."""

import os

# Hugging Face's client reads them when it is imported. Without the first it tells the hub what is installed here.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
