import { createElement, useEffect } from 'react'
import { createRoot } from 'react-dom/client'

/** A component that only calls the hook; see echo-hooks.js. */
export async function mounted(hook, afterMount) {
  const place = document.body.appendChild(document.createElement('div'))
  const { root, result } = await new Promise((resolve, reject) => {
    // React alone would only report it, and the check would wait for ever.
    const onUncaughtError = (error) => {
      reject(error)
      reportError(error)
    }
    const root = createRoot(place, { onUncaughtError })
    function Component() {
      const result = hook()
      useEffect(() => {
        afterMount?.(result)
        resolve({ root, result })
      }, [])
      return null
    }
    root.render(createElement(Component))
  })
  return { ...result, unmount: () => root.unmount() }
}
