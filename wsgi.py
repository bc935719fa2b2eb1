"""The one doorway for web server, worker and command line: `wsgi:app`, `wsgi.huey`, `flask --app wsgi`."""

from gatami import create_app

app = create_app()
# `flask policy …` runs without a queue.
huey = app.extensions.get("huey")
