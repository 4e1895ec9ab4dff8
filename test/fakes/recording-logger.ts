import type { LogFields, Logger } from '../../src/core/ports/logger.js'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: LogFields
  readonly message: string
}

/** Keeps every line as it was passed in, unredacted, so that a test can also see what must never have been passed. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = []

  debug(fields: LogFields, message: string): void {
    this.lines.push({ level: 'debug', fields, message })
  }

  info(fields: LogFields, message: string): void {
    this.lines.push({ level: 'info', fields, message })
  }

  warn(fields: LogFields, message: string): void {
    this.lines.push({ level: 'warn', fields, message })
  }

  error(fields: LogFields, message: string): void {
    this.lines.push({ level: 'error', fields, message })
  }

  /** The lines of one level. */
  at(level: LogLine['level']): readonly LogLine[] {
    return this.lines.filter((line) => line.level === level)
  }

  /** The messages in order, without their fields. */
  get messages(): readonly string[] {
    return this.lines.map((line) => line.message)
  }
}
