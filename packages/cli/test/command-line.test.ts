import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Workshop } from './support/tillwire.ts'

const COMMANDS = ['serve', 'post', 'levels', 'watch', 'till', 'run', 'call'] as const

/** One line for the person, at most a hint below it, and never the inside of the program. */
function assertClear(err: string, message: RegExp, hint = false): void {
  const lines = err.trimEnd().split('\n')
  assert.match(lines[0] ?? '', message)
  assert.equal(lines.length, hint ? 2 : 1, err)
  if (hint) assert.equal(lines[1], '(add --help for the options)')
  assert.doesNotMatch(err, /^\s+at |node:internal|\.ts:\d/m)
}

describe('the command line', { concurrency: 2 }, () => {
  it('helps with every command', async (t) => {
    const at = await Workshop.open(t)
    const top = await at.run('--help')
    assert.equal(top.code, 0)
    assert.match(top.out, /^Usage: tillwire /)
    assert.match(top.out, /Exit codes: 0 done, 1 failed, 2 wrong command line or input, 3 .*, 130 interrupted/)
    for (const command of COMMANDS) {
      assert.match(top.out, new RegExp(`^ {2}${command} `, 'm'))
      const { code, out, err } = await at.run(command, '--help')
      assert.equal(code, 0)
      assert.match(out, new RegExp(`^Usage: tillwire ${command} `))
      assert.equal(err, '')
    }
    assert.match((await at.run('--version')).out, /^\d+\.\d+\.\d+\n$/)
  })

  it('refuses what it does not know with one line, a hint, and exit code 2', async (t) => {
    const at = await Workshop.open(t)
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['levels', '--everything'], /^error: unknown option '--everything'/],
      [['purchase'], /^error: unknown command 'purchase'/],
      [['post', 'f'], /^error: required option '-t, --till <name>' not specified/],
      [['post', '--till', 'S01/T1'], /^error: missing required argument 'file'/],
      [['post', 'f', '--till', 'S01/T1', '--format', 'xml'], /^error: option '-f, --format <format>' argument 'xml' is invalid/],
      [['post', 'f', '--till', 'S01/T1', '--timeout', 'soon'], /^error: option '--timeout <seconds>' argument 'soon' is invalid/],
      [['till', '--location', 'S01'], /^error: required option '-t, --till <name>' not specified/],
      [['levels', '--json', '--csv'], /^error: option '--json' cannot be used with option '--csv'/],
      [['levels', 'S01'], /^error: too many arguments/],
      [['levels', '--server', '127.0.0.1:7117'], /it has no scheme; did you mean tcp:\/\/127\.0\.0\.1:7117\?/],
      [['watch', '--server', 'tcp://127.0.0.1:70000'], /"70000" is not a port from 0 to 65535/],
      [['serve', '--listen', 'tcp://:7117'], /the host is empty/],
      [['serve', '--listen', 'unix://run/x'], /is not an absolute path/],
      [
        ['run', 'finger'],
        /'finger' is invalid for argument 'service'\. Allowed choices are echo, hello, daytime, timestamp, sink, command, all\./,
      ],
      [['run', 'echo', '127.0.0.1:7'], /it has no scheme; did you mean tcp:\/\/127\.0\.0\.1:7\?/],
      [['run', 'echo', '--framing', 'morse'], /'morse' is invalid\. Allowed choices are bytes, lines, lenient-lines, /],
      [['run', 'echo', '--limit', 'connectionMax=1'], /unknown limit connectionMax; known: connectionsMax, /],
      [['run', 'echo', '--limit', 'connectionsMax=many'], /limit connectionsMax must be a whole number, not "many"/],
      [['run', 'echo', '--limit', 'connectionsMax'], /it must be NAME=VALUE; the names: connectionsMax, /],
      [['run', 'echo', '--mode', 'rw'], /it must be rights in octal, such as 660/],
      [['run', 'command', '--shell', '--commands', 'f'], /option '--shell' cannot be used with option '--commands <file>'/],
      [['call'], /missing required argument 'endpoint'/],
      [['call', 'tcp://127.0.0.1:1', '--timeout', '0'], /whole number of milliseconds/],
    ]
    for (const [args, message] of wrong) {
      const { code, err, out } = await at.run(...args)
      assertClear(err, message, true)
      assert.equal(code, 2, args.join(' '))
      assert.equal(out, '')
    }
    assert.equal((await at.run()).code, 2)
  })

  it('refuses names that nothing can have with exit code 2', async (t) => {
    const at = await Workshop.open(t)
    await at.serve()
    for (const args of [
      ['till', '--location', 'S01', '--till', 'no good'],
      ['levels', '--location', 'no good'],
      ['watch', '--location', 'no good'],
    ]) {
      const { code, err } = await at.run(...args, '--server', at.endpoint)
      assertClear(err, /^tillwire: .*(till|location) must be a /)
      assert.equal(code, 2)
    }
  })

  it('says on one line that nobody is there', async (t) => {
    const at = await Workshop.open(t)
    for (const command of ['levels', 'watch']) {
      const { code, err, out } = await at.run(command, '--server', at.endpoint)
      assertClear(err, /^tillwire: unix:\/\/.*: nobody listens on the endpoint .*; is "tillwire serve" running there\?$/)
      assert.equal(code, 1)
      assert.equal(out, '')
    }
  })

  it('serves this machine only, unless it is told otherwise', async (t) => {
    const at = await Workshop.open(t)
    for (const endpoint of ['tcp://0.0.0.0:0', 'tcp://[::]:0', 'tcp://192.0.2.1:7117', 'tcp://shop.example:7117']) {
      const { code, err } = await at.run('serve', '--listen', endpoint)
      assertClear(err, /can be reached from other machines, .*--insecure/)
      assert.equal(code, 2)
    }
    const open = at.start('serve', '--listen', 'tcp://0.0.0.0:0', '--insecure')
    await open.printed(/stock listening on tcp:\/\/0\.0\.0\.0:\d+/)
  })
})
