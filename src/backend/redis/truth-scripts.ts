/** The Lua scripts of the shared truth, each with the parts it uses in front. */
import type { Script } from './link.js'
import { loadScript } from './scripts.js'

const clock = ['lib-clock']
const members = ['lib-clock', 'lib-outbox', 'lib-members']
const sender = ['lib-clock', 'lib-sender']
const counts = ['lib-clock', 'lib-outbox', 'lib-counts']

export const scripts = {
  publish: loadScript('publish', clock),
  publishCached: loadScript('publish-cached', clock),
  control: loadScript('control', clock),
  cached: loadScript('cached'),
  join: loadScript('join', members),
  leave: loadScript('leave', members),
  endHandover: loadScript('end-handover', members),
  restore: loadScript('restore', members),
  sweep: loadScript('sweep', members),
  roster: loadScript('roster', clock),
  occupy: loadScript('occupy', counts),
  restoreCounts: loadScript('restore-counts', counts),
  sweepCounts: loadScript('sweep-counts', counts),
  totals: loadScript('totals', clock),
  beat: loadScript('beat', sender),
  bury: loadScript('bury', clock),
  noteProgress: loadScript('note-progress', sender),
  releaseSender: loadScript('release-sender', sender),
} as const satisfies Record<string, Script>
