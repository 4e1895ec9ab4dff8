/**
 * Reads a Dockerfile, as far as ours needs it: forms that are not understood are errors, so that nothing is passed over that
 * an engine would do. Which instructions there are is for the one who performs them to say.
 */

export interface Instruction {
  /** In capitals: `COPY`. */
  readonly name: string
  /** `--from=build` → `from`, `build`. */
  readonly flags: ReadonlyMap<string, string>
  /** What follows name and flags, with continued lines joined by a space. */
  readonly text: string
  /** The JSON list of an exec form; undefined in the shell form. */
  readonly exec: readonly string[] | undefined
  /** From 1. */
  readonly line: number
}

export interface Stage {
  /** Image or earlier stage that it begins with. */
  readonly from: string
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

export interface Dockerfile {
  readonly stages: readonly Stage[]
  /** Of all stages, with their FROM. */
  readonly instructions: readonly Instruction[]
}

/** @throws Error with the line of what is not understood */
export function parseDockerfile(text: string): Dockerfile {
  const instructions = logicalLines(text).map(instructionOf)
  const stages: { from: string; name: string | undefined; instructions: Instruction[] }[] = []
  for (const instruction of instructions) {
    if (instruction.name === 'FROM') {
      stages.push({ ...fromOf(instruction), instructions: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage === undefined) throw complaint(instruction, 'nothing may come before the first FROM')
    stage.instructions.push(instruction)
  }
  if (stages.length === 0) throw new Error('Dockerfile: no FROM')
  return { stages, instructions }
}

export function complaint({ line, name }: Pick<Instruction, 'line' | 'name'>, reason: string): Error {
  return new Error(`Dockerfile line ${line}: ${name}: ${reason}`)
}

/** Splits at spaces outside of quotes, and takes the quotes and backslashes away. */
export function wordsOf(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? []
  return words.map((word) =>
    word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replaceAll(/\\(.)/g, '$1'),
    ),
  )
}

/** The pairs of an ENV or LABEL. @throws Error for the old form without `=` */
export function pairsOf(instruction: Instruction): [name: string, value: string][] {
  return wordsOf(instruction.text).map((word) => {
    const at = word.indexOf('=')
    if (at < 1) throw complaint(instruction, `${word} is not NAME=VALUE`)
    return [word.slice(0, at), word.slice(at + 1)]
  })
}

/** `$NAME` and `${NAME}` are not replaced by anything here, so a file that has one is refused. */
function refuseVariables(instruction: Instruction): void {
  if (instruction.name === 'RUN' || instruction.exec !== undefined) return
  if (/(?<!\\)\$/.test(instruction.text)) throw complaint(instruction, 'variables are not understood')
}

function logicalLines(text: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const trimmed = raw.trim()
    if (/^#\s*(?:syntax|escape|check)\s*=/i.test(trimmed)) {
      throw complaint({ line: index + 1, name: trimmed }, 'parser directives are not understood')
    }
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const continues = trimmed.endsWith('\\')
    const part = continues ? trimmed.slice(0, -1).trim() : trimmed
    open = open === undefined ? { line: index + 1, text: part } : { line: open.line, text: `${open.text} ${part}` }
    if (!continues) {
      lines.push(open)
      open = undefined
    }
  }
  if (open !== undefined) throw complaint({ line: open.line, name: 'a continued line' }, 'nothing follows')
  return lines
}

function instructionOf({ line, text }: { line: number; text: string }): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(text) ?? []
  const name = word.toUpperCase()
  const flags = new Map<string, string>()
  let remaining = rest
  for (;;) {
    const flag = /^--([a-z][a-z-]*)=(\S+)(?:\s+|$)/.exec(remaining)
    if (flag === null) break
    flags.set(flag[1] ?? '', flag[2] ?? '')
    remaining = remaining.slice(flag[0].length)
  }
  if (remaining.startsWith('--')) throw complaint({ line, name }, `the flag in ${remaining} is not understood`)
  if (remaining.includes('<<')) throw complaint({ line, name }, 'here-documents are not understood')
  const instruction = { name, flags, text: remaining, exec: execOf(remaining), line }
  refuseVariables(instruction)
  return instruction
}

/** Without a JSON list of strings an engine takes it for the shell form, and so does this. */
function execOf(text: string): string[] | undefined {
  const list = text.replace(/^CMD\s+(?=\[)/, '')
  if (!list.startsWith('[')) return undefined
  try {
    const value: unknown = JSON.parse(list)
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

function fromOf(instruction: Instruction): { from: string; name: string | undefined } {
  const parts = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.text)
  if (parts?.[1] === undefined || instruction.flags.size > 0) throw complaint(instruction, 'not FROM IMAGE [AS NAME]')
  return { from: parts[1], name: parts[2] }
}
