"""What several tabs show and ask alike."""
