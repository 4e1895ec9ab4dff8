import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Account } from '../../harness/auth-endpoint.js'
import { TestServer } from '../../harness/test-server.js'
import { describeWith } from '../../requirements.js'
import { Heard } from './heard.js'
import { PageServer } from './page-server.js'

const accounts: ReadonlyMap<string, Account> = new Map(
  [
    { id: 'ann', name: 'Ann', hue: 222 },
    { id: 'bea', name: 'Bea', hue: 340 },
    { id: 'cleo', name: 'Cleo', hue: 162 },
  ].map((info) => [info.id, { id: info.id, info }]),
)
const deploys: Account = { id: 'deploys', info: { id: 'deploys', name: 'Deploys', hue: 28 } }
const size = { width: 720, height: 400 }
// Its own background services would look for hosts that the tests have no business with.
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

describeWith(['chromium'], 'a chat page in Chromium', (executablePath) => {
  let server: TestServer
  let pages: PageServer
  let browser: Browser
  const contexts: BrowserContext[] = []
  const complaints = new Heard<string>()
  let pictures: string

  beforeAll(async () => {
    pictures = mkdtempSync(join(tmpdir(), 'belfry-pages-'))
    server = await TestServer.start()
    pages = await PageServer.start(server, accounts)
    browser = await chromium.launch({ executablePath, args: flags })
  })
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
    expect(complaints.all.splice(0)).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await pages?.stop()
    await server?.stop()
    console.log(`screenshots: ${pictures}`)
  })

  /** A browser in which the account is logged in. */
  const logIn = async (id: string): Promise<BrowserContext> => {
    const context = await browser.newContext({ viewport: size, deviceScaleFactor: 1.5 })
    await context.addCookies([{ name: 'user', value: id, url: pages.url }])
    context.setDefaultTimeout(10_000)
    contexts.push(context)
    return context
  }
  const open = async (context: BrowserContext, client: string, members: number): Promise<Page> => {
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.add(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.add(message.text())
    })
    await page.goto(`${pages.url}/?client=${client}`)
    await sees(page, '#state', 'connected')
    await sees(page, '#count', String(members))
    return page
  }

  it.each(['pusher', 'echo'])('members, tabs, typing and messages, with %s', async (client) => {
    const [annsBrowser, beasBrowser] = [await logIn('ann'), await logIn('bea')]
    const ann = await open(annsBrowser, client, 1)
    const annsOtherTab = await open(annsBrowser, client, 1)
    const bea = await open(beasBrowser, client, 2)
    const cleo = await open(await logIn('cleo'), client, 3)
    for (const page of [ann, annsOtherTab, bea]) await sees(page, '#count', '3')
    expect(await ann.locator('#members li').allInnerTexts()).toEqual(['A\nAnn\nyou', 'B\nBea', 'C\nCleo'])

    await say(ann, 'Are we ready for Thursday?')
    await say(bea, 'The last migration is through, 14 minutes in all.')
    await pages.broadcast(deploys, 'v2.4.0 is live in eu-west')
    await bea.locator('#text').fill('Then I will')
    for (const page of [ann, annsOtherTab, cleo]) await sees(page, '#typing', 'Bea is typing…')
    expect(await bea.locator('#typing').innerText()).toBe('')
    await ann.screenshot({ path: join(pictures, `${client}-ann.png`) })
    await bea.screenshot({ path: join(pictures, `${client}-bea.png`) })

    await say(bea, 'Then I will tell the others.')
    const expected = [
      ['Ann', 'Are we ready for Thursday?'],
      ['Bea', 'The last migration is through, 14 minutes in all.'],
      ['Deploys', 'v2.4.0 is live in eu-west'],
      ['Bea', 'Then I will tell the others.'],
    ]
    for (const page of [ann, annsOtherTab, bea, cleo]) {
      await expect.poll(() => messages(page), { timeout: 5000 }).toEqual(expected)
    }
    await sees(ann, '#typing', '')

    await annsOtherTab.close()
    await cleo.close()
    await sees(bea, '#count', '2')
    expect(await bea.locator('#members li').allInnerTexts()).toEqual(['A\nAnn', 'B\nBea\nyou'])
    await ann.close()
    await sees(bea, '#count', '1')
  })

  it.each(['pusher', 'echo'])('a visitor without an account is refused, with %s', async (client) => {
    const page = await (await logIn('nobody')).newPage()
    await page.goto(`${pages.url}/?client=${client}`)
    await sees(page, '#state', 'refused (403)')
  })
})

async function sees(page: Page, selector: string, text: string): Promise<void> {
  await expect.poll(() => page.locator(selector).innerText(), { timeout: 5000 }).toBe(text)
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text)
  const sent = page.waitForResponse((response) => response.url().endsWith('/messages'))
  await page.locator('form button').click()
  await sent
}

async function messages(page: Page): Promise<string[][]> {
  const texts = await page.locator('#messages li > div').allInnerTexts()
  return texts.map((text) => text.split('\n'))
}
