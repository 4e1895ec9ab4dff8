/** Plays a page in Chromium and prints what it reports. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { printLine } from './settings.js'

const shared = fileURLToPath(new URL('.', import.meta.url))
// Its own background services would look for hosts that a test has no business with.
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * The page, `/`, defines `window.play(settings)`, which resolves when everything is reported by `window.report(line)`.
 *
 * @param chromium of playwright-core
 * @param files by path: where a file is, or `{ text }` of a script
 */
export async function playInChromium(chromium, files, settings) {
  const server = createServer((request, response) => void answer(files, request.url, response))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH, args: flags })
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => console.error(`error in the page: ${error.message}`))
    page.on('console', (message) => console.error(`console of the page: ${message.text()}`))
    await page.exposeFunction('report', printLine)
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await page.evaluate((given) => window.play(given), settings)
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}

async function answer(files, url, response) {
  const own = /^\/javascript\/([a-z-]+\.js)$/.exec(url)?.[1]
  const file = own === undefined ? files[url] : join(shared, own)
  if (file === undefined) {
    response.writeHead(404).end()
    return
  }
  const type = url === '/' ? 'text/html' : 'text/javascript'
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(file.text ?? (await readFile(file)))
}
