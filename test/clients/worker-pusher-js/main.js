/** pusher-js in a web worker. */
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { playInChromium } from '../javascript/chromium.js'
import { printLibrary, settingsFromEnvironment } from '../javascript/settings.js'

const folder = import.meta.dirname
printLibrary(folder, 'pusher-js')
const files = {
  '/': join(folder, 'page.html'),
  '/worker.js': join(folder, 'worker.js'),
  '/pusher.js': join(folder, 'node_modules/pusher-js/dist/worker/pusher-with-encryption.worker.min.js'),
}
await playInChromium(chromium, files, settingsFromEnvironment())
