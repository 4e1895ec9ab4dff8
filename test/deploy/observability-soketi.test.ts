import { describe, expect, it } from 'vitest'
import { TestServer, appId } from '../harness/test-server.js'
import { scrape } from './observability-scrapes.js'
import { text } from './observability-files.js'

/** soketi's sixteen, as its own documentation of Prometheus lists them. */
const names = [
  'soketi_connected',
  'soketi_new_connections_total',
  'soketi_new_disconnections_total',
  'soketi_socket_received_bytes',
  'soketi_socket_transmitted_bytes',
  'soketi_ws_messages_received_total',
  'soketi_ws_messages_sent_total',
  'soketi_http_received_bytes',
  'soketi_http_transmitted_bytes',
  'soketi_http_calls_received_total',
  'soketi_horizontal_adapter_resolved_promises',
  'soketi_horizontal_adapter_uncomplete_promises',
  'soketi_horizontal_adapter_sent_requests',
  'soketi_horizontal_adapter_received_requests',
  'soketi_horizontal_adapter_received_responses',
  'soketi_horizontal_adapter_resolve_time',
]

describe("soketi's names on a real server", () => {
  it('have a value for every app before anything has happened', async () => {
    await withSoketiNames(async (server) => {
      const { series, types } = await scrape('a', server.metricsUrl)
      expect([...types.keys()].filter((name) => name.startsWith('soketi_')).sort()).toEqual([...names].sort())
      for (const name of names) {
        const found = series.filter((each) => each.name === name || each.name === `${name}_count`)
        const labels = { app_id: appId, port: String(server.running.port) }
        expect(found, name).toEqual([{ name: found[0]?.name, labels, value: 0 }])
      }
    })
  })

  it('count connections, messages and the REST requests that are admitted', async () => {
    await withSoketiNames(async (server) => {
      const client = await server.connect()
      await server.trigger('news', 'greeting', '"hello"')
      await server.get('channels')
      const refused = await fetch(`${server.url}/apps/${appId}/channels?auth_key=nobody`)
      expect(refused.status).toBe(401)
      const { series } = await scrape('a', server.metricsUrl)
      const value = (name: string) => series.find((each) => each.name === `soketi_${name}`)?.value
      expect(value('connected')).toBe(1)
      expect(value('new_connections_total')).toBe(1)
      expect(value('ws_messages_sent_total')).toBe(1)
      expect(value('http_calls_received_total')).toBe(2)
      const body = JSON.stringify({ name: 'greeting', channel: 'news', data: '"hello"' })
      expect(value('http_received_bytes')).toBe(body.length)
      expect(value('http_transmitted_bytes')).toBe('{}'.length + '{"channels":{}}'.length)
      client.socket.close()
    })
  })

  it('are all in the table of the page about monitoring', () => {
    const page = text('docs/monitoring.md')
    expect(names.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([])
  })
})

async function withSoketiNames(use: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await TestServer.start({}, { metrics: { port: 0, soketiNames: true } })
  try {
    await use(server)
  } finally {
    await server.stop()
  }
}
