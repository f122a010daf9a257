"""Classes by words at a mask: cloze templates, label words, the head that scores them, calibration."""
