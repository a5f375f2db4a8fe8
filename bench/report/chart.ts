import type { Turn } from '../measures/turn.ts'
import { figure, type Results } from './results.ts'

const WIDTH = 860
const LABEL_WIDTH = 340
const VALUE_WIDTH = 110
const BAR_HEIGHT = 18
const ROW_HEIGHT = 26
const TITLE_HEIGHT = 46
const MARGIN = 20
const MORE = 'receipts/s, more is better'
const LESS = 'ms, less is better'

interface Bar {
  readonly label: string
  readonly value: number
  /** tillwire's own stand out. */
  readonly own: boolean
}

interface Panel {
  readonly title: string
  readonly unit: string
  readonly bars: readonly Bar[]
}

/** The run as a chart: a panel of bars for each question, each with a scale of its own that begins at 0. */
export function chart(results: Results): string {
  const parts: string[] = []
  let top = MARGIN
  for (const panel of panelsOf(results)) {
    parts.push(draw(panel, top))
    top += TITLE_HEIGHT + panel.bars.length * ROW_HEIGHT + MARGIN
  }
  const { cpu, cpus, node, date, form } = results.machine
  const foot = `${form} form, ${cpus} × ${cpu ?? 'unknown CPU'}, Node.js ${node}, ${date.slice(0, 10)}; medians; load generator on the same machine`
  parts.push(text(MARGIN, top + 14, foot, 'foot'))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top + 34}" viewBox="0 0 ${WIDTH} ${top + 34}" role="img">
<title>tillwire benchmark</title>
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2933 }
  .title { font-size: 16px; font-weight: 600 }
  .foot, .unit { font-size: 11px; fill: #52606d }
  .own { fill: #0b6e4f }
  .other { fill: #9aa5b1 }
</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`
}

function panelsOf({ rates, paced, watching, memory, growth }: Results): Panel[] {
  const panels: Panel[] = []
  if (rates !== undefined) {
    const alone = rates.filter(({ entry: { shape } }) => shape.outstanding * shape.perRequest === 1)
    const many = rates.filter((rate) => !alone.includes(rate))
    const add = (title: string, unit: string, some: typeof rates, value: (turn: Turn) => number): void => {
      panels.push({ title, unit, bars: some.map(({ entry, median }) => bar(entry.name, value(median), entry.contender === 'tillwire')) })
    }
    add('Receipts acknowledged after fsync', MORE, many, (turn) => turn.receiptsPerSecond)
    add('Receipts acknowledged after fsync, each client waits for its answer', MORE, alone, (turn) => turn.receiptsPerSecond)
    add('The answer to one receipt, p50, each client waits for it', LESS, alone, (turn) => turn.p50)
    add('CPU of the server for a receipt', 'µs, less is better', many, (turn) => turn.serverCpuMicros)
  }
  const own = (label: string, value: number): Bar => bar(label, value, true)
  if (paced !== undefined) {
    const bars = paced.flatMap(({ contender, p50, p99, most }) =>
      Object.entries({ p50, p99, longest: most }).map(([name, value]) => bar(`${contender}, ${name}`, value, contender === 'tillwire')),
    )
    panels.push({ title: `Acknowledgement at half the rate, ${figure(paced[0]?.perSecond)} receipts/s`, unit: LESS, bars })
  }
  if (watching !== undefined) {
    const bars = [own('p50', watching.p50), own('p99', watching.p99), own('longest', watching.most)]
    panels.push({ title: `From a sale to its event, ${figure(watching.watchers)} watchers, full load`, unit: LESS, bars })
  }
  if (growth !== undefined && growth.length > 0) {
    const bars = growth.map((one) => own(`${figure(one.lines)} lines in the ledger`, one.receiptsPerSecond))
    panels.push({ title: 'The rate as the ledger grows', unit: MORE, bars })
  }
  if (memory !== undefined) {
    const bars = [own('1,000,000 levels', memory.levels), own('and 1,000 tills', memory.tills), own('and 10,000 tills', memory.idle)]
    panels.push({ title: 'Resident memory', unit: 'MB, less is better', bars })
  }
  return panels
}

function bar(label: string, value: number, own: boolean): Bar {
  return { label, value, own }
}

function draw({ title, unit, bars }: Panel, top: number): string {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN
  const most = Math.max(...bars.map(({ value }) => value))
  const rows = bars.flatMap(({ label, value, own }, index) => {
    const y = top + TITLE_HEIGHT + index * ROW_HEIGHT
    const x = MARGIN + LABEL_WIDTH
    const width = most > 0 ? Math.max(1, (value / most) * room) : 1
    return [
      text(x - 10, y + 13, label, 'label', 'end'),
      `<rect x="${x}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" class="${own ? 'own' : 'other'}"/>`,
      text(x + width + 8, y + 13, figure(value), 'value'),
    ]
  })
  return [text(MARGIN, top + 16, title, 'title'), text(MARGIN, top + 33, unit, 'unit'), ...rows].join('\n')
}

function text(x: number, y: number, words: string, style: string, anchor: 'start' | 'end' = 'start'): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${style}" text-anchor="${anchor}">${safe}</text>`
}
