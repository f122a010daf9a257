"""The methods that ship with xlt-bench, one file each, written with what an outsider could use."""
