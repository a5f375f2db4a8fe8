import { parseEndpoint } from '@tillwire/net'
import { parseTime } from '@tillwire/stock'
import { InvalidArgumentError, Option } from 'commander'

/** Where the stock server listens unless told otherwise. */
export const DEFAULT_ENDPOINT = 'tcp://127.0.0.1:7117'

/** An endpoint, checked; commander shows what is wrong with it. */
export function endpoint(text: string): string {
  try {
    parseEndpoint(text)
    return text
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

/** Endpoints of an option that may be given several times. */
export function endpoints(text: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), endpoint(text)]
}

/** Where a stock server can be. */
function stockEndpoint(text: string): string {
  const { transport } = parseEndpoint(endpoint(text))
  if (transport === 'udp' || transport === 'unixgram')
    throw new InvalidArgumentError(`a stock server is at tcp:// or unix://, not at ${transport}://`)
  return text
}

/** Where a stock server listens; may be given several times. */
export function stockListens(text: string, earlier: string[] | undefined): string[] {
  if (parseEndpoint(endpoint(text)).transport === 'tls')
    throw new InvalidArgumentError('this version has no TLS: it must be tcp:// or unix://')
  return [...(earlier ?? []), stockEndpoint(text)]
}

/** A number of seconds. */
export function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('it must be a number of seconds')
  return value
}

/** A quantity in units, which may be below 0. */
export function quantity(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('it must be a number such as 12 or 0.75')
  return value
}

/** `--server`, the same in every command that talks to one. */
export function serverOption(): Option {
  return new Option('-s, --server <endpoint>', 'where the stock server listens')
    .default(DEFAULT_ENDPOINT)
    .env('TILLWIRE_SERVER')
    .argParser(stockEndpoint)
}

/** `--data`, the same in every command that works on a data folder. */
export function dataOption(): Option {
  return new Option('-d, --data <folder>', "the server's data folder").default('./data')
}

/** A time of RFC 3339, or a day, which begins at midnight UTC; as the protocol says times. */
export function moment(text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00.000Z` : text
  if (Number.isNaN(parseTime(time)))
    throw new InvalidArgumentError('it must be a time such as 2026-11-20T18:05:30Z, or a day such as 2026-11-20')
  return time
}
