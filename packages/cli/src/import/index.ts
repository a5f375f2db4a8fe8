/** Definitions and opening stock from CSV files. */
export { AskedServer } from './asked-server.ts'
export { packText } from './cells.ts'
export { namedElsewhere, rehearse } from './check.ts'
export { Faults } from './faults.ts'
export { Importing } from './importing.ts'
export { checkOpened } from './opened.ts'
export { readTable } from './table.ts'
export { columnsOf, type Named, note, type Planned, plan, TABLES, type TableName } from './tables.ts'
