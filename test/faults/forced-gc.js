/**
 * Loaded into a node by `--expose-gc --import FILE?report=PATH`: at SIGUSR2 it collects garbage and writes what memory is left to
 * PATH, so that a slope of memory is one of what is held and not of when the collector last ran.
 */
import { renameSync, writeFileSync } from 'node:fs'

const report = new URL(import.meta.url).searchParams.get('report')

process.on('SIGUSR2', () => {
  globalThis.gc()
  globalThis.gc()
  writeFileSync(`${report}.new`, JSON.stringify(process.memoryUsage()))
  renameSync(`${report}.new`, report)
})
