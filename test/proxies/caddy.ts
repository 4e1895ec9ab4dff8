import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../harness/free-port.js'
import { Certificate } from './certificate.js'
import { ProxyProcess, proxyFolder } from './proxy-process.js'
import type { Proxy, ProxyKind } from './proxy.js'
import { edited, shipped, type Edit } from './snippet.js'

const run = promisify(execFile)

export function caddy(program: string): ProxyKind {
  return {
    start: (nodes, edits) => startCaddy(program, nodes, edits),
    // It has no timeout of silence.
    shortIdle: [],
    onlyPrefix: [{ line: 'reverse_proxy 127.0.0.1:6001', becomes: 'reverse_proxy /ws/* 127.0.0.1:6001' }],
  }
}

/** The shipped site twice, with and without TLS, and an administration socket of its own. */
async function startCaddy(program: string, nodes: readonly number[], edits: readonly Edit[]): Promise<Proxy> {
  const folder = proxyFolder()
  const [port, tlsPort] = [await freePort(), await freePort()]
  const certificate = new Certificate(folder.path)
  const admin = `unix/${join(folder.path, 'admin.sock')}`
  const site = edited(shipped('caddy/Caddyfile'), [
    ...edits,
    { line: 'ws.example.com {', becomes: '(site) {' },
    { line: '127.0.0.1:6001', becomes: nodes.map((node) => `127.0.0.1:${node}`).join(' ') },
  ])
  const text = `{
	admin ${admin}
	auto_https off
	persist_config off
	grace_period 1s
}
${site}
http://127.0.0.1:${port} {
	import site
}
https://127.0.0.1:${tlsPort} {
	tls ${certificate.certFile} ${certificate.keyFile}
	import site
}
`
  const file = join(folder.path, 'Caddyfile')
  writeFileSync(file, text)
  const process = await ProxyProcess.start(program, ['run', '--config', file, '--adapter', 'caddyfile'], port)
  return {
    ...{ port, tlsPort, certificate },
    reload: async () => {
      await run(program, ['reload', '--config', file, '--adapter', 'caddyfile', '--address', admin, '--force'])
    },
    close: async () => {
      await process.close()
      folder.remove()
    },
  }
}
