import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { TestServer } from '../../harness/test-server.js'
import { describeWith } from '../../requirements.js'
import { libraryFor } from './application.js'
import { ChatProgram } from './chat-program.js'
import { Heard } from './heard.js'

const size = { width: 860, height: 440 }
const narrow = { width: 390, height: 640 }
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

describeWith(['chromium'], 'the chat of examples/ in Chromium', (executablePath) => {
  let server: TestServer
  let chat: ChatProgram
  let browser: Browser
  const contexts: BrowserContext[] = []
  const complaints = new Heard<string>()
  let pictures: string

  beforeAll(async () => {
    pictures = mkdtempSync(join(tmpdir(), 'belfry-pages-'))
    server = await TestServer.start()
    browser = await chromium.launch({ executablePath, args: flags })
  })
  // It keeps what was said.
  beforeEach(async () => {
    chat = await ChatProgram.start(server)
  })
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
    await chat.stop()
    expect(complaints.all.splice(0)).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    console.log(`screenshots: ${pictures}`)
  })

  /** Another browser. */
  const open = async (options: BrowserContextOptions = {}): Promise<BrowserContext> => {
    const context = await browser.newContext({ viewport: size, deviceScaleFactor: 1.5, locale: 'en-GB', ...options })
    context.setDefaultTimeout(10_000)
    contexts.push(context)
    return context
  }
  const pageOf = async (context: BrowserContext, query: string): Promise<Page> => {
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.add(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.add(message.text())
    })
    await page.goto(`${chat.url}/?${query}`)
    return page
  }
  /** Gives a name, and is the whole browser's. */
  const logIn = async (context: BrowserContext, name: string): Promise<BrowserContext> => {
    await context.request.post(`${chat.url}/login`, { form: { name } })
    return context
  }
  /** A page in a room with so many members. */
  const enter = async (context: BrowserContext, client: string, members: number): Promise<Page> => {
    const page = await pageOf(context, `client=${client}`)
    await sees(page, '#state', 'connected')
    await sees(page, '#count', String(members))
    return page
  }
  const picture = (page: Page, name: string) => page.screenshot({ path: join(pictures, `${name}.png`) })

  it.each(['pusher', 'echo'])('members, tabs, typing and messages, with %s', async (client) => {
    const annsBrowser = await logIn(await open(), 'Ann')
    const ann = await enter(annsBrowser, client, 1)
    const annsOtherTab = await enter(annsBrowser, client, 1)
    const bea = await enter(await logIn(await open({ colorScheme: 'dark' }), 'Bea'), client, 2)
    const cleo = await enter(await logIn(await open({ viewport: narrow }), 'Cleo'), client, 3)
    for (const page of [ann, annsOtherTab, bea]) await sees(page, '#count', '3')
    expect(await ann.locator('#members li').allInnerTexts()).toEqual(['A\nAnn\nyou', 'B\nBea', 'C\nCleo'])

    await say(ann, 'Are we ready for Thursday?')
    await say(bea, 'The last migration is through, 14 minutes in all.')
    await say(cleo, 'v2.4.0 is live in eu-west')
    await cleo.locator('#text').fill('Who')
    await bea.locator('#text').fill('Then I will')
    for (const page of [ann, annsOtherTab]) await sees(page, '#typing', 'Cleo and Bea are typing…')
    await cleo.locator('#text').fill('')
    await say(cleo, 'Who tells the others?')
    for (const page of [ann, annsOtherTab, cleo]) await sees(page, '#typing', 'Bea is typing…')
    expect(await bea.locator('#typing').innerText()).toBe('')
    await picture(ann, `${client}-light`)
    await picture(bea, `${client}-dark`)
    await picture(cleo, `${client}-narrow`)

    await say(bea, 'Then I will <b>tell</b> the others.')
    const expected = [
      ['Ann', 'Are we ready for Thursday?'],
      ['Bea', 'The last migration is through, 14 minutes in all.'],
      ['Cleo', 'v2.4.0 is live in eu-west'],
      ['Cleo', 'Who tells the others?'],
      ['Bea', 'Then I will <b>tell</b> the others.'],
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
    // Who comes later gets what was said before.
    const dora = await enter(await logIn(await open(), 'Dora'), client, 2)
    await expect.poll(() => messages(dora), { timeout: 5000 }).toEqual(expected)
  })

  it.each(['pusher', 'echo'])('a message that arrives twice, or of another backend, with %s', async (client) => {
    const ann = await enter(await logIn(await open(), 'Ann'), client, 1)
    const user = { id: 'deploys', name: 'Deploys', hue: 28 }
    const [later, earlier] = [2, 1].map((id) => ({ id, user, text: `message ${id}`, sentAt: Date.now() }))
    for (const message of [later, later, earlier]) {
      await libraryFor(server).trigger('presence-launch', 'App\\Events\\MessageSent', message)
    }
    const inOrder = [
      ['Deploys', 'message 1'],
      ['Deploys', 'message 2'],
    ]
    await expect.poll(() => messages(ann), { timeout: 5000 }).toEqual(inOrder)
  })

  it('what cannot be sent is said, and not lost', async () => {
    const ann = await enter(await logIn(await open(), 'Ann'), 'pusher', 1)
    await chat.stop()
    await ann.locator('#text').fill('Is anybody there?')
    await ann.locator('#form button').click()
    await sees(ann, '#problem', 'Not sent. Try again in a moment.')
    expect(await ann.locator('#text').inputValue()).toBe('Is anybody there?')
    expect(await messages(ann)).toEqual([])
    // The browser itself complains of the closed port.
    await expect.poll(() => complaints.all.splice(0).join(), { timeout: 5000 }).toContain('ERR_CONNECTION_REFUSED')
  })

  it('who comes first is asked for a name, and one that cannot be shown is not taken', async () => {
    const page = await pageOf(await open(), '')
    await picture(page, 'login')
    for (const name of [' <i>Ann</i>', ' Ann-Sophie  Ö. ']) {
      await page.locator('#name').fill(name)
      await page.locator('#login button').click()
      await page.waitForLoadState('networkidle')
    }
    await sees(page, '#state', 'connected')
    expect(await page.locator('#members li .name').allInnerTexts()).toEqual(['Ann-Sophie Ö.'])
    await page.locator('text=Leave').click()
    await page.locator('#name').waitFor()
  })

  it.each(['pusher', 'echo'])('a room that is not theirs is refused, with %s', async (client) => {
    const page = await pageOf(await logIn(await open(), 'Ann'), `client=${client}&room=board`)
    await sees(page, '#state', 'refused (403)')
    // The browser itself complains of the answer.
    await expect.poll(() => complaints.all.splice(0).join(), { timeout: 5000 }).toContain('403')
  })
})

async function sees(page: Page, selector: string, text: string): Promise<void> {
  await expect.poll(() => page.locator(selector).innerText(), { timeout: 5000 }).toBe(text)
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text)
  const sent = page.waitForResponse((response) => response.url().endsWith('/messages'))
  await page.locator('#form button').click()
  await sent
}

async function messages(page: Page): Promise<string[][]> {
  const [names, texts] = [page.locator('#messages strong'), page.locator('#messages .text')]
  const [saidBy, said] = [await names.allInnerTexts(), await texts.allInnerTexts()]
  return said.map((text, index) => [saidBy[index] ?? '', text])
}
