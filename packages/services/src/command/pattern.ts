import { type Context, createContext, Script } from 'node:vm'
import { LIMITS } from '../limits.ts'

const TEST = new Script('whole.test(text)')
let place: Context | undefined

/**
 * A regular expression that a whole text must match, and within a bounded time: some take twice as long for each letter more, and while
 * one is looked at nothing else is served. A text that takes too long does not match.
 * @throws SyntaxError for what is no regular expression
 */
export function wholeMatch(pattern: string): (text: string) => boolean {
  new RegExp(pattern, 'v') // by itself, so that it cannot end the group below
  const whole = new RegExp(`^(?:${pattern})$`, 'v')
  return (text) => {
    place ??= createContext()
    Object.assign(place, { whole, text })
    try {
      return TEST.runInContext(place, { timeout: LIMITS.commandPatternMs }) === true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false
      throw error
    }
  }
}
