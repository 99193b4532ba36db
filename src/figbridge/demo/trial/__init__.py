"""The worked example on a sandbox: its databases and files, the shop that trades there, and a consumer of its own that
holds what the bridge says against what the shop did. It knows servers and the shop; nothing of the bridge is used.
"""
