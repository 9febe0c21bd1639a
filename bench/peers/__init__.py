"""The same job on Hatchet and on its peers: three short steps in a row, results kept."""
