"""Programs that run in processes of their own: ``python -m bench.programs.NAME '{...}'``.

Each takes its arguments as one JSON object and writes what it has measured as another, in its last
line. The bare ones are the limits: what remains when there is no Hatchet.
"""
