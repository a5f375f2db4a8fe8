import { DEFAULT_LIMITS, type Limits, limitsFrom } from '@tillwire/net'
import { InvalidArgumentError } from 'commander'

/** `--limit NAME=VALUE`, which may be given several times: any row of the table of limits. */
export function limit(text: string, earlier: Partial<Limits> | undefined): Partial<Limits> {
  const [, name, value] = /^(\w+)=(.+)$/.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError(`it must be NAME=VALUE; the names: ${Object.keys(DEFAULT_LIMITS).join(', ')}`)
  const limits = { ...earlier, [name]: Number(value) }
  try {
    limitsFrom(limits)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
  return limits
}
