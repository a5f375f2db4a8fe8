import { DatabaseSync } from 'node:sqlite'
import { VIRTUAL_PLACES } from '../ledger/index.ts'
import { KINDS } from './kinds.ts'
import { LEVELS_IN_PAGE } from './level-pages.ts'

/** Raised whenever the tables change: a projection of another version is made again from the log. */
export const PROJECTION_VERSION = 6

/**
 * Quantities are in thousandths where a column is named so, else in units; times in milliseconds since 1970; days in days since then (UTC).
 *
 * What there is much of stands packed: transactions by runs, levels by pages, each as JSON, which SQL takes apart in the views `transaction`,
 * `movement`, `level` and `counterpart`. A row for each movement and one for each transaction took 6 µs of CPU a receipt and 300 bytes; packed
 * it is under 1 µs and 60 bytes.
 */
const TABLES = `
  CREATE TABLE projection (
    log      TEXT NOT NULL,    -- which log this is made from
    number   INTEGER NOT NULL, -- its last record that is in here
    position INTEGER NOT NULL, -- and the last transaction of that
    recorded INTEGER NOT NULL,
    hash     BLOB NOT NULL
  );
  CREATE TABLE item (
    number   INTEGER PRIMARY KEY,
    code     TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    unit     TEXT NOT NULL,
    decimals INTEGER NOT NULL,
    barcodes TEXT NOT NULL,    -- JSON
    packs    TEXT NOT NULL,    -- JSON
    supplier TEXT NOT NULL,
    active   INTEGER NOT NULL,
    defined  INTEGER NOT NULL, -- 0 while only movements have named it
    absorbed TEXT              -- it turned out to be a barcode of this item, which has what was here
  );
  CREATE TABLE place (
    number INTEGER PRIMARY KEY,
    code   TEXT NOT NULL UNIQUE,
    name   TEXT NOT NULL,
    type   TEXT                -- store, warehouse; NULL: no location, but on the other side of movements
  );
  CREATE TABLE kind (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL
  );
  CREATE TABLE till (
    number   INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    epoch    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    recorded INTEGER NOT NULL, -- when it last posted
    began    INTEGER NOT NULL, -- when its epoch began
    offers   INTEGER NOT NULL, -- what it may offer again in this epoch was recorded then or later
    chain    TEXT NOT NULL     -- of the epoch's lines, as 16 hex digits
  );
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
  CREATE TABLE run (           -- transactions that are neighbours in the log, of one till and one batch
    first     INTEGER PRIMARY KEY, -- the position of the first one
    count     INTEGER NOT NULL,
    movements INTEGER NOT NULL,
    till      INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    seq       INTEGER NOT NULL, -- of the first one
    recorded  INTEGER NOT NULL, -- the server's time
    rows      TEXT NOT NULL,    -- JSON: [kind, location, age, id, more] of each, see posted.ts
    moves     TEXT              -- JSON: [index of its transaction, line, item, thousandths, from, to, age, reason] of each movement
  );
  CREATE TABLE named (         -- transactions that have an id of their own, and were not posted before under it
    id       TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (id, position)
  ) WITHOUT ROWID;
  CREATE TABLE late (          -- transactions by which something moved at a location, and that were recorded a minute or more after it counts
    location INTEGER NOT NULL,
    class    INTEGER NOT NULL, -- n: 2^n to 2^(n+1) minutes
    position INTEGER NOT NULL,
    at       INTEGER NOT NULL, -- when it counts; the earliest, where there are some
    PRIMARY KEY (location, class, position)
  ) WITHOUT ROWID;
  CREATE TABLE opened (
    place    INTEGER PRIMARY KEY, -- of a location
    position INTEGER NOT NULL     -- of the first transaction that brought opening stock
  );
  CREATE TABLE shrunk (
    position INTEGER PRIMARY KEY -- of a transaction by which something went to shrink, or came from it
  );
  CREATE TABLE level_page (    -- levels at a place, of ${LEVELS_IN_PAGE} items side by side: of those numbered from ${LEVELS_IN_PAGE} * page on
    place       INTEGER NOT NULL,
    page        INTEGER NOT NULL,
    thousandths TEXT,          -- JSON: on hand; null: it never moved here
    reserved    TEXT,          -- JSON: thousandths
    counted     TEXT,          -- JSON: the till's time of the latest count
    PRIMARY KEY (place, page)
  ) WITHOUT ROWID;
  CREATE TABLE transit (       -- what is on its way
    transfer    TEXT NOT NULL,
    item        INTEGER NOT NULL,
    thousandths INTEGER NOT NULL,
    PRIMARY KEY (transfer, item)
  ) WITHOUT ROWID;
  CREATE TABLE segment (       -- history in pieces of about as many movements, for levels of the past
    number INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL    -- its last position
  );
  CREATE TABLE item_moves (    -- where items moved in a segment
    segment INTEGER NOT NULL,
    first   INTEGER NOT NULL,  -- the number of the first item; the row's last one stands before the next row's first
    moves   BLOB NOT NULL,     -- packed; see item-moves.ts
    PRIMARY KEY (segment, first)
  );
  CREATE TABLE checkpoint (    -- the levels of a location that moved in a segment, or all, as they were at its end
    location TEXT NOT NULL,
    segment  INTEGER NOT NULL,
    levels   BLOB NOT NULL,    -- packed
    PRIMARY KEY (location, segment)
  );
  CREATE TABLE day (           -- what was sold at a location on a day and was there, as far as a segment, or some behind it, have seen it
    location TEXT NOT NULL,
    day      INTEGER NOT NULL,
    segment  INTEGER NOT NULL,
    levels   BLOB NOT NULL,    -- packed: thousandths, less what was voided
    PRIMARY KEY (location, day, segment)
  );
`

