/** An SVG as a PNG, drawn by the Chromium of this machine. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

const commands = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
// Its own background services would look for hosts that a drawing has no business with.
const flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update']
/** Pixels of the picture per pixel of the page: sharp on a good screen. */
const scale = 2

/** The first Chromium in PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => commands.map((command) => join(folder, command))).find(isExecutable)
}

export async function writePng(svg: string, file: string, executablePath: string): Promise<void> {
  const browser = await chromium.launch({ executablePath, args: flags })
  try {
    const page = await browser.newPage({ deviceScaleFactor: scale })
    await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${svg}`)
    await page.locator('svg').first().screenshot({ path: file })
  } finally {
    await browser.close()
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch (_notThere) {
    return false
  }
}
