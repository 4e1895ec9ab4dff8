/** The composables of @laravel/echo-vue in a page. They come as ES modules, as Vue does, which an import map finds. */
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { playInChromium } from '../javascript/chromium.js'
import { printLibrary, settingsFromEnvironment } from '../javascript/settings.js'

const folder = import.meta.dirname
const modules = join(folder, 'node_modules')
printLibrary(folder, '@laravel/echo-vue')
const files = {
  '/': join(folder, 'page.html'),
  '/component.js': join(folder, 'component.js'),
  '/echo-vue.js': join(modules, '@laravel/echo-vue/dist/index.js'),
  '/pusher.js': join(modules, 'pusher-js/dist/web/pusher-with-encryption.min.js'),
  '/pusher-module.js': { text: 'export default window.Pusher' },
  '/vue.js': join(modules, 'vue/dist/vue.runtime.esm-browser.prod.js'),
}
await playInChromium(chromium, files, settingsFromEnvironment())
