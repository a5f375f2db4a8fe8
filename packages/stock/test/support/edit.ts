import { DatabaseSync } from 'node:sqlite'

/** Changes a file of SQLite behind the back of whoever it belongs to. */
export function edit(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}
