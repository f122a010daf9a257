"""The board as one HTML file: markup is written here, figures are drawn in the browser by `assets/js`."""
