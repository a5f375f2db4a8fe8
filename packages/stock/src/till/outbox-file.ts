import type { DatabaseSync } from 'node:sqlite'
import { chainBefore, chainBehind } from './chain.ts'

/** Of the tables below. */
const VERSION = 4
const SCHEMA = `
  CREATE TABLE till (
    name    TEXT NOT NULL,
    epoch   INTEGER NOT NULL,           -- 0 until the server has given one
    acked   INTEGER NOT NULL,           -- a wire number: all up to here is durable at the server
    again   INTEGER NOT NULL DEFAULT 0, -- a wire number: what is up to here was acknowledged before, and is offered again
    renewal TEXT,                       -- why the till wants a new epoch; null where it does not
    log     TEXT                        -- the server's log that it posts to; null before it was told
  );
  CREATE TABLE outgoing (
    seq      INTEGER PRIMARY KEY, -- the till's own number, for ever
    put      INTEGER NOT NULL,    -- milliseconds since 1970
    line     TEXT NOT NULL,       -- as it is sent
    wire     INTEGER,             -- its number in the till's epoch, which is the one in the line; null: not to be sent any more
    chain    TEXT,                -- of the epoch's lines up to this one; null where it is not known
    accepted INTEGER NOT NULL DEFAULT 0 -- 1: a server had accepted it before it was offered again
  );
  CREATE UNIQUE INDEX outgoing_wire ON outgoing (wire);
  CREATE TABLE result (        -- of transactions with something to say
    seq         INTEGER PRIMARY KEY,
    flags       TEXT,
    refused     TEXT,
    field       TEXT,
    settled     TEXT,          -- what a person did about a refusal: 'replaced', 'dropped'; null: nothing yet
    replacement INTEGER        -- the number of the transaction that replaces it
  );
  CREATE TABLE note (          -- how far an input was taken in, by whoever put it
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  );
`

/** Version 1 had one number for a row, which was sent as it was, and no chains. */
const FROM_VERSION_1 = `
  ALTER TABLE till ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE till ADD COLUMN renewal TEXT;
  ALTER TABLE outgoing ADD COLUMN wire INTEGER;
  ALTER TABLE outgoing ADD COLUMN chain TEXT;
  UPDATE outgoing SET wire = seq;
  CREATE UNIQUE INDEX outgoing_wire ON outgoing (wire);
  ALTER TABLE result ADD COLUMN settled TEXT;
  ALTER TABLE result ADD COLUMN replacement INTEGER;
`
/** Version 2 did not know of a refused transaction whether it had been accepted before. */
const FROM_VERSION_2 = 'ALTER TABLE outgoing ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;'
/** Version 3 did not know the server's log: the one that it meets next is its own. */
const FROM_VERSION_3 = 'ALTER TABLE till ADD COLUMN log TEXT;'

/** Rows are gone through in steps of this size: an outbox may hold more than shall be in memory at once. */
export const STEP_ROWS = 1_000

/** Opens the tables of an outbox, makes them where there are none, and brings those of an earlier version up to this one. */
export function openOutboxFile(db: DatabaseSync): DatabaseSync {
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216')
    const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
    if (tables === 0) db.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${VERSION}; COMMIT`)
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version > 0 && version < VERSION) migrate(db, version)
    else if (version !== VERSION) throw new Error(`it is of version ${version}, this program knows version ${VERSION}`)
    return db
  } catch (error) {
    db.close() // what was not committed is not there
    throw error
  }
}

function migrate(db: DatabaseSync, version: number): void {
  db.exec(`BEGIN IMMEDIATE; ${[FROM_VERSION_1, FROM_VERSION_2, FROM_VERSION_3].slice(version - 1).join(' ')}`)
  if (version === 1) chainAll(db)
  db.exec(`PRAGMA user_version = ${VERSION}; COMMIT`)
}

function chainAll(db: DatabaseSync): void {
  const till = db.prepare('SELECT name, epoch FROM till').get() as { name: string; epoch: number } | undefined
  // Where the first rows were let go, the chain begins in the dark: the server's is taken when it next says hello.
  const begins = db.prepare('SELECT 1 FROM outgoing WHERE wire = 1').get() !== undefined
  if (till !== undefined && begins) chainOn(db, 0, chainBefore(till.name, till.epoch))
}

/** Gives the rows behind a wire number their chains, from the chain at that number on; answers the last. */
export function chainOn(db: DatabaseSync, wire: number, chain: string): string {
  const read = db.prepare('SELECT wire, line FROM outgoing WHERE wire > ? ORDER BY wire LIMIT ?')
  const write = db.prepare('UPDATE outgoing SET chain = ? WHERE wire = ?')
  let at = wire
  let last = chain
  for (;;) {
    const rows = read.all(at, STEP_ROWS) as unknown as { wire: number; line: string }[]
    if (rows.length === 0) return last
    for (const row of rows) {
      at = row.wire
      last = chainBehind(last, row.line)
      write.run(last, at)
    }
  }
}
