"""A board for readers: terminal, Markdown, LaTeX, CSV, JSON, one offline page, figures."""
