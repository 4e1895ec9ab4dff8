import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../harness/free-port.js'
import { Certificate } from './certificate.js'
import { ProxyProcess, proxyFolder } from './proxy-process.js'
import type { Proxy, ProxyKind } from './proxy.js'
import { edited, shipped, type Edit } from './snippet.js'

/** What the packages' nginx.conf has around the snippet, without paths of the system. */
function around(site: string, folder: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')
  return `
worker_processes 2;
pid ${folder}/nginx.pid;
error_log stderr warn;
daemon off;
events { worker_connections 1024; }
http {
${paths}
access_log off;
${site}
}
`
}

/** The shipped site, ready to be edited; the ports are placed by `addresses`. */
export function nginx(program: string): ProxyKind {
  return {
    start: (nodes, edits) => {
      const upstream = nodes.map((port) => `server 127.0.0.1:${port};`).join('\n    ')
      return startNginx(program, shipped('nginx/belfry.conf'), (port, tlsPort, { certFile, keyFile }) => [
        ...edits,
        { line: 'listen 443 ssl;', becomes: `listen 127.0.0.1:${tlsPort} ssl;\n    listen 127.0.0.1:${port};` },
        { line: 'listen [::]:443 ssl;', becomes: '' },
        { line: '/etc/letsencrypt/live/ws.example.com/fullchain.pem', becomes: certFile },
        { line: '/etc/letsencrypt/live/ws.example.com/privkey.pem', becomes: keyFile },
        { line: '    server 127.0.0.1:6001;', becomes: `    ${upstream}` },
      ])
    },
    shortIdle: [{ line: 'proxy_read_timeout 60s;', becomes: 'proxy_read_timeout 3s;' }],
    onlyPrefix: [{ line: 'location / {', becomes: 'location /ws/ {' }],
  }
}

/** @param site what stands inside http @param edits of it and of what is around it, given the ports and the certificate */
export async function startNginx(
  program: string,
  site: string,
  edits: (port: number, tlsPort: number, certificate: Certificate) => readonly Edit[],
): Promise<Proxy> {
  const folder = proxyFolder()
  const [port, tlsPort] = [await freePort(), await freePort()]
  const certificate = new Certificate(folder.path)
  const file = join(folder.path, 'nginx.conf')
  writeFileSync(file, edited(around(site, folder.path), edits(port, tlsPort, certificate)))
  const nginx = await ProxyProcess.start(program, ['-e', 'stderr', '-p', folder.path, '-c', file], port)
  return {
    ...{ port, tlsPort, certificate },
    reload: () => nginx.signal('SIGHUP'),
    close: async () => {
      await nginx.close()
      folder.remove()
    },
  }
}
