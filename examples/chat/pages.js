/** The files of the page, and the two libraries in their builds for browsers. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const pages = join(import.meta.dirname, 'public')
const types = { html: 'text/html', css: 'text/css', js: 'text/javascript' }
const files = {
  '/': join(pages, 'index.html'),
  '/pusher.js': join(dirname(require.resolve('pusher-js/package.json')), 'dist/web/pusher.min.js'),
  '/echo.js': join(dirname(require.resolve('laravel-echo')), 'echo.iife.js'),
}

/** Only what comes from here runs in the page, whatever somebody writes into the chat. */
const safety = {
  'content-security-policy': "default-src 'self'; connect-src 'self' ws: wss:; img-src data:; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

export async function sendPage(response, method, path) {
  const own = /^\/public\/([a-z-]+\.(?:css|js))$/.exec(path)?.[1]
  const file = own === undefined ? files[path] : join(pages, own)
  if (method !== 'GET' || file === undefined) {
    response.writeHead(404).end()
    return
  }
  const type = types[file.slice(file.lastIndexOf('.') + 1)]
  response.writeHead(200, { ...safety, 'content-type': `${type}; charset=utf-8` }).end(await readFile(file))
}
