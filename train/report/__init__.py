"""How good a checkpoint is, with intervals, as figures, plots and pages."""
