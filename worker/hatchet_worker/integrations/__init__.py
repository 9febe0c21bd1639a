"""The prebuilt integrations, a module each; none is loaded before it is used."""
