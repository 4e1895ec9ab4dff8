import { errors } from '../protocol/errors.js'
import type { Hub } from './hub.js'
import type { AppChange } from './ports/app-registry.js'

/**
 * Brings changed apps to the connections that are open: new limits and keys count at once, the clients of a disabled or removed
 * app are closed with 4003.
 */
export function applyAppChange(hub: Hub, change: AppChange): void {
  for (const app of change.updated) {
    const local = hub.apps.get(app.id)
    if (local === undefined) continue
    local.app = app
    local.heartbeatDueS = 0
    if (!app.enabled) closeAll(hub, app.id, errors.appDisabled())
  }
  for (const appId of change.removed) {
    closeAll(hub, appId, errors.appDisabled())
    hub.apps.delete(appId)
  }
}

function closeAll(hub: Hub, appId: string, error: ReturnType<typeof errors.appDisabled>): void {
  for (const connection of [...(hub.apps.get(appId)?.connections.values() ?? [])]) connection.end(error)
}
