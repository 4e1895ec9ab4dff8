/** pusher-js in Node.js, as a service that listens would use it. */
import Pusher from 'pusher-js'
import { pusherChecks } from '../javascript/pusher-js.js'
import { printLibrary, printLine, settingsFromEnvironment } from '../javascript/settings.js'

printLibrary(import.meta.dirname, 'pusher-js')
await pusherChecks({ Pusher, settings: settingsFromEnvironment(), print: printLine })
