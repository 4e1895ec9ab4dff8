/** What one check of `belfry doctor` found, and how findings are shown. */

/** `note` = nothing to judge: not tried, or not to be known from here. */
export type Verdict = 'ok' | 'note' | 'warning' | 'failed'

export interface Finding {
  /** Which part it is about; the groups of the output. */
  readonly area: 'config' | 'machine' | 'ports' | 'tls' | 'redis' | 'public'
  /** Names the check, for programs: `redis.latency`. A contract. */
  readonly check: string
  readonly verdict: Verdict
  /** One sentence without its full stop. */
  readonly text: string
  /** What to do, as the end of that sentence. Every failure has one. */
  readonly remedy: string | undefined
}

/** The findings of one area are made by one of these. */
export class Findings {
  readonly list: Finding[] = []
  readonly #area: Finding['area']

  constructor(area: Finding['area']) {
    this.#area = area
  }

  ok(check: string, text: string): void {
    this.#add(check, 'ok', text, undefined)
  }

  note(check: string, text: string, remedy?: string): void {
    this.#add(check, 'note', text, remedy)
  }

  warning(check: string, text: string, remedy: string): void {
    this.#add(check, 'warning', text, remedy)
  }

  /** A warning whose sentence already says all there is to say. */
  advice(check: string, sentence: string): void {
    this.#add(check, 'warning', sentence.replace(/\.$/, ''), undefined)
  }

  failed(check: string, text: string, remedy: string): void {
    this.#add(check, 'failed', text, remedy)
  }

  /** A failure whose sentence already says what to do, as those of the configuration do. */
  failedSentence(check: string, sentence: string): void {
    const text = sentence.replace(/\.$/, '')
    const colon = text.indexOf(': ')
    if (colon === -1) this.failed(check, text, 'correct it')
    else this.failed(check, text.slice(0, colon), text.slice(colon + 2))
  }

  #add(check: string, verdict: Verdict, text: string, remedy: string | undefined): void {
    this.list.push({ area: this.#area, check: `${this.#area}.${check}`, verdict, text, remedy })
  }
}

export function sentenceOf({ text, remedy }: Pick<Finding, 'text' | 'remedy'>): string {
  return `${text}${remedy === undefined ? '' : `: ${remedy}`}.`
}

const words: Record<Verdict, string> = { ok: 'ok', note: 'note', warning: 'warning', failed: 'FAILED' }
const colours: Record<Verdict, number> = { ok: 32, note: 36, warning: 33, failed: 31 }

/** One line: verdict, area, sentence; in columns. */
export function lineOf(finding: Finding, colour: boolean): string {
  const word = words[finding.verdict].padEnd(8)
  const shown = colour ? `\u001b[${colours[finding.verdict]}m${word}\u001b[0m` : word
  return `${shown} ${finding.area.padEnd(8)} ${sentenceOf(finding)}`
}

/** How many of which verdict: the last line. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length
  const failed = count('failed')
  const warnings = count('warning')
  if (failed === 0 && warnings === 0) return `${findings.length} findings, nothing wrong.`
  return `${findings.length} findings: ${failed} failed, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
}

/** For programs: `{ "ok", "findings": [{ "area", "check", "verdict", "text", "remedy"? }] }`. */
export function jsonOf(findings: readonly Finding[]): string {
  return JSON.stringify({ ok: isWell(findings), findings }, undefined, 2)
}

export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'failed')
}
