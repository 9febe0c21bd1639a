"""The benchmarks: what Hatchet costs, each figure beside its own limit in the same run.

``./task bench`` runs them. A suite (`bench.suites`) measures on a bench (`bench.workbench`): a
private RabbitMQ, a private Temporal, and programs in processes of their own, ours and bare ones
(`bench.programs`). It yields measurements (`bench.measurements`), of which the table
(`bench.tables`) and the JSON file (`bench.records`) are made. ``README.md`` says how to read them.
"""
