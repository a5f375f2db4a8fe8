import type { StockLimits } from '../../src/limits.ts'
import { StockServer, type StockServerOptions } from '../../src/server.ts'
import { TempFolder } from './temp-folder.ts'
import { item, location } from './till-lines.ts'
import { WireClient } from './wire-client.ts'

/** A server with a data folder of its own, which can be stopped and started again. */
export class Shop implements AsyncDisposable {
  readonly folder: TempFolder = new TempFolder()
  readonly reports: unknown[] = []
  readonly #limits: Partial<StockLimits>
  readonly #transport: 'tcp' | 'unix'
  #server: StockServer | undefined

  private constructor(limits: Partial<StockLimits>, transport: 'tcp' | 'unix') {
    this.#limits = limits
    this.#transport = transport
  }

  static async open(limits: Partial<StockLimits> = {}, transport: 'tcp' | 'unix' = 'tcp'): Promise<Shop> {
    const shop = new Shop(limits, transport)
    await shop.start()
    return shop
  }

  get server(): StockServer {
    if (this.#server === undefined) throw new Error('the server is stopped')
    return this.#server
  }

  get endpoint(): string {
    return this.server.endpoints[0] ?? ''
  }

  get data(): string {
    return this.folder.file('data')
  }

  async start(more: Partial<StockServerOptions> = {}): Promise<void> {
    this.#server = await StockServer.open({
      data: this.data,
      listen: [this.#transport === 'tcp' ? 'tcp://127.0.0.1:0' : `unix://${this.folder.file('shop')}`],
      name: 'test',
      limits: { projectionMs: 5, ...this.#limits },
      report: (report) => this.reports.push(report),
      ...more,
    })
  }

  async stop(): Promise<void> {
    await this.#server?.close({ within: 2_000 })
    this.#server = undefined
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  connect(): Promise<WireClient> {
    return WireClient.connect(this.endpoint)
  }

  till(name = 'S01/T1', epoch = 0): Promise<WireClient & { readonly welcome: Record<string, unknown> }> {
    return WireClient.till(this.endpoint, name, epoch)
  }

  /** A till that has defined S01 and apple with its first two numbers. */
  async stockedTill(name = 'S01/T1'): Promise<WireClient> {
    const till = await this.till(name)
    till.say(location(1), item(2))
    await till.acked(2)
    return till
  }

  /** Levels as a reader of its own sees them. */
  async levels(filter: Record<string, unknown> = {}): Promise<unknown> {
    using reader = await this.connect()
    reader.say({ hello: 1 }, { ask: 1, levels: filter })
    await reader.next()
    return (await reader.next()).levels
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.folder[Symbol.dispose]()
  }
}
