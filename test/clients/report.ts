/** What the plays came to: the table at the end of the output, and the tables of docs/clients.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckResult } from './checks.js'
import { holds, type Played } from './play.js'
import type { ClientProgram } from './programs.js'
import { settings, type Setting } from './site.js'

export interface ProgramResult {
  readonly program: ClientProgram
  /** Of each setting that was played. */
  readonly played: readonly Played[]
  /** Set when it could not be played. */
  readonly skipped: string | undefined
  /** Set when its packages could not be fetched or built. */
  readonly failed: string | undefined
}

const page = join(import.meta.dirname, '../../docs/clients.md')

/** One play, and everything about it that failed. */
export function playLines(played: Played): string[] {
  const { program, setting, checks, problem, notes, tookMs, version } = played
  const seconds = (tookMs / 1000).toFixed(1)
  const head = `${program.name}, ${setting}: ${verdict(played)} (${program.library} ${version}, ${seconds} s)`
  if (holds(played)) return [head]
  const failed = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `  NOT  ${name}: ${detail}`)
  return [head, ...failed, ...(problem === undefined ? [] : [`  ${problem}`]), ...notes.map((line) => `    | ${line}`)]
}

/** The table for people who ran the command. */
export function table(results: readonly ProgramResult[]): string {
  const head = ['program', 'library', 'version', 'checks', ...settings]
  const rows = results.map((result) => {
    const { program, played } = result
    return [
      program.name,
      program.library,
      played[0]?.version ?? '',
      String(checksPlayed(played)),
      ...settings.map((setting) => cell(result, setting)),
    ]
  })
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/** The last line of the output: checks, and programs that could not be played. */
export function countsLine(results: readonly ProgramResult[]): string {
  const plays = results.flatMap(({ played }) => played)
  const checks = plays.flatMap((each) => each.checks)
  const passed = checks.filter(({ ok }) => ok).length
  const broken = plays.filter(({ problem }) => problem !== undefined).length
  const unprepared = results.filter(({ failed }) => failed !== undefined).length
  const skipped = results.filter((result) => result.skipped !== undefined).length
  return `${passed} passed, ${checks.length - passed + broken + unprepared} failed, ${skipped} skipped`
}

/**
 * Writes the rows of what was played into docs/clients.md. Rows of programs that were not played completely stay as they are.
 *
 * @returns why nothing was written, if so
 */
export function writePage(programs: readonly ClientProgram[], results: readonly ProgramResult[]): string | undefined {
  const red = results.filter(({ played, failed }) => failed !== undefined || !played.every(holds))
  if (red.length > 0) return `not written: ${red.map(({ program }) => program.name).join(', ')} failed`
  const before = readFileSync(page, 'utf8')
  const rowOf = (program: ClientProgram): string[] => {
    const result = results.find((each) => each.program.name === program.name)
    if (result?.played.length === settings.length) return [pageRow(result)]
    const old = before.split('\n').find((line) => line.startsWith('|') && line.includes(`](${folderOf(program)})`))
    return old === undefined ? [] : [old]
  }
  const headOf = ['| library | version | runs in | checks | one node | two nodes |', '|---|---|---|---|---|---|']
  const part = (kind: ClientProgram['kind']) =>
    [...headOf, ...programs.filter((program) => program.kind === kind).flatMap(rowOf)].join('\n')
  const lacking = programs.flatMap((program) =>
    Object.entries(program.lacks).map(([check, reason]) => `| ${linkTo(program)} | \`${check}\` | ${reason} |`),
  )
  let text = replaced(before, 'http', part('http'))
  text = replaced(text, 'websocket', part('websocket'))
  text = replaced(text, 'lacks', ['| library | check | why not |', '|---|---|---|', ...lacking].join('\n'))
  writeFileSync(page, text)
  return undefined
}

function pageRow({ program, played }: ProgramResult): string {
  const cells = settings.map((setting) => {
    const own = played.find((each) => each.setting === setting)
    return own === undefined ? '' : allOf(own.checks)
  })
  const version = played[0]?.version ?? ''
  return `| ${linkTo(program)} | ${version} | ${program.runsIn} | ${checksPlayed(played)} | ${cells.join(' | ')} |`
}

function replaced(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: written by npm run test:clients -- --write -->`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/clients.md has no place for ${name}`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

function cell({ played, skipped, failed }: ProgramResult, setting: Setting): string {
  const own = played.find((each) => each.setting === setting)
  if (own !== undefined) return verdict(own)
  if (skipped !== undefined) return `skipped: ${skipped}`
  return failed === undefined ? '' : 'not built'
}

function verdict(played: Played): string {
  const failed = played.checks.filter(({ ok }) => !ok).length
  if (holds(played)) return allOf(played.checks)
  return failed === 0 ? 'did not end well' : `${failed} of ${played.checks.length} FAIL`
}

function allOf(checks: readonly CheckResult[]): string {
  return `all ${checks.length}`
}

function checksPlayed(played: readonly Played[]): number {
  return Math.max(0, ...played.map(({ checks }) => checks.length))
}

function linkTo(program: ClientProgram): string {
  return `[${program.library}](${folderOf(program)})`
}

function folderOf({ name }: ClientProgram): string {
  return `../test/clients/${name}`
}
