"""The package against a running Watchkeeper: what applications report is stored, each event once."""
