import type { LoadSettings } from '../load/load-settings.ts'
import type { Program } from './program.ts'

/** A server that takes receipts, running in a scratch folder of its own. */
export interface Contender {
  readonly name: string
  readonly dialect: LoadSettings['dialect']
  readonly port: number
  readonly program: Program
  /** Bytes of its log, where the bench knows how to tell. */
  logBytes?(): number
  /** Resolves when it has nothing left to do of what it was sent. */
  settled?(): Promise<void>
  /** Ends it as fast as it goes: its folder is removed anyway. */
  end(): Promise<void>
}
