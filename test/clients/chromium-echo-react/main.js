/**
 * The hooks of @laravel/echo-react in a page. The hooks come as ES modules, which an import map finds; React itself is CommonJS only, so
 * its files go into one script (react-script.js).
 */
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { playInChromium } from '../javascript/chromium.js'
import { printLibrary, settingsFromEnvironment } from '../javascript/settings.js'
import { reactModule, reactScript } from './react-script.js'

const folder = import.meta.dirname
const modules = join(folder, 'node_modules')
printLibrary(folder, '@laravel/echo-react')
const files = {
  '/': join(folder, 'page.html'),
  '/component.js': join(folder, 'component.js'),
  '/echo-react.js': join(modules, '@laravel/echo-react/dist/index.js'),
  '/pusher.js': join(modules, 'pusher-js/dist/web/pusher-with-encryption.min.js'),
  '/pusher-module.js': { text: 'export default window.Pusher' },
  '/react-script.js': { text: reactScript(modules) },
  '/react.js': { text: reactModule('react') },
  '/react-dom-client.js': { text: reactModule('react-dom/client') },
}
await playInChromium(chromium, files, settingsFromEnvironment())
