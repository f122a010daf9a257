"""From a request to Records: what is asked for, checked and planned, then carried out by protocol."""
