"""Reports of studies: tables and figures from the Records of a plan."""
