import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { constants, zstdCompressSync } from 'node:zlib'

/**
 * Appends batches: a row of SQLite each, zstd at level 1, durable before it is answered. A plain file with fdatasync was tried too: it is
 * no faster compressed, and less than half as fast as it is, for then the disk is the limit.
 */

const port = parentPort as MessagePort
const db = new DatabaseSync(workerData as string)
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE batch (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT')
const insert = db.prepare('INSERT INTO batch (body) VALUES (?)')

port.on('message', (batch: Uint8Array) => {
  insert.run(zstdCompressSync(batch, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }))
  port.postMessage(undefined)
})
