import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../harness/free-port.js'
import { Certificate } from './certificate.js'
import { ProxyProcess, proxyFolder } from './proxy-process.js'
import type { Proxy, ProxyKind } from './proxy.js'
import { edited, shipped, type Edit } from './snippet.js'

export function haproxy(program: string): ProxyKind {
  return {
    start: (nodes, edits) => startHaproxy(program, nodes, edits),
    shortIdle: [
      { line: 'timeout client 60s', becomes: 'timeout client 3s' },
      { line: 'timeout server 60s', becomes: 'timeout server 3s' },
      { line: 'timeout tunnel 10m', becomes: 'timeout tunnel 3s' },
    ],
    onlyPrefix: [{ line: 'default_backend belfry', becomes: 'use_backend belfry if { path_beg /ws/ }' }],
  }
}

/** The shipped configuration in front of these ports, with a master. */
export async function startHaproxy(
  program: string,
  nodes: readonly number[],
  edits: readonly Edit[] = [],
): Promise<Proxy> {
  const folder = proxyFolder()
  const [port, tlsPort] = [await freePort(), await freePort()]
  const certificate = new Certificate(folder.path)
  const servers = nodes.map((node, index) => `server belfry-${index + 1} 127.0.0.1:${node}`)
  const text = edited(shipped('haproxy/haproxy.cfg'), [
    ...edits,
    { line: 'bind :443', becomes: `bind 127.0.0.1:${port}\n    bind 127.0.0.1:${tlsPort}` },
    { line: '/etc/haproxy/certs/ws.example.com.pem', becomes: certificate.pemFile },
    { line: '    server belfry-1 127.0.0.1:6001', becomes: `    ${servers.join('\n    ')}` },
  ])
  const file = join(folder.path, 'haproxy.cfg')
  writeFileSync(file, text)
  const process = await ProxyProcess.start(program, ['-W', '-f', file], port)
  return {
    ...{ port, tlsPort, certificate },
    reload: () => process.signal('SIGUSR2'),
    close: async () => {
      await process.close()
      folder.remove()
    },
  }
}
