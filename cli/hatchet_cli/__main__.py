"""``python -m hatchet_cli``: the `hatchet` command without its script."""

from hatchet_cli.main import main

if __name__ == "__main__":
    main()
