/** Gets the settings, reports each line, and at the end the word `ended`. */
importScripts('/pusher.js')

self.onmessage = async ({ data: settings }) => {
  const { pusherChecks } = await import('/javascript/pusher-js.js')
  await pusherChecks({ Pusher: self.Pusher, settings, print: (line) => self.postMessage(line) })
  self.postMessage('ended')
}
