import { NET_ERRORS, NetError, type NetErrorCode } from '../errors.ts'

/** An error as it crosses to another thread or process: text. */
export interface ToldError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly cause: ToldError | undefined
}

const TEXT_CHARS_MAX = 16 * 1024
const CAUSES_MAX = 4

/** Whatever was thrown, as text of a bounded size. */
export function tellError(error: unknown, causes: number = CAUSES_MAX): ToldError {
  if (!(error instanceof Error)) return { name: 'Error', message: short(text(error)), stack: undefined, code: undefined, cause: undefined }
  const { name, message, stack, cause } = error
  const { code } = error as { readonly code?: unknown }
  return {
    name: short(text(name)),
    message: short(text(message)),
    stack: typeof stack === 'string' ? short(stack) : undefined,
    code: typeof code === 'string' ? short(code) : undefined,
    cause: cause === undefined || causes === 0 ? undefined : tellError(cause, causes - 1),
  }
}

const BUILT_IN: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = { RangeError, SyntaxError, TypeError }

/** The error again: a NetError with its code, or a plain one with the name, the message, the code and the stack of where it was thrown. */
export function errorTold({ name, message, stack, code, cause: toldCause }: ToldError): Error {
  const cause = toldCause === undefined ? undefined : errorTold(toldCause)
  const error =
    name === 'NetError' && code !== undefined && code in NET_ERRORS ? new NetError(code as NetErrorCode, message, cause) : plain()
  if (stack !== undefined) error.stack = stack
  return error

  function plain(): Error {
    const made = new (BUILT_IN[name] ?? Error)(message, cause === undefined ? undefined : { cause })
    if (made.name !== name) made.name = name
    return code === undefined ? made : Object.assign(made, { code })
  }
}

function text(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'something that cannot be shown as text' // an object without a prototype, for one
  }
}

function short(value: string): string {
  return value.length <= TEXT_CHARS_MAX ? value : `${value.slice(0, TEXT_CHARS_MAX)}…`
}
