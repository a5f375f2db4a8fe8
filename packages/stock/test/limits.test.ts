import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_STOCK_LIMITS, type StockLimits, stockLimitsFrom } from '../src/limits.ts'
import { heading, LOG_LIMITS } from '../src/log/index.ts'
import { StockServer } from '../src/server.ts'
import { Till } from '../src/till/index.ts'
import { TempFolder } from './support/temp-folder.ts'

const names = Object.keys(DEFAULT_STOCK_LIMITS) as (keyof StockLimits)[]

describe('the limits of the stock', () => {
  it('are all defaults when nothing is given, and keep what is given', () => {
    assert.deepEqual(stockLimitsFrom(), DEFAULT_STOCK_LIMITS)
    assert.deepEqual(stockLimitsFrom({ ...DEFAULT_STOCK_LIMITS, watchMs: 0 }), { ...DEFAULT_STOCK_LIMITS, watchMs: 0 })
  })

  for (const name of names) {
    it(`name ${name} when its value is none`, () => {
      for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined, ...(name.endsWith('Ms') ? [] : [0])]) {
        assert.throws(() => stockLimitsFrom({ [name]: value }), { name: 'RangeError', message: new RegExp(`limit ${name} must be`) })
      }
    })
  }

  it('refuse a name that they do not know, and a time that a timer would take for 1 ms', () => {
    assert.throws(() => stockLimitsFrom({ toString: 5 } as unknown as Partial<StockLimits>), { message: /unknown limit toString/ })
    assert.throws(() => stockLimitsFrom({ ackMs: 2 ** 31 }), { message: /limit ackMs/ })
  })

  it('allow no batch that a record of the log cannot hold', () => {
    const { bodyBytesMax, headingBytesMax } = LOG_LIMITS
    for (const name of ['batchBytesMax', 'lineBytesMax', 'batchTransactionsMax'] as const) {
      assert.throws(() => stockLimitsFrom({ [name]: bodyBytesMax }), { name: 'RangeError', message: new RegExp(name) })
    }
    assert.equal(heading('x'.repeat(64), Number.MAX_SAFE_INTEGER).length, headingBytesMax)
  })

  it('are looked at by a server and by a till', async () => {
    using folder = new TempFolder()
    const limits = { batchBytesMax: 0 }
    const server = 'tcp://127.0.0.1:0'
    await assert.rejects(StockServer.open({ data: folder.file('data'), listen: [server], limits }), { message: /limit batchBytesMax/ })
    assert.throws(() => new Till({ till: 'T1', server, outbox: folder.file('outbox'), limits }), { message: /limit batchBytesMax/ })
  })
})
