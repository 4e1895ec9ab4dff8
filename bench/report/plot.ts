/** `npm run bench -- plot`: draws a results file as SVG, and as PNG where there is a Chromium; `--write-readme` and its tables. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { headlineTable } from './headline.js'
import { findChromium, writePng } from './picture.js'
import { plotData, serverTitle } from './plot-data.js'
import type { PlotData } from './plot-data.js'
import { partsSpec, ratioSpec } from './plot-spec.js'
import { writeBetweenMarkers } from './readme.js'
import { labelsOf, readResults } from './results-file.js'
import type { ResultsFile } from './results-file.js'
import { markdownTable, tableCells } from './table.js'

const benchFolder = join(import.meta.dirname, '..')
const mainFolder = join(benchFolder, '..')
const imageFolder = join(mainFolder, 'docs', 'images')

/** Puts the pictures beside the results file and says where; `writeReadme`: and what was measured into the README. */
export async function plotResults(file: string, { writeReadme }: { writeReadme: boolean }): Promise<void> {
  const results = readResults(file)
  const data = plotData(results)
  if (data === undefined) {
    console.log(`${basename(file)}: nothing was compared, so there is nothing to draw`)
    return
  }
  const svg = await drawSvg(results, data)
  const beside = join(dirname(file), basename(file, '.json'))
  writeFileSync(`${beside}.svg`, svg)
  console.log(relative('', `${beside}.svg`))
  const chromium = findChromium()
  if (chromium === undefined) console.log('no Chromium in PATH: no PNG')
  else {
    await writePng(svg, `${beside}.png`, chromium)
    console.log(relative('', `${beside}.png`))
  }
  if (writeReadme) writeReadmes(results, data, svg)
}

/** The table and the plot, into bench/README.md; of one node, few rows and the plot into the main README too. */
function writeReadmes(results: ResultsFile, data: PlotData, svg: string): void {
  const { suite, compared } = results
  mkdirSync(imageFolder, { recursive: true })
  const image = join(imageFolder, `bench-${suite}.svg`)
  writeFileSync(image, svg)
  const picture = (from: string) => `![${alternative(data)}](${relative(from, image)})`
  const write = (folder: string, part: string, ...texts: string[]) =>
    writeBetweenMarkers(join(folder, 'README.md'), `${part} ${suite}`, texts.join('\n\n'))
  write(benchFolder, 'plot', picture(benchFolder))
  write(benchFolder, 'table', caption(results), markdownTable(tableCells(compared, labelsOf(results))))
  if (suite === 'node') write(mainFolder, 'plot', picture(mainFolder), headlineTable(compared), caption(results))
  console.log(`${relative('', image)}, and the README`)
}

async function drawSvg(results: ResultsFile, data: PlotData): Promise<string> {
  const spec = (results.suite === 'node' ? ratioSpec : partsSpec)(data, results.runs)
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  // The corners of a card.
  return `${svg.replace('<rect ', '<rect rx="8" ')}\n`
}

/** How the figures came about, in one paragraph of Markdown. */
function caption({ command, runs, date, machine, versions, failures }: ResultsFile): string {
  const parts = [`\`${command}\`, runs of each: ${runs}, ${date.slice(0, 10)}`, machine, ...versions]
  const faults = failures.length === 0 ? 'Nothing lost, doubled, reordered or malformed.' : 'NOT CLEAN.'
  return `${parts.join(' · ')}. ${faults}`
}

/** The picture in one sentence, for those who do not see it. */
function alternative({ base, servers, bars }: PlotData): string {
  const ranges = servers.map((server) => {
    const ratios = bars.filter((bar) => bar.server === server).map(({ ratio }) => ratio)
    const ends = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
    return `${serverTitle(server)} ${[...new Set(ends)].join(' to ')}`
  })
  return `Cost of a unit of work, ${serverTitle(base)} = 1: ${ranges.join(', ')}`
}
