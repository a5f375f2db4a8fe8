"""A till in Python: python3 till.py HOST PORT TILL LOCATION OUTBOX < sales

Each line of the input is a sale: ITEM QUANTITY. A sale is in the outbox, on the disk, before it is sent, and leaves it when the server has it.
"""
import datetime, json, re, socket, sqlite3, sys, uuid

host, port, name, location, path = sys.argv[1:6]
outbox = sqlite3.connect(path)
outbox.executescript("""
    CREATE TABLE IF NOT EXISTS till (epoch INTEGER, acked INTEGER);
    CREATE TABLE IF NOT EXISTS sale (seq INTEGER PRIMARY KEY, line TEXT);
    INSERT INTO till SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM till);
""")
outbox.execute("PRAGMA synchronous = FULL")


def newest():
    """The number of the newest sale, acknowledged or not."""
    return outbox.execute("SELECT max(acked, (SELECT coalesce(max(seq), 0) FROM sale)) FROM till").fetchone()[0]


def put(item, quantity):
    """Takes a sale: on the disk when it returns."""
    with outbox:
        at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        sale = {"id": str(uuid.uuid4()), "kind": "sale", "location": location, "at": at}
        sale["lines"] = [{"item": item, "quantity": float(quantity)}]
        outbox.execute("INSERT INTO sale VALUES (?, ?)", (newest() + 1, json.dumps(sale)))


def settle(epoch, acked):
    """The server has all up to here."""
    with outbox:
        outbox.execute("UPDATE till SET epoch = ?, acked = ?", (epoch, acked))
        outbox.execute("DELETE FROM sale WHERE seq <= ?", (acked,))


def send():
    """Connects, and sends what waits, in order, until all of it is acknowledged."""
    (epoch,) = outbox.execute("SELECT epoch FROM till").fetchone()
    with socket.create_connection((host, int(port)), timeout=30) as line, line.makefile("rw", encoding="utf-8", newline="\n") as wire:

        def say(message):
            wire.write(json.dumps(message) + "\n")

        def hear():
            wire.flush()
            reply = json.loads(wire.readline() or '{"error": {"code": "gone", "message": "the server has ended the line"}}')
            if "error" in reply:
                sys.exit(f"{reply['error']['code']}: {reply['error']['message']}")
            return reply

        say({"hello": 1, "till": name, "epoch": epoch})
        welcome = hear()
        if epoch not in (0, welcome["epoch"]) or welcome["last"] > newest():
            sys.exit(f"the server knows another outbox of {name}: this one was restored or copied")
        settle(welcome["epoch"], welcome["last"])
        rows = outbox.execute("SELECT seq, line FROM sale ORDER BY seq").fetchall()
        for seq, sale in rows:
            say({"seq": seq, **json.loads(sale)})
        acked = welcome["last"]
        while rows and acked < rows[-1][0]:
            ack = hear()
            for result in ack.get("results", []):
                print(result, flush=True)
            acked = ack["ack"]
            settle(welcome["epoch"], acked)
        say({"bye": 1})


sales = [re.fullmatch(r"\s*(\S+)\s+(\d*\.?\d+)\s*", line) or sys.exit(f"not an item and a quantity: {line.strip()}") for line in sys.stdin]
for sale in sales:
    put(*sale.groups())
send()
