/** pusher-js in a page, by a script tag. */
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { playInChromium } from '../javascript/chromium.js'
import { printLibrary, settingsFromEnvironment } from '../javascript/settings.js'

const folder = import.meta.dirname
printLibrary(folder, 'pusher-js')
const files = {
  '/': join(folder, 'page.html'),
  '/pusher.js': join(folder, 'node_modules/pusher-js/dist/web/pusher-with-encryption.min.js'),
}
await playInChromium(chromium, files, settingsFromEnvironment())
