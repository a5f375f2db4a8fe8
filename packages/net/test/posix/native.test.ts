import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants } from 'node:os'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { native } from '../../src/posix/native.ts'
import { POSIX, run, source } from './posix-support.ts'

const tell = `import(${source('posix/index.ts')})
  .then(({ duplicate }) => duplicate(0)).then(() => 'done', (error) => error.code + ': ' + error.message)`

describe("the operating system beyond Node's API", { skip: !POSIX }, () => {
  it('is not loaded before it is used', async (t) => {
    const ended = await run(
      t,
      `import ${source('index.ts')}; import { closeDescriptor, duplicate } from ${source('posix/index.ts')}
      const loaded = () => process.moduleLoadList.includes('NativeModule ffi')
      console.log(loaded()); closeDescriptor(duplicate(0)); console.log(loaded())`,
    )
    assert.deepEqual(ended, { status: 0, out: 'false\ntrue\n', err: '' })
  })

  it('is used without a warning, and other warnings are printed as ever', async (t) => {
    const ended = await run(
      t,
      `const { emitWarning } = process
      import { duplicate } from ${source('posix/index.ts')}
      duplicate(0)
      console.log(process.emitWarning === emitWarning)
      process.emitWarning('mind the step')`,
    )
    assert.equal(ended.out, 'true\n')
    assert.match(ended.err, /mind the step/)
    assert.doesNotMatch(ended.err, /FFI/)
  })

  it('is refused where ffi is switched off', async (t) => {
    const { out } = await run(t, `console.log(await ${tell})`, ['--no-experimental-ffi'])
    assert.match(out, /^unsupported: .*node:ffi is switched off/)
  })

  it('is refused where the permission model forbids ffi', async (t) => {
    const { out } = await run(t, `console.log(await ${tell})`, ['--permission', '--allow-fs-read=*'])
    assert.match(out, /^unsupported: .*--allow-ffi/)
  })

  it('is refused on another platform', async (t) => {
    const { out } = await run(t, `Object.defineProperty(process, 'platform', { value: 'sunos' }); console.log(await ${tell})`)
    assert.match(out, /^unsupported: .*not for sunos/)
  })

  it('is refused in a worker thread', async () => {
    const worker = new Worker(`${tell}.then((text) => require('node:worker_threads').parentPort.postMessage(text))`, { eval: true })
    const [text] = await once(worker, 'message')
    assert.match(text, /^unsupported: .*main thread only/)
  })

  it('tells the reason of a failure truly, whatever the garbage collector does meanwhile', async (t) => {
    const { c, errno } = native()
    const wrong = new Set<number>()
    let litter: unknown[] = []
    for (let i = 0; i < 200_000; i++) {
      if (c.close(-1) !== -1 || errno() !== constants.errno.EBADF) wrong.add(errno())
      litter.push(new Array(50).fill(i))
      if (litter.length > 5_000) litter = []
    }
    assert.deepEqual([...wrong], [])
    t.diagnostic('200,000 failures')
  })
})
