const levelColours: Readonly<Record<string, string>> = { debug: '90', info: '32', warn: '33', error: '31' }
/** Shown in their own place, or the same on every line. */
const placed = new Set(['time', 'level', 'msg', 'node', 'err'])

/**
 * One JSON log line as a line for people: local time, level, message, then the fields as `name=value`, then the stack of `err` on
 * lines of its own. Control characters are written as escapes, so that a channel name cannot steer the terminal.
 * @param jsonLine a line of the JSON log; anything else comes back as it is, made safe for a terminal
 */
export function prettyLine(jsonLine: string, colour: boolean): string {
  const record = parseRecord(jsonLine)
  if (record === undefined) return `${visible(jsonLine.trimEnd())}\n`
  const level = textOf(record['level'])
  const name = level.toUpperCase().padEnd(5)
  const parts = [
    dim(timeOf(record['time']), colour),
    paint(name, levelColours[level], colour),
    visible(textOf(record['msg'])),
  ]
  for (const [field, value] of Object.entries(record)) {
    if (!placed.has(field)) parts.push(dim(`${visible(field)}=${visible(textOf(value))}`, colour))
  }
  return `${parts.join(' ')}\n${errorLines(record['err'])}`
}

function errorLines(err: unknown): string {
  if (err === undefined) return ''
  const stack = isRecord(err) ? (err['stack'] ?? `${textOf(err['type'])}: ${textOf(err['message'])}`) : err
  const lines = textOf(stack).split('\n')
  if (isRecord(err) && err['cause'] !== undefined) lines.push(`cause: ${textOf(err['cause'])}`)
  return lines.map((line) => `      ${visible(line)}\n`).join('')
}

function timeOf(time: unknown): string {
  const at = new Date(typeof time === 'string' || typeof time === 'number' ? time : Number.NaN)
  if (Number.isNaN(at.getTime())) return '--:--:--.---'
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined ? '' : JSON.stringify(value)
}

/** Escapes control characters and the marks that turn the direction of writing. */
function visible(text: string): string {
  return text.replaceAll(
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function paint(text: string, code: string | undefined, colour: boolean): string {
  return colour && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text
}

function dim(text: string, colour: boolean): string {
  return paint(text, '2', colour)
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
