import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type InputDefaults, type InputDraft, type InputFormat, READERS, utf8, withDefinitions } from '../../src/input/index.ts'

const NOW = Date.parse('2026-11-20T18:00:00.000Z')
const DEFAULTS: InputDefaults = { location: 'S01', now: NOW }

async function* chunks(text: string | Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(
  format: InputFormat,
  text: string | Buffer,
  defaults: InputDefaults = DEFAULTS,
  size = 64 * 1024,
): Promise<readonly InputDraft[]> {
  return Array.fromAsync(READERS[format](utf8(chunks(text, size)), defaults))
}

/** Each basket as its items. */
async function baskets(text: string | Buffer): Promise<unknown> {
  return (await read('baskets', text)).map(({ draft }) => ('lines' in draft ? draft.lines.map(({ item }) => item) : undefined))
}

const refusal = (message: RegExp) => ({ name: 'Failure', exitCode: 2, message })

describe('the reader of baskets', () => {
  it('makes a sale of each line, with one of each item', async () => {
    assert.deepEqual(await read('baskets', 'milk,rolls/buns\nmilk\n'), [
      {
        draft: {
          kind: 'sale',
          at: NOW,
          location: 'S01',
          lines: [
            { item: 'milk', quantity: 1 },
            { item: 'rolls/buns', quantity: 1 },
          ],
        },
        line: 1,
      },
      { draft: { kind: 'sale', at: NOW, location: 'S01', lines: [{ item: 'milk', quantity: 1 }] }, line: 2 },
    ])
  })

  it('trims names, passes over empty lines, and reads CR LF, a byte order mark and a last line without its end', async () => {
    assert.deepEqual(await baskets('\ufeffmilk , cream cheese \r\n\r\n \n\n,\n  eggs'), [['milk', 'cream cheese'], ['eggs']])
    assert.deepEqual(await baskets(''), [])
    assert.deepEqual(await baskets('\ufeff'), [])
  })

  it('keeps an item that stands twice in a basket twice', async () => {
    assert.deepEqual(await baskets('milk,milk'), [['milk', 'milk']])
  })

  it('refuses an item without a name, with the line', async () => {
    await assert.rejects(read('baskets', 'milk\nmilk,,eggs\n'), refusal(/^line 2: item 2 of the basket has no name/))
    await assert.rejects(read('baskets', '\n\nmilk, \n'), refusal(/^line 3: item 2/))
  })

  it('needs a location', async () => {
    await assert.rejects(read('baskets', 'milk', { location: undefined, now: NOW }), refusal(/--location/))
  })

  it('refuses what is not UTF-8, with the line', async () => {
    const latin = Buffer.concat([Buffer.from('milk\n'), Buffer.from('crème\n', 'latin1'), Buffer.from('eggs\n')])
    await assert.rejects(read('baskets', latin), refusal(/^line 2: .*UTF-8/))
    await assert.rejects(read('baskets', Buffer.from('milk\r\n', 'utf16le').fill(0xff, 0, 1)), refusal(/^line 1: .*UTF-8/))
    await assert.rejects(read('baskets', Buffer.from('milk, crè').subarray(0, -1)), refusal(/^line 1: .*UTF-8/), 'half a letter at the end')
  })

  it('reads the same however the bytes are split', async () => {
    const name = fc.constantFrom('milk', 'crème fraîche', 'ソース', 'rolls/buns', ' UHT-milk ')
    const line = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join(','))
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 40 }),
        async (lines, end, size) => {
          const text = lines.join(end)
          assert.deepEqual(await read('baskets', text, DEFAULTS, size), await read('baskets', text))
          assert.equal((await read('baskets', text, DEFAULTS, size)).length, lines.length)
        },
      ),
    )
  })
})

describe('the reader of ndjson', () => {
  it('takes transactions as the protocol has them, and fills in what may be left out', async () => {
    const text = [
      '{"kind":"sale","lines":[{"item":"milk","quantity":2}]}',
      '',
      '{"kind":"receipt","location":"W01","at":"2026-11-20T10:00:00+01:00","lines":[{"item":"milk","quantity":0.5}],"ref":"N1"}',
      '{"kind":"item","item":"milk","barcodes":["123"]}',
    ].join('\n')
    assert.deepEqual(await read('ndjson', text), [
      { draft: { kind: 'sale', location: 'S01', at: NOW, lines: [{ item: 'milk', quantity: 2 }] }, line: 1 },
      {
        draft: {
          kind: 'receipt',
          location: 'W01',
          at: Date.parse('2026-11-20T09:00:00.000Z'),
          lines: [{ item: 'milk', quantity: 0.5 }],
          ref: 'N1',
        },
        line: 3,
      },
      { draft: { kind: 'item', at: NOW, item: 'milk', barcodes: ['123'] }, line: 4 },
    ])
  })

  it('refuses what is no object, a number of its own, and a time that is none, with the line', async () => {
    await assert.rejects(read('ndjson', '{"kind":"sale","lines":[]}\n[]'), refusal(/^line 2: it is not a JSON object/))
    await assert.rejects(read('ndjson', 'null'), refusal(/^line 1: it is not a JSON object/))
    await assert.rejects(read('ndjson', '\n{"kind":'), refusal(/^line 2: it is not a JSON object/))
    await assert.rejects(read('ndjson', '{"seq":1,"kind":"sale"}'), refusal(/^line 1: seq is given by the outbox/))
    await assert.rejects(read('ndjson', '{"kind":"sale","at":"yesterday"}'), refusal(/^line 1: at must be a time/))
    await assert.rejects(read('ndjson', '{"kind":"sale","at":{}}'), refusal(/^line 1: at must be a time/))
  })

  it('gathers no line without end', async () => {
    await assert.rejects(read('ndjson', Buffer.alloc(9 * 1024 * 1024, 'x')), refusal(/^line 1: it has more than/))
  })
})

