import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  chainHigh,
  chainLow,
  chainText,
  firstChain,
  hashContent,
  hashHigh,
  hashLow,
  LineReader,
  nextChain,
} from '../../src/protocol/index.ts'

function hash(bytes: Uint8Array, start = 0, end: number = bytes.length): [number, number] {
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), start, end)
  return [hashHigh, hashLow]
}

describe('reading lines', () => {
  const read = (block: Buffer): { text: string | undefined; bytes: string }[] => {
    const reader = new LineReader(block)
    const lines: { text: string | undefined; bytes: string }[] = []
    while (reader.next()) lines.push({ text: reader.text(), bytes: block.toString('latin1', reader.start, reader.end) })
    return lines
  }

  it('finds what splitting at line feeds finds, in ASCII and beyond', () => {
    const unit = fc.constantFrom('a', '"', ' ', '\r', '\n', 'ä', '🧀', '\u2028')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 60 }), (units) => {
        const text = `${units.join('')}\n`
        const expected = text.split('\n').slice(0, -1)
        assert.deepEqual(
          read(Buffer.from(text)),
          expected.map((line) => ({ text: line, bytes: Buffer.from(line).toString('latin1') })),
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds no text in lines that are not UTF-8, and text in those beside them', () => {
    const block = Buffer.concat([
      Buffer.from('one\n'),
      Buffer.from([0xc3, 0x28, 0x0a]),
      Buffer.from('zwölf\n'),
      Buffer.from([0xed, 0xa0, 0x80, 0x0a]),
    ])
    assert.deepEqual(
      read(block).map(({ text }) => text),
      ['one', undefined, 'zwölf', undefined],
    )
  })

  it('finds no line where none is ended', () => {
    assert.deepEqual(read(Buffer.alloc(0)), [])
    assert.deepEqual(read(Buffer.from('half')), [])
  })
})

describe('the content hash', () => {
  for (const [text, high, low] of [
    ['', -613538226, 1307990095],
    ['a', -298515944, -1433360297],
    ['1234567', 953145924, 714893512],
    ['12345678', -1596142083, -641146445],
    ['{"seq":1}', 345765354, -1394822936],
    ['{"seq":42,"kind":"sale","location":"S01","lines":[{"item":"4006381333931","quantity":2}]}', -1305685905, -361284244],
  ] as const) {
    it(`of ${text === '' ? 'nothing' : text} is what it always was`, () => assert.deepEqual(hash(Buffer.from(text)), [high, low]))
  }

  it('is of the bytes alone, wherever they stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(9), fc.nat(9), (bytes, before, behind) => {
        const around = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(behind, 9)])
        assert.deepEqual(hash(around, before, before + bytes.length), hash(bytes))
      }),
    )
  })

  it('changes by about half its bits when one bit of the content does', () => {
    const content = Buffer.from('{"seq":42,"kind":"sale","location":"S01","lines":[{"item":"4006381333931","quantity":2}]}')
    const [high, low] = hash(content)
    const weight = (bits: number): number => bits.toString(2).replaceAll('0', '').length
    let changed = 0
    for (let bit = 0; bit < content.length * 8; bit++) {
      const other = Buffer.from(content)
      other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const [otherHigh, otherLow] = hash(other)
      const differing = weight((high ^ otherHigh) >>> 0) + weight((low ^ otherLow) >>> 0)
      assert.ok(differing > 8, `bit ${bit}: ${differing}`)
      changed += differing
    }
    const mean = changed / (content.length * 8)
    assert.ok(mean > 29 && mean < 35, `${mean} of 64`)
  })

  it('tells a hundred thousand sales apart', () => {
    const seen = new Set<string>()
    for (let seq = 1; seq <= 100_000; seq++)
      seen.add(hash(Buffer.from(`{"seq":${seq},"kind":"sale","lines":[{"item":"apple","quantity":1}]}`)).join())
    assert.equal(seen.size, 100_000)
  })
})

describe('the chain of a till', () => {
  const lines = ['{"seq":1}', '{"seq":42,"kind":"sale","location":"S01","lines":[{"item":"4006381333931","quantity":2}]}']

  for (const [till, epoch, chains] of [
    ['S01/T2', 1, ['7620c10c982dedf5', '90ed060c32faa8c9', 'c4ff57f4c358072a']],
    ['S01/T2', 2, ['181fc9254e152346', 'c756cb225a3a2996', 'd58cfd02756b166d']],
    ['server', 0, ['2cba49a7a94ea911', '148681b012877a33', '59a6145b2f5827d7']],
  ] as const) {
    it(`of ${till} in epoch ${epoch} is what it always was`, () => {
      firstChain(till, epoch)
      const said = [chainText(chainHigh, chainLow)]
      for (const line of lines) {
        const [high, low] = [chainHigh, chainLow]
        hash(Buffer.from(line))
        nextChain(high, low, hashHigh, hashLow)
        said.push(chainText(chainHigh, chainLow))
      }
      assert.deepEqual(said, chains)
    })
  }

  it('is said with 16 digits, also where its halves begin with zeros', () => {
    assert.equal(chainText(0, 0x1f), '000000000000001f')
    assert.equal(chainText(-1, 1), 'ffffffff00000001')
  })
})
