"""What is found about workflow files, as texts for people and for other tools; pure functions."""
