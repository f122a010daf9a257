"""Reading and writing files: whole or not at all, users' TOML, the hub, and other people's texts made safe to show."""
