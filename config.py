"""Settings and their defaults. Each is overridden by the environment variable `GATAMI_<NAME>`.

No logic lives here: `gatami.create_app` reads the class, lays the environment over it and refuses to start
in production without its secrets.
"""

from __future__ import annotations


class Config:
    #: `production` refuses to start without its secrets and sends cookies over https alone; `demo` is what
    #: `make run` serves on one's own machine; `testing` runs tasks inline and keeps the queue in memory.
    MODE = "production"

    #: Signs sessions and links in mails, and makes stored addresses findable. Secret; at least 32 characters. Changing
    #: it signs everyone out, ends every link and hides accounts and follows from their owners' addresses.
    SECRET_KEY = ""
    #: Fernet keys, comma-separated, that seal private text, contact details and photos at rest. The first one
    #: seals, all of them open: put a new key first, run `flask keys rotate`, then drop the old one. Secret.
    ENCRYPTION_KEYS = ""

    #: The private database: `sqlite:////absolute/path.db` or `postgresql+psycopg://user:password@host/name`.
    DATABASE_URL = "sqlite:///var/gatami.db"
    #: What public pages read through. On PostgreSQL a login role of its own, which `flask gate apply` gives
    #: SELECT on the views `public_*` and on nothing else. Empty on SQLite: the same file, opened read-only
    #: behind an authorizer.
    PUBLIC_DATABASE_URL = ""
    #: Where task ids wait: `sqlite:////absolute/path.db` on one machine, `redis://host:port/0` on several.
    QUEUE_URL = "sqlite:///var/queue.db"
    #: Folder of photos. `private/` inside it is encrypted and never served, `public/` is what was released.
    MEDIA_ROOT = "var/media"

    #: Folder of the data keys, one small file for each report and one for each reporter, sealed under ENCRYPTION_KEYS.
    #: Several machines share it. Keep it OUT of the backups of DATABASE_URL and MEDIA_ROOT: erasing a report destroys
    #: its keys here, and makes what every backup holds of it unreadable. Mirror the folder to a second disk instead,
    #: with deletions and without history (`rsync -a --delete`): without it, no private text and no photo can be read.
    #: After restoring a backup, run `flask retention replay` before the site opens.
    KEY_ROOT = "var/keys"

    #: `smtp://user:password@host:port`, `smtp+starttls://…` or `smtps://…`. Empty: mails are written as `.eml`
    #: files into MAIL_FOLDER.
    SMTP_URL = ""
    #: Where mails land as files when SMTP_URL is empty.
    MAIL_FOLDER = "var/mail"
    #: Sender of every mail.
    MAIL_FROM = "GataMi <gatami@localhost>"
    #: Seconds a worker may hold a message before another may try it again; longer than the slowest mail server takes.
    LEASE_S = 300
    #: Tries before a message is given up; the pauses between them double from one minute.
    DELIVERY_TRIES = 8
    #: Folder in which this machine's workers note each message that the mail server took, the moment it took it.
    #: After a crash the notes tell what must not be sent again.
    SENT_JOURNAL = "var/sent"

    #: Address of the site as people see it, in mails and feeds.
    BASE_URL = "http://127.0.0.1:5000"
    #: Map tiles; `{z}`, `{x}`, `{y}` are filled in by the browser. The only other host that a page asks.
    TILE_URL = "https://cache.kartverket.no/v1/wmts/1.0.0/topo/default/webmercator/{z}/{y}/{x}.png"
    #: Shown in the corner of the map, as the tile server's licence asks.
    TILE_ATTRIBUTION = "© Kartverket"
    #: Kartverket's address search, called by the server. Empty: no address search is offered.
    ADDRESS_URL = "https://ws.geonorge.no/adresser/v1"
    #: Seconds before the address search is given up and the form offers its other ways.
    ADDRESS_TIMEOUT_S = 2.0
    #: Number of the municipality whose map is shown first. Empty: the first active one.
    DEFAULT_MUNICIPALITY = ""

    #: Submits an hour from one IP address; 0 sets no bound. Generous, because a whole village may share one
    #: address behind its mobile operator.
    SUBMITS_PER_HOUR = 300
    #: Mails an hour that follow forms and password forms may cause to one address, whoever asks.
    MAILS_PER_HOUR = 5
    #: Failed sign-ins in a quarter of an hour before an account must wait; an IP address may fail ten times as often.
    SIGN_IN_FAILURES = 8
    #: Proxies in front of the web server whose X-Forwarded-* headers are believed.
    TRUSTED_PROXIES = 0

    #: Bytes of one photo, and of a whole request: six photos and the text around them.
    PHOTO_BYTES = 25 * 1024 * 1024
    MAX_CONTENT_LENGTH = 160 * 1024 * 1024
    #: Bytes of photos whose forms are not sent yet: from one IP address, and from all together. They go within a day.
    DRAFT_BYTES_EACH = 1024 * 1024 * 1024
    DRAFT_BYTES = 20 * 1024 * 1024 * 1024
    #: Seconds of processor time, and bytes of memory beside the 250 MB of the loaded models, that one photo may cost. A
    #: worker makes one photo at a time, and waits three times as many seconds for it.
    PHOTO_SECONDS = 20
    PHOTO_MEMORY = 512 * 1024 * 1024

    #: Connections that each process keeps open to each of the two databases (PostgreSQL).
    POOL_SIZE = 10
    #: Milliseconds before PostgreSQL ends a statement of a public page.
    PUBLIC_STATEMENT_TIMEOUT_MS = 10000
