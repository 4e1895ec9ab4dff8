import { pino, type Logger as PinoLogger } from 'pino'
import type { Clock } from '../base/clock.js'
import type { LogFields, Logger } from '../core/ports/logger.js'
import { LogSampler } from './log-sampling.js'
import { prettyLine } from './pretty-line.js'
import type { Redactor } from './redact.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
export type LogFormat = 'json' | 'pretty'

/** Where complete lines go; standard output unless a test says otherwise. */
export interface LogDestination {
  write(line: string): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** This node's name, on every line. */
  readonly node: string
  /** Which of several processes on one port this is, on every line. */
  readonly worker?: number
  readonly clock: Clock
  readonly redactor: Redactor
  /** Colours of the pretty format; for terminals. */
  readonly colour?: boolean
  readonly destination?: LogDestination
}

/** A logger that is closed at the end: the counts of lines left out are written then. */
export interface ClosableLogger extends Logger {
  close(): void
}

/** What a reader that has stopped reading may hold back before lines are dropped. */
const bufferedBytesMax = 1_048_576
/** Written by the logger itself; a field of that name gets a `_` behind it, because JSON with a key twice is read in two ways. */
const ownKeys: readonly string[] = ['time', 'level', 'msg', 'node']

/**
 * JSON lines (or lines for people): time (ISO 8601), level (its name), node, the fields, msg. Everything goes through the
 * redactor. Writing is synchronous, so that the last line before the end of the process is not lost. A warning or an error that
 * repeats is written ten times a minute and then counted.
 */
export function createLogger(options: LoggerOptions): ClosableLogger {
  const { redactor } = options
  const sink = createPino(options)
  const sampler = new LogSampler(options.clock, (level, message, suppressed, periodMs) => {
    sink[level]({ suppressed, period_ms: periodMs }, redactor.text(`repeated: ${message}`))
  })
  const write = (level: 'debug' | 'info' | 'warn' | 'error', fields: LogFields, message: string): void => {
    if (!sink.isLevelEnabled(level)) return
    if ((level === 'warn' || level === 'error') && !sampler.admit(level, message)) return
    sink[level](withoutOwnKeys(redactor.fields(fields)), redactor.text(message))
  }
  return {
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
    close: () => sampler.close(),
  }
}

function createPino(options: LoggerOptions): PinoLogger {
  const target = options.destination ?? standardOutput()
  const colour = options.colour ?? false
  const destination =
    options.format === 'json' ? target : { write: (line: string): void => target.write(prettyLine(line, colour)) }
  return pino(
    {
      level: options.level,
      base: { node: options.node, ...(options.worker === undefined ? {} : { worker: options.worker }) },
      timestamp: () => `,"time":"${new Date(options.clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // The redactor has made plain data of it already.
      serializers: { err: (err: unknown) => err },
    },
    destination,
  )
}

function standardOutput(): LogDestination {
  const output = pino.destination({ fd: 1, sync: true, maxLength: bufferedBytesMax })
  // A full disk or a vanished terminal must not end the server, and there is nowhere left to report it.
  output.on('error', () => undefined)
  return { write: (line) => void output.write(line) }
}

function withoutOwnKeys(fields: Record<string, unknown>): Record<string, unknown> {
  if (!ownKeys.some((key) => Object.hasOwn(fields, key))) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [ownKeys.includes(key) ? `${key}_` : key, value]),
  )
}
