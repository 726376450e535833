"""One run, composed by Hydra: from outcomes to metrics, report and bundle."""
