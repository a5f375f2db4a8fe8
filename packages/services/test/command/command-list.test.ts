import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CommandEntries, command, DEFAULT_COMMANDS } from '@tillwire/services'
import fc from 'fast-check'
import { CommandList } from '../../src/command/command-list.ts'

describe('a list of commands', () => {
  it('says which key is wrong', () => {
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [[], /^commands: must be a table$/],
      [{ disk: 'df' }, /^commands\.disk: must be a table$/],
      [{ disk: {} }, /^commands\.disk\.run: must name a program$/],
      [{ disk: { run: 'df -h' } }, /^commands\.disk\.run: must be a list of texts$/],
      [{ disk: { run: [] } }, /^commands\.disk\.run: must name a program$/],
      [{ disk: { run: ['df'], cwd: '/' } }, /^commands\.disk\.cwd: is not known; known: run, arguments, /],
      [{ disk: { run: ['df'], timeoutMs: 0 } }, /^commands\.disk\.timeoutMs: must be a whole number from 1 to 2147483647$/],
      [{ disk: { run: ['df'], errors: 'merge' } }, /^commands\.disk\.errors: must be send or drop$/],
      [{ disk: { run: ['df'], whenClientEnds: 'wait' } }, /^commands\.disk\.whenClientEnds: must be finish or kill$/],
      [{ disk: { run: ['df'], environment: { A: 1 } } }, /^commands\.disk\.environment\.A: must be a text$/],
      [{ disk: { run: ['df'], arguments: [{}] } }, /^commands\.disk\.arguments\[0\]\.pattern: exactly one of pattern and oneOf/],
      [{ disk: { run: ['df'], arguments: [{ pattern: '(' }] } }, /^commands\.disk\.arguments\[0\]\.pattern: is no regular expression: /],
      [
        { disk: { run: ['df'], arguments: [{ pattern: 'a', optional: true }, { pattern: 'b' }] } },
        /^commands\.disk\.arguments: argument 2 must be optional/,
      ],
      [
        { disk: { run: ['df'], arguments: [{ pattern: 'a)|(?:.*' }] } },
        /^commands\.disk\.arguments\[0\]\.pattern: is no regular expression: /,
      ],
      [
        { disk: { run: ['df'], arguments: [{ pattern: 'a'.repeat(1001) }] } },
        /^commands\.disk\.arguments\[0\]\.pattern: must be at most 1000 letters$/,
      ],
      [
        { disk: { run: ['df'], arguments: Array(1001).fill({ oneOf: ['a'] }) } },
        /^commands\.disk\.arguments: must be a list of up to 1000 tables$/,
      ],
      [{ BYE: { run: ['df'] } }, /^commands\.BYE: is no name/],
      [{ 'two words': { run: ['df'] } }, /^commands\.two words: is no name/],
    ]
    for (const [commands, message] of wrong) {
      assert.throws(() => command({ commands: commands as CommandEntries }), { name: 'TypeError', message }, JSON.stringify(commands))
    }
  })

  it('takes the whole argument for what a pattern must match', () => {
    const list = new CommandList({ host: { run: ['host'], arguments: [{ pattern: 'a|b' }] } })
    assert.equal(typeof list.find('host a'), 'object')
    for (const line of ['host ab', 'host xa', 'host bx', 'host a b', 'host']) assert.equal(typeof list.find(line), 'string', line)
  })

  it('lets no argument through that its pattern takes too long to look at, and is not held up by it', () => {
    const list = new CommandList({ host: { run: ['host'], arguments: [{ pattern: '(a+)+b' }] } })
    const text = 'a'.repeat(60)
    assert.equal(list.find(`host ${text}c`), `host: argument 1 is not allowed: "${text}c"`)
    assert.equal(typeof list.find(`host ${text}b`), 'object')
  })

  it('splits a line at spaces and tabs, nothing else', () => {
    const list = new CommandList({ say: { run: ['say'], arguments: [{ pattern: '.*' }, { pattern: '.*', optional: true }] } })
    const args = (line: string) => (list.find(line) as { readonly args?: readonly string[] }).args
    assert.deepEqual(args('say  a\t b'), ['a', 'b'])
    for (const blank of ['\u00a0', '\u2028', '\u3000', '\ufeff'])
      assert.deepEqual(args(`say a${blank}b`), blank === '\u2028' ? undefined : [`a${blank}b`])
    for (const control of ['\v', '\f', '\r', '\0', '\u0085']) assert.equal(args(`say a${control}b`), undefined)
  })

  it('never lets more through than its entries allow, whatever a peer says', () => {
    const list = new CommandList({ ...DEFAULT_COMMANDS, host: { run: ['host', '-t', 'A'], arguments: [{ pattern: '[a-z.]{1,20}' }] } })
    const programs = new Set(['date', 'df', 'uname', 'uptime', 'host'])
    const word = fc.oneof(fc.constantFrom('host', 'date', 'disk', '-h', 'a.b', '$(id)', '..'), fc.string())
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (words) => {
        const task = list.find(words.join(' '))
        if (typeof task === 'string') return
        assert.ok(programs.has(task.program))
        if (task.program === 'host') assert.match(task.args.join(' '), /^-t A [a-z.]{1,20}$/)
        else assert.ok(task.args.length <= 1)
      }),
    )
  })
})
