"""The command line: a file for each command, which parses, calls the engine, and formats."""