describe('the reader of csv', () => {
  const csv = async (text: string | Buffer, defaults?: InputDefaults) =>
    (await read('csv', text, defaults)).map(({ draft, line }) => ({ ...draft, line }))

  it('makes a transaction of each row, a sale unless the row says otherwise', async () => {
    assert.deepEqual(
      await csv('\ufeffitem,quantity,kind,location,at,ref\r\nmilk,2,,,,\r\n"eggs, ""free""",-1.5,adjust,W01,2026-11-20T10:00:00Z,N7\r\n'),
      [
        { kind: 'sale', at: NOW, location: 'S01', lines: [{ item: 'milk', quantity: 2 }], line: 2 },
        {
          kind: 'adjust',
          at: Date.parse('2026-11-20T10:00:00Z'),
          location: 'W01',
          lines: [{ item: 'eggs, "free"', quantity: -1.5 }],
          ref: 'N7',
          line: 3,
        },
      ],
    )
  })

  it('makes one transaction of rows behind one another with the same receipt', async () => {
    const rows = await csv('receipt,item,quantity\n1,milk,1\n1,eggs,2\n2,milk,1\n,milk,3\n,milk,4\n1,milk,5')
    assert.deepEqual(
      rows.map((row) => ('lines' in row ? row.lines.map(({ quantity }) => quantity) : [])),
      [[1, 2], [1], [3], [4], [5]],
    )
  })

  it('refuses rows of one receipt that differ in what a transaction has once', async () => {
    await assert.rejects(
      csv('receipt,location,item,quantity\n1,S01,milk,1\n1,S02,eggs,2'),
      refusal(/^line 3: location differs from the first row of receipt 1/),
    )
    assert.equal((await csv('receipt,location,item,quantity\n1,S01,milk,1\n1,,eggs,2')).length, 1)
  })

  it('takes LF and CRLF for the end of a row, in one file too', async () => {
    const drafts = await csv('item,quantity\r\nmilk,1\ntea,2\r\n')
    assert.deepEqual(
      drafts.map(({ line }) => line),
      [2, 3],
    )
  })

  it('refuses a header that it does not know', async () => {
    await assert.rejects(csv('item,qty\nmilk,1'), refusal(/^line 1: unknown column "qty"; known are receipt, /))
    await assert.rejects(csv('item;quantity\nmilk;1'), refusal(/^line 1: the cells are separated by semicolons; it must be commas$/))
    await assert.rejects(csv('item\tquantity\nmilk\t1'), refusal(/^line 1: the cells are separated by tabs; it must be commas$/))
    await assert.rejects(csv('\n'), refusal(/^it is empty; its first line must name the columns: receipt, /))
    await assert.rejects(csv('item,quantity\nmilk,"1,5"'), refusal(/^line 2: quantity must be a number, not "1,5"; write 1\.5$/))
    await assert.rejects(csv('item,ref\nmilk,1'), refusal(/^line 1: the column "quantity" is missing/))
    await assert.rejects(csv('item,quantity,item\nmilk,1,x'), refusal(/^line 1: the column "item" is there twice/))
  })

  it('refuses what is no number and what is no row, with the line', async () => {
    for (const bad of ['', 'two', '1e3', '0x10', '1 000', '1,5', 'NaN', 'Infinity', '--1']) {
      await assert.rejects(csv(`item,quantity\nmilk,1\n\nmilk,"${bad}"\n`), refusal(/^line 4: quantity must be a number/), bad)
    }
    await assert.rejects(csv('item,quantity\nmilk,1\nmilk\n'), refusal(/^line 3: /))
    await assert.rejects(csv('item,quantity\nmilk,1\n"milk,1\n'), refusal(/^line [34]: a quote is opened/))
    await assert.rejects(csv('receipt,item,quantity\n1,milk,1\n1,milk,x'), refusal(/^line 3: quantity/))
    await assert.rejects(csv('item,quantity,at\nmilk,1,noon'), refusal(/^line 2: at must be a time/))
    await assert.rejects(csv('item,quantity\nmilk,1', { location: undefined, now: NOW }), refusal(/^line 2: no location/))
    await assert.rejects(csv(Buffer.from('item,quantity\ncrème,1', 'latin1')), refusal(/^line 2: .*UTF-8/))
  })
})

describe('definitions', () => {
  it('come before the first use of a location or an item, once each, and are marked', async () => {
    const drafts = READERS.baskets(chunks('milk,eggs\nmilk,tea\n', 7), DEFAULTS)
    const all = await Array.fromAsync(withDefinitions(drafts, NOW))
    assert.deepEqual(
      all.map(({ draft, added, line }) => [draft.kind, 'item' in draft ? draft.item : '', added === true, line]),
      [
        ['location', '', true, 1],
        ['item', 'milk', true, 1],
        ['item', 'eggs', true, 1],
        ['sale', '', false, 1],
        ['item', 'tea', true, 2],
        ['sale', '', false, 2],
      ],
    )
  })
})