/** The SQL of thousandths as units, whole ones as whole numbers. */
export function units(thousandths: string): string {
  return `iif(${thousandths} % 1000 = 0, ${thousandths} / 1000, ${thousandths} / 1000.0)`
}

/** The SQL of a field of a movement's transaction. */
export function ofTransaction(path: string): string {
  return `(r.rows ->> ('$[' || (m.value ->> 0) || ']${path}'))`
}

const onPages = `level_page g CROSS JOIN json_each(coalesce(g.thousandths, g.counted, g.reserved)) n
    JOIN item i ON i.number = g.page * ${LEVELS_IN_PAGE} + n.key`

const VIEWS = `
  CREATE VIEW location AS SELECT code, number, name, type FROM place WHERE type IS NOT NULL;
  CREATE VIEW "transaction" AS
    SELECT r.first + t.key AS position, l.name AS till, r.epoch, r.seq + t.key AS seq,
      t.value ->> 3 AS id,                -- NULL: TILL/EPOCH/SEQ, or that of the transaction at "again"
      coalesce(t.value ->> '$[4].kind', k.name) AS kind,
      coalesce(p.code, t.value ->> '$[4].location') AS location,
      r.recorded - (t.value ->> 2) AS at, -- the till's time
      r.recorded,                         -- the server's
      t.value ->> '$[4].flags' AS flags,  -- JSON; NULL: none
      t.value ->> '$[4].refused' AS refused, -- a code; NULL: accepted
      t.value ->> '$[4].field' AS field,
      t.value ->> '$[4].ref' AS ref,
      t.value ->> '$[4].again' AS again   -- the till had posted it before, at this position; nothing moved now
    FROM run r CROSS JOIN json_each(r.rows) t
    JOIN till l ON l.number = r.till JOIN kind k ON k.number = (t.value ->> 0) LEFT JOIN place p ON p.number = (t.value ->> 1);
  CREATE VIEW movement AS
    SELECT r.first + (m.value ->> 0) AS position, m.value ->> 1 AS line, i.code AS item,
      coalesce(f.code, m.value ->> 4) AS from_place, coalesce(o.code, m.value ->> 5) AS to_place,
      ${units('(m.value ->> 3)')} AS quantity,
      r.recorded - coalesce(m.value ->> 6, max(0, ${ofTransaction('[2]')})) AS at, -- when it counts, by the till's clock; never later than it was recorded
      m.value ->> 7 AS reason             -- count_trueup, recode; NULL: the transaction's kind
    FROM run r CROSS JOIN json_each(r.moves) m JOIN item i ON i.number = (m.value ->> 2)
    LEFT JOIN place f ON f.number = (m.value ->> 4) LEFT JOIN place o ON o.number = (m.value ->> 5);
  CREATE VIEW level AS
    SELECT p.code AS location, i.code AS item,
      ${units('coalesce(g.thousandths ->> n.key, 0)')} AS on_hand,
      ${units('coalesce(g.reserved ->> n.key, 0)')} AS reserved,
      ${units('(coalesce(g.thousandths ->> n.key, 0) - coalesce(g.reserved ->> n.key, 0))')} AS available,
      g.thousandths ->> n.key AS thousandths, -- on hand; NULL: it never moved here
      g.counted ->> n.key AS counted_at       -- the till's time of the latest count
    FROM place p CROSS JOIN ${onPages}
    WHERE p.type IS NOT NULL AND g.place = p.number AND coalesce(g.thousandths ->> n.key, g.reserved ->> n.key, g.counted ->> n.key) IS NOT NULL;
  CREATE VIEW counterpart AS  -- the other side of every movement: with level, each item adds up to 0
    SELECT p.code AS place, i.code AS item, ${units('n.value')} AS quantity, n.value AS thousandths
    FROM place p CROSS JOIN ${onPages}
    WHERE p.type IS NULL AND g.place = p.number AND n.value IS NOT NULL
    UNION ALL SELECT 'transit:' || t.transfer, i.code, ${units('t.thousandths')}, t.thousandths FROM transit t JOIN item i ON i.number = t.item;
`

const INDEXES = `
  CREATE INDEX transfer_closed ON transfer (closed);
  CREATE UNIQUE INDEX run_of_till ON run (till, epoch, seq);
`

const ROWS = [
  ...VIRTUAL_PLACES.map((code, number) => `INSERT INTO place VALUES (${number}, '${code}', '${code}', NULL)`),
  ...KINDS.map((name, number) => `INSERT INTO kind VALUES (${number}, '${name}')`),
].join(';')

const SCHEMA = `${TABLES} ${VIEWS} ${ROWS};`

/** A connection's share of memory, in KiB: what is read and written again and again stays at hand. */
const CACHE_KIB = 8_192
/** While all is made anew: what is written last must not drive out what is written often. */
const CACHE_ANEW_KIB = 131_072

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
