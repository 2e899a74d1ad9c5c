"""What users give as their data, as samples, and what each of them is for."""
