"""The live cluster: status, endpoints, what is there to be taken over. All that is ever changed is Helm's record of a
release.
"""
