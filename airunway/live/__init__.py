"""The live cluster: status, endpoints and adoption. It is only read, except for Helm's release records."""
