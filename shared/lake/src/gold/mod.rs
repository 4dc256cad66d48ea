//! Gold: the stay ledger and the metrics.
