import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loaded } from '../unit/config/load-fixture.js'
import { describeWith } from '../requirements.js'
import { documentsOf, pick, read, root } from './chart-fixture.js'
import { kubeconform } from './kubeconform.js'

const variants = ['one-node', 'three-nodes']

describe.each(variants)('deploy/kubernetes/%s', (variant) => {
  const folder = `deploy/kubernetes/${variant}`
  const files = readdirSync(join(root, folder)).filter((file) => file !== 'kustomization.yaml')
  const manifests = files.flatMap((file) => documentsOf(read(`${folder}/${file}`)))
  const one = (kind: string) => manifests.find((each) => pick(each, 'kind') === kind)

  it('is applied as a whole', () => {
    const [kustomization] = documentsOf(read(`${folder}/kustomization.yaml`))
    expect(pick(kustomization, 'resources')).toEqual(expect.arrayContaining(files))
    expect(pick(kustomization, 'resources')).toHaveLength(files.length)
  })

  it('names the image as the kustomization does, in the version of Belfry', () => {
    const [kustomization] = documentsOf(read(`${folder}/kustomization.yaml`))
    const { version } = JSON.parse(read('package.json')) as { version: unknown }
    expect(pick(kustomization, 'images')).toMatchObject([{ name: 'belfry', newTag: version }])
    expect(pick(one('Deployment'), 'spec', 'template', 'spec', 'containers', 0, 'image')).toBe('belfry')
  })

  it('holds a configuration that Belfry accepts', () => {
    const text = String(pick(one('ConfigMap'), 'data', 'belfry.yaml'))
    const apps = '[{ id: "1", key: key-1, secret: a secret of some length }]'
    const files = {
      'belfry.yaml': text,
      '/etc/belfry/apps.yaml': apps,
      '/etc/belfry/redis-url': 'redis://redis:6379/0',
    }
    const { config, notes } = loaded({ files })
    expect(notes).toEqual([])
    expect(config.redis !== undefined).toBe(variant === 'three-nodes')
  })

  it('holds no secret', () => {
    expect(one('Secret')).toBeUndefined()
  })
})

describeWith(['kubeconform'], 'Kubernetes', (checker) => {
  it.each(variants)('knows every field of deploy/kubernetes/%s', (variant) => {
    const folder = `deploy/kubernetes/${variant}`
    const files = readdirSync(join(root, folder)).filter((file) => file !== 'kustomization.yaml')
    const text = files.map((file) => read(`${folder}/${file}`)).join('\n---\n')
    expect(kubeconform(checker, text)).toEqual({ problems: [], unknown: [] })
  })
})
