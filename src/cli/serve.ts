/** Runs a server with a configuration until it is told to stop. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { AppFiles, type Reloaded } from '../apps/file.js'
import { StaticAppRegistry } from '../apps/static.js'
import { contentOf, WatchedFiles } from '../apps/watched-files.js'
import { systemClock } from '../base/clock.js'
import type { LoadedConfig, LoadOutcome } from '../config/load.js'
import type { Config } from '../config/schema.js'
import type { Logger } from '../core/ports/logger.js'
import { createLogger } from '../observability/logger.js'
import { Redactor } from '../observability/redact.js'
import type { RunningServer } from '../server.js'
import { workerCount } from '../workers/worker-count.js'
import type { Console } from './command.js'
import { devAppPath } from './dev-app.js'
import { hideSecrets } from './hide-secrets.js'
import { untilStopped, type ProcessEvents } from './lifecycle.js'
import { pasteText, readyLine, type ReadyServer } from './ready-message.js'
import { Systemd } from './systemd.js'
import { programVersion } from './version.js'

export interface ServeOptions {
  readonly loaded: LoadedConfig
  /** Reads the configuration anew. */
  readonly load: () => LoadOutcome
  readonly console: Console
  readonly events: ProcessEvents
  /** Whether `--dev` asked for what to paste whatever the log's format is. */
  readonly dev: boolean
}

interface StartInput {
  readonly config: Config
  readonly registry: StaticAppRegistry
  readonly logger: Logger
  readonly version: string
  readonly node: string
}

/** @returns the exit code */
export async function serve(options: ServeOptions): Promise<number> {
  const { loaded, console } = options
  const { config } = loaded
  const version = programVersion()
  const count = workerCount(config.workers)
  // A parent of workers is no node of the cluster.
  const node = count === 1 ? randomBytes(4).toString('hex') : 'parent'
  const redactor = new Redactor()
  hideSecrets(redactor, config)
  const { level, format } = config.log
  const colour = console.isTerminal && console.environment['NO_COLOR'] === undefined
  const logger = createLogger({ level, format, node, clock: systemClock, redactor, colour })
  for (const note of loaded.notes) logger[note.level]({}, note.message)

  const registry = new StaticAppRegistry(config.apps)
  // Before the server reads them: a certificate exchanged in between is seen as another one.
  const certificatesShown = await contentOf(certificateFiles(config))
  let server: RunningServer
  try {
    server = await start({ config, registry, logger, version, node }, count)
  } catch (error) {
    logger.error({}, error instanceof Error ? error.message : String(error))
    logger.close()
    return 1
  }
  const apps = new AppFiles({
    files: absolute(loaded.files, console),
    reload: reloader(options, redactor, logger),
    registry,
    clock: systemClock,
    logger,
  })
  const certificates = watchCertificates(config, server, logger, certificatesShown)
  announce(options, server, logger, version)
  const systemd = new Systemd({ environment: console.environment, logger })
  void systemd.tell('READY=1')

  const exitCode = await untilStopped({
    events: options.events,
    // Beside each other: the drain does not wait for systemd.
    drainAndStop: async () => {
      await Promise.all([systemd.tell('STOPPING=1'), server.drainAndStop()])
    },
    reload: async () => {
      await apps.reload()
      await certificates?.reload()
    },
    logger,
  })
  apps.stop()
  certificates?.stop()
  logger.close()
  return exitCode
}

/** Loads only what is used: a parent of workers serves no clients. */
async function start(input: StartInput, count: number): Promise<RunningServer> {
  if (count > 1) return (await import('../workers.js')).startWorkers({ ...input, count })
  return (await import('../server.js')).startServer(input)
}

/** Says that it serves, and to people what to do next. */
function announce(
  { loaded, console, dev }: ServeOptions,
  server: RunningServer,
  logger: Logger,
  version: string,
): void {
  const { config, publicAddress, appWasGiven } = loaded
  const { port, metricsPort } = server
  const ready: ReadyServer = { config, port, metricsPort, publicAddress, generatedApp: appWasGiven }
  const { text, fields } = readyLine(ready, version)
  logger.info(fields, text)
  if (!dev && config.log.format === 'json') return
  console.print(`\n${pasteText(ready)}\n`)
  if (appWasGiven) console.print(`The credentials are random and kept in ${devAppPath}, readable only by you.\n`)
}

/** Reads the apps anew. What else has changed needs a restart, which is said once per change. */
function reloader({ loaded, load, console }: ServeOptions, redactor: Redactor, logger: Logger): () => Reloaded {
  let known = settingsText(loaded.config)
  return () => {
    const again = load()
    const files = absolute(again.files, console)
    if (!again.ok) return { ok: false, errors: again.errors, files }
    hideSecrets(redactor, again.config)
    const current = settingsText(again.config)
    if (current !== known)
      logger.warn({}, 'the configuration changed outside of apps: that takes effect with the next start')
    known = current
    return { ok: true, apps: again.config.apps, files }
  }
}

function settingsText(config: Config): string {
  return JSON.stringify({ ...config, apps: [] })
}

function certificateFiles({ tls }: Config): string[] {
  return tls === undefined ? [] : [tls.certFile, tls.keyFile].map((file) => resolve(file))
}

/** @param shown what the files held when the server read them */
function watchCertificates(
  config: Config,
  server: RunningServer,
  logger: Logger,
  shown: string,
): WatchedFiles | undefined {
  const files = certificateFiles(config)
  if (files.length === 0) return undefined
  let current = shown
  return new WatchedFiles({
    files,
    clock: systemClock,
    read: () => ({
      files,
      async take(content, cause) {
        if (cause === 'changed' && content === current) return
        current = content
        try {
          await server.reloadCertificates()
          logger.info({ cause }, 'certificates read')
        } catch (error) {
          logger.error(
            { cause },
            `certificates refused, the old ones stay: ${error instanceof Error ? error.message : String(error)}`,
          )
        }
      },
    }),
  })
}

function absolute(files: readonly string[], console: Console): string[] {
  return files.map((file) => resolve(console.directory, file))
}
