import { DatabaseSync } from 'node:sqlite'

/** Raised whenever the tables change: a projection of another version is made again from the log. */
export const PROJECTION_VERSION = 4

/**
 * Plain tables for SQL. Quantities are in units, and where a start must have them to the thousandth, in thousandths too, which are exact
 * however large; times in milliseconds since 1970; days in days since then (UTC).
 */
const SCHEMA = `
  CREATE TABLE projection (
    log      TEXT NOT NULL,    -- which log this is made from
    number   INTEGER NOT NULL, -- its last record that is in here
    position INTEGER NOT NULL, -- and the last transaction of that
    recorded INTEGER NOT NULL,
    hash     BLOB NOT NULL
  );
  CREATE TABLE item (
    code     TEXT PRIMARY KEY,
    number   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    unit     TEXT NOT NULL,
    decimals INTEGER NOT NULL,
    barcodes TEXT NOT NULL,    -- JSON
    packs    TEXT NOT NULL,    -- JSON
    supplier TEXT NOT NULL,
    active   INTEGER NOT NULL,
    defined  INTEGER NOT NULL, -- 0 while only movements have named it
    absorbed TEXT              -- it turned out to be a barcode of this item, which has what was here
  ) WITHOUT ROWID;
  CREATE TABLE location (
    code   TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    name   TEXT NOT NULL,
    type   TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE till (
    name     TEXT PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    recorded INTEGER NOT NULL, -- when it last posted
    began    INTEGER NOT NULL, -- when its epoch began
    offers   INTEGER NOT NULL, -- what it may offer again in this epoch was recorded then or later
    chain    TEXT NOT NULL     -- of the epoch's lines, as 16 hex digits
  ) WITHOUT ROWID;
  CREATE TABLE policy (
    location      TEXT NOT NULL,
    item          TEXT NOT NULL,
    reorder_point NUMERIC,
    order_up_to   NUMERIC,
    pack          NUMERIC,
    lead_days     NUMERIC,
    PRIMARY KEY (location, item)
  ) WITHOUT ROWID;
  CREATE TABLE transfer (
    name          TEXT PRIMARY KEY,
    number        INTEGER NOT NULL,
    from_location TEXT NOT NULL,
    to_location   TEXT NOT NULL,
    shipped       INTEGER NOT NULL, -- the position of the first transaction that shipped
    closed        INTEGER           -- of the one with which it arrived; NULL: on its way
  ) WITHOUT ROWID;
  CREATE TABLE reservation (
    name     TEXT PRIMARY KEY,
    location TEXT NOT NULL,
    until    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    expired  INTEGER           -- in which order it expired; NULL: open
  ) WITHOUT ROWID;
  CREATE TABLE reservation_line (
    reservation TEXT NOT NULL,
    line        INTEGER NOT NULL,
    item        TEXT NOT NULL,
    quantity    NUMERIC NOT NULL,
    thousandths INTEGER NOT NULL, -- quantity, exact
    PRIMARY KEY (reservation, line)
  ) WITHOUT ROWID;
  CREATE TABLE voided (
    position INTEGER PRIMARY KEY -- of a sale that was voided
  );
  CREATE TABLE "transaction" (
    position INTEGER PRIMARY KEY,
    till     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    id       TEXT,             -- NULL: TILL/EPOCH/SEQ, or that of the transaction at \`again\`
    kind     TEXT NOT NULL,
    location TEXT,
    at       INTEGER NOT NULL, -- the till's time
    recorded INTEGER NOT NULL, -- the server's
    flags    TEXT,             -- JSON; NULL: none
    refused  TEXT,             -- a code; NULL: accepted
    field    TEXT,
    ref      TEXT,
    again    INTEGER,          -- the till had posted it before, at this position; nothing moved now
    late     INTEGER           -- n: recorded 2^n to 2^(n+1) minutes after its own time; NULL: within a minute
  );
  CREATE TABLE movement (
    position   INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    item       TEXT NOT NULL,
    from_place TEXT NOT NULL,
    to_place   TEXT NOT NULL,
    quantity   NUMERIC NOT NULL,
    at         INTEGER NOT NULL, -- when it counts, by the till's clock; never later than it was recorded
    reason     TEXT,             -- count_trueup, recode; NULL: the transaction's kind
    exact      INTEGER,          -- in thousandths, where quantity cannot say it
    PRIMARY KEY (position, line)
  ) WITHOUT ROWID;
  CREATE TABLE level (
    location    TEXT NOT NULL,
    item        TEXT NOT NULL,
    on_hand     NUMERIC NOT NULL,
    reserved    NUMERIC NOT NULL,
    available   NUMERIC NOT NULL,
    thousandths INTEGER,          -- on_hand, exact; NULL: it never moved here
    reserved_thousandths INTEGER NOT NULL,
    counted_at  INTEGER,          -- the till's time of the latest count
    PRIMARY KEY (location, item)
  ) WITHOUT ROWID;
  CREATE TABLE counterpart (   -- the other side of every movement: with level, each item adds up to 0
    place    TEXT NOT NULL,
    item     TEXT NOT NULL,
    quantity NUMERIC NOT NULL,
    thousandths INTEGER NOT NULL, -- quantity, exact
    PRIMARY KEY (place, item)
  ) WITHOUT ROWID;
  CREATE TABLE segment (       -- history in pieces of about as many movements, for levels of the past
    number INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL    -- its last position
  );
  CREATE TABLE checkpoint (    -- the levels of a location that moved in a segment, or all, as they were at its end
    location TEXT NOT NULL,
    segment  INTEGER NOT NULL,
    levels   BLOB NOT NULL,    -- packed
    PRIMARY KEY (location, segment)
  );
  CREATE TABLE day (           -- what was sold at a location on a day and was there, by the end of the last segment
    location TEXT NOT NULL,
    day      INTEGER NOT NULL,
    levels   BLOB NOT NULL,    -- packed: thousandths, less what was voided
    PRIMARY KEY (location, day)
  );
`

