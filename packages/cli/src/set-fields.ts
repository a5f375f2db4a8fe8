import { EXIT, Failure } from './failure.ts'

/** `location=S01`, `lines[0].quantity=3` */
const ASSIGNMENT = /^([A-Za-z]\w*(?:\[\d+\]|\.[A-Za-z]\w*)*)=(.*)$/s

/**
 * A copy of a transaction with some fields set. A value is a number, or true or false, where the field is one now; else it is text.
 *
 * @param assignments - each `field=value`; a field of a line is `lines[0].quantity`
 * @throws Failure for what is no assignment, or names a part that is not there.
 */
export function setFields(sent: Readonly<Record<string, unknown>>, assignments: readonly string[]): Record<string, unknown> {
  const copy = structuredClone(sent) as Record<string, unknown>
  for (const assignment of assignments) {
    const [, path, value] = ASSIGNMENT.exec(assignment) ?? []
    if (path === undefined || value === undefined)
      throw new Failure(`--set ${assignment}: it must be field=value, such as location=S01 or lines[0].quantity=3`, EXIT.usage)
    const names = path.split(/[.[\]]+/).filter((name) => name !== '')
    const last = names.pop() as string
    let part: unknown = copy
    for (const name of names) part = isObject(part) && Object.hasOwn(part, name) ? part[name] : undefined
    if (!isObject(part) || (Array.isArray(part) && !Object.hasOwn(part, last)))
      throw new Failure(`--set ${assignment}: the transaction has no ${path}`, EXIT.usage)
    part[last] = valueLike(part[last], value)
  }
  return copy
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function valueLike(now: unknown, text: string): unknown {
  if (typeof now === 'number' && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text)
  if (typeof now === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text // where that is not of the right type, the check of the transaction says so
}
