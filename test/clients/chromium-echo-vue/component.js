import { createApp, onMounted } from 'vue'

/** A component that only calls the composable; see echo-hooks.js. */
export async function mounted(hook, afterMount) {
  let result
  let problem
  const app = createApp({
    setup() {
      result = hook()
      onMounted(() => afterMount?.(result))
      return () => null
    },
  })
  // Vue would only write it to the console, and what is thrown here would stop it from mounting the components after this one.
  app.config.errorHandler = (error) => {
    problem ??= error
    reportError(error)
  }
  app.mount(document.body.appendChild(document.createElement('div')))
  if (problem !== undefined) throw problem
  return { ...result, unmount: () => app.unmount() }
}
