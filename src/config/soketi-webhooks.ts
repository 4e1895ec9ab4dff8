/** soketi's list of webhooks in our words. */
import { z } from 'zod'
import type { Problem } from './draft.js'

/** `SOKETI_WEBHOOKS_BATCHING` and its duration, which soketi has once for all webhooks. */
export interface SoketiBatching {
  readonly enabled: boolean
  readonly durationMs?: number
}

/**
 * As JSON; undefined when the list tells nobody anything. What is no such list, and keys nobody knows, are passed on, and refused
 * with every other error.
 * @param batching undefined = ours holds
 */
export function webhooksFromSoketi(text: string, batching?: SoketiBatching): string | undefined {
  const parsed = soketiWebhooks.safeParse(parseJson(text))
  if (!parsed.success) return text
  // soketi sends nothing to a webhook without event types, where ours is sent all.
  const used = parsed.data.filter(({ event_types: events }) => events?.length !== 0)
  return used.length === 0 ? undefined : JSON.stringify(used.map((webhook) => inOurWords(webhook, batching)))
}

/** soketi calls a function of AWS Lambda where a webhook has no address. */
export function lambdaWebhooks(name: string, text: string): Problem[] {
  const parsed = soketiWebhooks.safeParse(parseJson(text))
  return (parsed.data ?? []).flatMap(({ url, lambda_function: lambda }, index) =>
    url === undefined && lambda !== undefined
      ? [`${name}[${index}] calls a function of AWS Lambda, which is not possible here: give it a url or remove it.`]
      : [],
  )
}

function inOurWords(
  webhook: z.output<typeof soketiWebhook>,
  batching: SoketiBatching | undefined,
): Record<string, unknown> {
  const { url, event_types: events, filter, headers } = webhook
  const others = Object.entries(webhook).filter(([name]) => !Object.hasOwn(soketiWebhook.shape, name))
  return {
    ...Object.fromEntries(others),
    url,
    events,
    headers,
    channelPrefix: filter?.channel_name_starts_with,
    channelSuffix: filter?.channel_name_ends_with,
    ...(batching === undefined ? {} : { batch: { enabled: batching.enabled, windowMs: batching.durationMs } }),
  }
}

const soketiWebhook = z.looseObject({
  url: z.string().optional(),
  event_types: z.array(z.string()).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  filter: z
    .strictObject({ channel_name_starts_with: z.string().optional(), channel_name_ends_with: z.string().optional() })
    .optional(),
  /** Settings of the call below. */
  lambda: z.unknown().optional(),
  lambda_function: z.string().optional(),
})
const soketiWebhooks = z.array(soketiWebhook)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