const INDEXES = `
  CREATE INDEX transfer_closed ON transfer (closed);
  CREATE UNIQUE INDEX transaction_of_till ON "transaction" (till, epoch, seq);
  CREATE INDEX transaction_id ON "transaction" (id) WHERE id IS NOT NULL;
  CREATE INDEX transaction_late ON "transaction" (late, at) WHERE late IS NOT NULL;
  CREATE INDEX movement_of_item ON movement (item, position);
  CREATE INDEX movement_of_shrink ON movement (position) WHERE from_place = 'shrink' OR to_place = 'shrink';
`

/** A connection's share of memory, in KiB: what is read and written again and again stays at hand. */
const CACHE_KIB = 65_536
/** While all is made anew: what is written last must not drive out what is written often. */
const CACHE_ANEW_KIB = 262_144

/** Opens the projection to write it; makes it, or makes it anew, where it is missing, of another version or unreadable. */
export function openProjection(path: string, remove: (path: string) => void): DatabaseSync {
  try {
    return prepare(path)
  } catch {
    remove(path) // it is never the truth: the log makes it again
    return prepare(path)
  }
}

function prepare(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864')
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
    if (tables === 0) db.exec(`BEGIN; ${SCHEMA} ${INDEXES} PRAGMA user_version = ${PROJECTION_VERSION}; COMMIT`)
    else if (version !== PROJECTION_VERSION) throw new Error(`version ${version}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens a projection that is made anew. A crash leaves nothing of it, and it has no index until {@link finishAnew}. */
export function openAnew(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF')
  db.exec(`PRAGMA cache_size = -${CACHE_ANEW_KIB}; BEGIN; ${SCHEMA} PRAGMA user_version = ${PROJECTION_VERSION}; COMMIT`)
  return db
}

/** Makes a projection from {@link openAnew} like any other, and durable. Indexes are made faster from all rows at once than row by row. */
export function finishAnew(db: DatabaseSync): void {
  db.exec(`PRAGMA synchronous = FULL; BEGIN; ${INDEXES} COMMIT; PRAGMA journal_mode = WAL`)
}
