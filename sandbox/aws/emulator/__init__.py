"""The AWS emulator: `ministack`, started with repairs for what it lacks.

Everything here runs in the emulator's own virtual environment (`python sandbox/aws/emulator/main.py`), which
holds ministack and what it depends on and nothing of ours: modules import the standard library, ministack,
urllib3 and each other. One module per repair, each saying what AWS does and what the emulator did instead;
`apply()` puts it in place. Delete a module when ministack has caught up.
"""
