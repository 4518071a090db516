"""What a script finds around it: clock, entropy, names, folders; as the seed or a user has it.

Nothing here imports another part of the recorder.
"""
