"""The one doorway for web server, worker and command line: `wsgi:app`, `wsgi.huey`, `flask --app wsgi`."""

from gatami import create_app

app = create_app()
huey = app.extensions["huey"]
