import { DatabaseSync } from 'node:sqlite'

/** Raised whenever the tables change: a projection of another version is made again from the log. */
export const PROJECTION_VERSION = 3

/** Plain tables for SQL. Quantities are in units, and levels in thousandths too, which are exact however large; times in milliseconds since 1970. */
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
    defined  INTEGER NOT NULL  -- 0 while only movements have named it
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
  CREATE TABLE "transaction" (
    position INTEGER PRIMARY KEY,
    till     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    id       TEXT,             -- NULL: TILL/EPOCH/SEQ
    kind     TEXT NOT NULL,
    location TEXT,
    at       INTEGER NOT NULL, -- the till's time
    recorded INTEGER NOT NULL, -- the server's
    flags    TEXT,             -- JSON; NULL: none
    refused  TEXT,             -- a code; NULL: accepted
    field    TEXT,
    ref      TEXT
  );
  CREATE UNIQUE INDEX transaction_of_till ON "transaction" (till, epoch, seq);
  CREATE TABLE movement (
    position   INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    item       TEXT NOT NULL,
    from_place TEXT NOT NULL,
    to_place   TEXT NOT NULL,
    quantity   NUMERIC NOT NULL,
    PRIMARY KEY (position, line)
  ) WITHOUT ROWID;
  CREATE TABLE level (
    location  TEXT NOT NULL,
    item      TEXT NOT NULL,
    on_hand   NUMERIC NOT NULL,
    reserved  NUMERIC NOT NULL,
    available NUMERIC NOT NULL,
    thousandths INTEGER NOT NULL, -- on_hand, exact: what a start loads
    PRIMARY KEY (location, item)
  ) WITHOUT ROWID;
  CREATE TABLE counterpart (   -- the other side of every movement: with level, each item adds up to 0
    place    TEXT NOT NULL,
    item     TEXT NOT NULL,
    quantity NUMERIC NOT NULL,
    thousandths INTEGER NOT NULL, -- quantity, exact
    PRIMARY KEY (place, item)
  ) WITHOUT ROWID;
`

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
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536')
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
    if (tables === 0) db.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${PROJECTION_VERSION}; COMMIT`)
    else if (version !== PROJECTION_VERSION) throw new Error(`version ${version}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
