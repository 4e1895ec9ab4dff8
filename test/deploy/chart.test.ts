import { beforeAll, describe, expect, it } from 'vitest'
import { loaded } from '../unit/config/load-fixture.js'
import { describeWith } from '../requirements.js'
import {
  chartFolder,
  documentsOf,
  exampleFile,
  exampleNames,
  helm,
  kubernetes,
  Manifests,
  notesText,
  pick,
  template,
  withApp,
  withRedis,
} from './chart-fixture.js'
import { kubeconform } from './kubeconform.js'

const pod = ['spec', 'template', 'spec'] as const
const container = [...pod, 'containers', 0] as const

describeWith(['helm'], 'the chart', (program) => {
  const render = (...options: string[]) => new Manifests(template(program, ...options))
  const set = (...values: string[]) => render(...withApp, ...values.flatMap((value) => ['--set', value]))

  describe.each(exampleNames)('with deploy/helm/values/%s.yaml', (name) => {
    it('passes helm lint', () => {
      const lint = helm(program, 'lint', '--strict', ...kubernetes, chartFolder, '-f', exampleFile(name))
      expect(lint.text).toMatch(/1 chart\(s\) linted, 0 chart\(s\) failed/)
      expect(lint.text).not.toMatch(/\[(?:WARNING|ERROR)\]/)
    })

    it('holds a configuration that Belfry accepts', () => {
      const text = pick(render('-f', exampleFile(name)).one('ConfigMap', 'live-belfry'), 'data', 'belfry.yaml')
      expect(notesOf(text)).toEqual([])
    })
  })

  it('passes helm lint as it is', () => {
    const lint = helm(program, 'lint', '--strict', ...kubernetes, chartFolder)
    expect(lint.text).toMatch(/1 chart\(s\) linted, 0 chart\(s\) failed/)
  })

  describe('by default', () => {
    let manifests: Manifests
    beforeAll(() => {
      manifests = set()
    })

    it('is one node that is replaced as a whole', () => {
      expect(manifests.names).toEqual([
        'ConfigMap/live-belfry',
        'Deployment/live-belfry',
        'NetworkPolicy/live-belfry',
        'Pod/live-belfry-test-connection',
        'Service/live-belfry',
        'Service/live-belfry-metrics',
        'ServiceAccount/live-belfry',
      ])
      const deployment = manifests.one('Deployment')
      expect(pick(deployment, 'spec', 'replicas')).toBe(1)
      expect(pick(deployment, 'spec', 'strategy', 'type')).toBe('Recreate')
    })

    it('runs without rights', () => {
      for (const spec of [pick(manifests.one('Deployment'), ...pod), pick(manifests.one('Pod'), 'spec')]) {
        expect(pick(spec, 'automountServiceAccountToken')).toBe(false)
        expect(pick(spec, 'securityContext')).toMatchObject({
          runAsNonRoot: true,
          runAsUser: 10_001,
          seccompProfile: { type: 'RuntimeDefault' },
        })
        expect(pick(spec, 'containers', 0, 'securityContext')).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
      }
    })

    it('does not let Kubernetes name its variables, and has time to drain', () => {
      const spec = pick(manifests.one('Deployment'), ...pod)
      expect(spec).toMatchObject({ enableServiceLinks: false, terminationGracePeriodSeconds: 45 })
    })

    it('restarts on /live only', () => {
      const path = (probe: string) => pick(manifests.one('Deployment'), ...container, probe, 'httpGet', 'path')
      expect([path('startupProbe'), path('livenessProbe'), path('readinessProbe')]).toEqual([
        '/live',
        '/live',
        '/ready',
      ])
    })

    it('guards the metrics port', () => {
      expect(pick(manifests.one('NetworkPolicy'), 'spec', 'ingress')).toEqual([
        { ports: [{ port: 'http', protocol: 'TCP' }] },
        {
          ports: [{ port: 'metrics', protocol: 'TCP' }],
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        },
      ])
      expect(pick(manifests.one('Service', 'live-belfry'), 'spec', 'ports')).toHaveLength(1)
      expect(pick(manifests.one('Service', 'live-belfry-metrics'), 'spec', 'clusterIP')).toBe('None')
    })

    it("tests the connection with the image's own program", () => {
      expect(pick(manifests.one('Pod'), 'spec', 'containers', 0, 'args')).toEqual([
        'healthcheck',
        '--url',
        'http://live-belfry:6001/ready',
      ])
    })

    it('selects no pod of the test by its services', () => {
      const selector = pick(manifests.one('Service', 'live-belfry'), 'spec', 'selector')
      expect(pick(manifests.one('Deployment'), 'spec', 'template', 'metadata', 'labels')).toMatchObject(
        Object(selector),
      )
      expect(pick(manifests.one('Pod'), 'metadata', 'labels')).not.toMatchObject(Object(selector))
    })
  })

  describe('what a value does', () => {
    it('image.registry and image.tag', () => {
      const image = (manifests: Manifests) => pick(manifests.one('Deployment'), ...container, 'image')
      expect(image(set())).toBe('belfry:0.1.0')
      expect(image(set('image.registry=registry.example.com/', 'image.repository=a/b', 'image.tag=v2'))).toBe(
        'registry.example.com/a/b:v2',
      )
    })

    it('apps and redis.url: in Secrets, beside a configuration that names their files', () => {
      const app = ['apps[0].id=1', 'apps[0].key=key-of-app', 'apps[0].secret=secret-of-app']
      const manifests = render(
        ...[...app, 'redis.url=redis://:password@redis', 'replicaCount=2'].flatMap((value) => ['--set', value]),
      )
      const secret = (name: string, key: string) =>
        Buffer.from(String(pick(manifests.one('Secret', name), 'data', key)), 'base64').toString()
      expect(documentsOf(secret('live-belfry-apps', 'apps.yaml'))).toEqual([
        [{ id: 1, key: 'key-of-app', secret: 'secret-of-app' }],
      ])
      expect(secret('live-belfry-redis', 'url')).toBe('redis://:password@redis')
      const config = pick(manifests.one('ConfigMap'), 'data', 'belfry.yaml')
      expect(notesOf(config)).toEqual([])
      expect(String(config)).not.toMatch(/secret-of-app|password/)
      expect(pick(manifests.one('Deployment'), ...pod, 'volumes', 0, 'projected', 'sources')).toEqual([
        { configMap: { name: 'live-belfry' } },
        { secret: { name: 'live-belfry-apps', items: [{ key: 'apps.yaml', path: 'apps.yaml' }] } },
        { secret: { name: 'live-belfry-redis', items: [{ key: 'url', path: 'redis-url' }] } },
      ])
    })

    it('a change of config or redis.url restarts the pods, one of apps does not', () => {
      const app = (secret: string) => ['apps[0].id=1', 'apps[0].key=key', `apps[0].secret=${secret}`]
      const notes = (...values: string[]) =>
        pick(
          render(...values.flatMap((value) => ['--set', value])).one('Deployment'),
          ...['spec', 'template', 'metadata', 'annotations'],
        )
      const before = notes(...app('one'))
      expect(notes(...app('other'))).toEqual(before)
      expect(notes(...app('one'), 'config.log.level=debug')).not.toEqual(before)
      expect(notes(...app('one'), 'redis.url=redis://a')).not.toEqual(notes(...app('one'), 'redis.url=redis://b'))
    })

    it('replicaCount: a budget, a spread, and one pod after the other', () => {
      const manifests = render(...withApp, ...withRedis, '--set', 'replicaCount=3')
      const deployment = manifests.one('Deployment')
      const labels = pick(deployment, 'spec', 'selector', 'matchLabels')
      expect(pick(manifests.one('PodDisruptionBudget'), 'spec')).toEqual({
        maxUnavailable: 1,
        selector: { matchLabels: labels },
      })
      expect(pick(deployment, ...pod, 'topologySpreadConstraints', 0, 'labelSelector', 'matchLabels')).toEqual(labels)
      expect(pick(deployment, 'spec')).toMatchObject({
        replicas: 3,
        minReadySeconds: 30,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      })
    })

    it('podDisruptionBudget.enabled', () => {
      expect(set('podDisruptionBudget.enabled=true').has('PodDisruptionBudget')).toBe(true)
      const off = render(...withApp, ...withRedis, '--set', 'replicaCount=3,podDisruptionBudget.enabled=false')
      expect(off.has('PodDisruptionBudget')).toBe(false)
    })

    it('autoscaling: connections and CPU, down one pod a minute, and no fixed number of replicas', () => {
      const manifests = render(...withApp, ...withRedis, '--set', 'autoscaling.enabled=true')
      const spec = pick(manifests.one('HorizontalPodAutoscaler'), 'spec')
      expect(pick(spec, 'metrics', 0, 'pods', 'metric', 'name')).toBe('belfry_connected')
      expect(pick(spec, 'metrics', 1, 'resource', 'name')).toBe('cpu')
      expect(pick(spec, 'behavior', 'scaleDown', 'policies')).toEqual([{ type: 'Pods', value: 1, periodSeconds: 60 }])
      expect(pick(manifests.one('Deployment'), 'spec')).not.toHaveProperty('replicas')
      expect(manifests.has('PodDisruptionBudget')).toBe(true)
    })

    it('config.tls: probes and the connection test use HTTPS', () => {
      const manifests = set('config.tls.certFile=/tls/tls.crt', 'config.tls.keyFile=/tls/tls.key')
      expect(pick(manifests.one('Deployment'), ...container, 'readinessProbe', 'httpGet')).toEqual({
        path: '/ready',
        port: 'http',
        scheme: 'HTTPS',
      })
      expect(pick(manifests.one('Pod'), 'spec', 'containers', 0, 'args', 2)).toBe('https://live-belfry:6001/ready')
    })

    it('config.pathPrefix: where ingress and route lead', () => {
      const manifests = set(
        ...['config.pathPrefix=/ws', 'ingress.enabled=true', 'ingress.hosts[0].host=a.example.com'],
        ...['httpRoute.enabled=true', 'httpRoute.parentRefs[0].name=public'],
      )
      const paths = pick(manifests.one('Ingress'), 'spec', 'rules', 0, 'http', 'paths')
      expect(paths).toMatchObject([{ path: '/ws', pathType: 'Prefix' }])
      expect(pick(manifests.one('HTTPRoute'), 'spec', 'rules', 0)).toMatchObject({
        matches: [{ path: { type: 'PathPrefix', value: '/ws' } }],
        backendRefs: [{ name: 'live-belfry', port: 6001 }],
      })
    })

    it('config.port and config.metrics', () => {
      const ports = (manifests: Manifests) => pick(manifests.one('Deployment'), ...container, 'ports')
      expect(ports(set('config.port=7001', 'config.metrics.port=7601'))).toEqual([
        { name: 'http', containerPort: 7001 },
        { name: 'metrics', containerPort: 7601 },
      ])
      const without = set('config.metrics.enabled=false')
      expect(ports(without)).toEqual([{ name: 'http', containerPort: 6001 }])
      expect(without.names).not.toContain('Service/live-belfry-metrics')
    })

    it('networkPolicy: whom it lets in besides the connection test, and whom out', () => {
      const spec = pick(
        set(
          ...['networkPolicy.metricsFrom=null', 'networkPolicy.publicFrom[0].ipBlock.cidr=10.0.0.0/8'],
          'networkPolicy.egress[0].ports[0].port=6379',
        ).one('NetworkPolicy'),
        'spec',
      )
      expect(spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ port: 6379 }] }] })
      expect(pick(spec, 'ingress')).toMatchObject([
        { from: [{ ipBlock: { cidr: '10.0.0.0/8' } }, { podSelector: {} }] },
      ])
    })

    it('monitors find the metrics port; rules and dashboard are those of the chart', () => {
      const manifests = set(
        ...['serviceMonitor', 'podMonitor', 'prometheusRule', 'grafanaDashboard'].map((part) => `${part}.enabled=true`),
        'serviceMonitor.labels.release=prometheus',
      )
      const service = manifests.one('Service', 'live-belfry-metrics')
      const monitor = manifests.one('ServiceMonitor')
      const wanted: unknown = pick(monitor, 'spec', 'selector', 'matchLabels')
      expect(pick(service, 'metadata', 'labels')).toMatchObject(Object(wanted))
      expect(pick(manifests.one('Service', 'live-belfry'), 'metadata', 'labels')).not.toMatchObject(Object(wanted))
      expect(pick(monitor, 'spec', 'endpoints', 0, 'port')).toBe(pick(service, 'spec', 'ports', 0, 'name'))
      expect(pick(monitor, 'metadata', 'labels')).toMatchObject({ release: 'prometheus' })
      expect(pick(manifests.one('PodMonitor'), 'spec', 'selector', 'matchLabels')).toEqual(
        pick(manifests.one('Deployment'), 'spec', 'selector', 'matchLabels'),
      )
      expect(pick(manifests.one('PrometheusRule'), 'spec', 'groups', 0, 'rules')).toBeInstanceOf(Array)
      const dashboard = manifests.one('ConfigMap', 'live-belfry-dashboard')
      expect(pick(dashboard, 'metadata', 'labels')).toMatchObject({ grafana_dashboard: '1' })
      expect(pick(JSON.parse(String(pick(dashboard, 'data', 'belfry.json'))), 'panels')).toBeInstanceOf(Array)
    })
  })

  describe('refuses', () => {
    it.each([
      ['a word for a number', ['replicaCount=many'], /replicaCount: Invalid type\. Expected: integer, given: string/],
      ['an unknown value', ['replicas=3'], /Additional property replicas is not allowed/],
      ['an unknown value inside', ['service.prot=1'], /service: Additional property prot is not allowed/],
      ['a word that is no choice', ['service.type=Public'], /service\.type: service\.type must be one of/],
      ['a port that is none', ['service.port=70000'], /service\.port: Must be less than or equal to 65535/],
      ['a wrong configuration', ['config.drain.periodMs=20s'], /config\.drain\.periodMs: Invalid type/],
      ['an unknown key of the configuration', ['config.prot=1'], /config: Additional property prot is not allowed/],
      ['an app without an id', ['apps[0].key=a'], /apps\.0: id is required/],
      ['an address that is not of Redis', ['redis.url=http://a'], /redis\.url: Does not match pattern/],
      ['several nodes without Redis', ['replicaCount=3'], /more than one replica needs Redis: set redis\.url/],
      ['autoscaling without Redis', ['autoscaling.enabled=true'], /more than one replica needs Redis/],
      ['workers without Redis', ['config.workers=auto'], /config\.workers above 1 needs Redis/],
      ['apps twice', ['apps[0].id=a'], /apps and existingSecret are both set/],
      ['apps in the configuration', ['config.apps[0].id=a'], /config\.apps would be in a ConfigMap, secrets included/],
      [
        'a password in the configuration',
        ['config.redis.url=redis://:a@b'],
        /config\.redis\.url would be in a ConfigMap/,
      ],
      [
        'less time than a stop takes',
        ['config.drain.periodMs=60000'],
        /terminationGracePeriodSeconds is 45, but .* 85 s/,
      ],
      ['an ingress without a host', ['ingress.enabled=true'], /ingress\.enabled needs ingress\.hosts/],
      ['a route without a Gateway', ['httpRoute.enabled=true'], /httpRoute\.enabled needs httpRoute\.parentRefs/],
      [
        'a monitor without metrics',
        ['serviceMonitor.enabled=true', 'config.metrics.enabled=false'],
        /need config\.metrics\.enabled/,
      ],
    ])('%s', (_, values, message) => {
      const { ok, text } = template(program, ...withApp, ...values.flatMap((value) => ['--set', value]))
      expect(ok).toBe(false)
      expect(text).toMatch(message)
    })

    it('to run without an app', () => {
      expect(template(program).text).toMatch(/no app is configured: set apps, or existingSecret, or give BELFRY_APP_ID/)
    })
  })

  it('says after the installation what to do next', () => {
    const notes = notesText(program, ...withApp, '--set', 'ingress.enabled=true,ingress.hosts[0].host=ws.example.com')
    expect(notes).toContain('helm test live --namespace realtime')
    expect(notes).toContain('REVERB_HOST=live-belfry.realtime.svc')
    expect(notes).toContain('ws://ws.example.com')
    expect(notes).toContain('There is one node without Redis')
    expect(notesText(program, ...withApp, ...withRedis)).toContain('port-forward service/live-belfry 6001:6001')
  })
})

describeWith(['helm', 'kubeconform'], 'Kubernetes', (program, checker) => {
  it.each(exampleNames)('knows every field of deploy/helm/values/%s.yaml', (name) => {
    const { text } = template(program, '-f', exampleFile(name))
    expect(kubeconform(checker, text)).toEqual({ problems: [], unknown: [] })
  })

  it('knows every field of a chart with everything', () => {
    const values = [
      ...['replicaCount=2', 'ingress.enabled=true', 'ingress.hosts[0].host=a', 'httpRoute.enabled=true'],
      ...['httpRoute.parentRefs[0].name=a', 'httpRoute.timeouts.request=0s', 'serviceMonitor.enabled=true'],
      ...['podMonitor.enabled=true', 'prometheusRule.enabled=true', 'grafanaDashboard.enabled=true'],
      ...['service.type=LoadBalancer', 'service.nodePort=30000', 'priorityClassName=high', 'nodeSelector.a=b'],
      ...['tolerations[0].key=a', 'imagePullSecrets[0].name=a', 'extraVolumes[0].name=a', 'extraEnv[0].name=A'],
      ...['extraVolumes[0].secret.secretName=a', 'extraVolumeMounts[0].name=a', 'extraVolumeMounts[0].mountPath=/a'],
      ...['extraEnv[0].value=a', 'envFrom[0].secretRef.name=a', 'networkPolicy.publicFrom[0].ipBlock.cidr=10.0.0.0/8'],
      ...['networkPolicy.egress[0].ports[0].port=6379', 'podLabels.a=b', 'podAnnotations.a=b'],
    ]
    const { text } = template(program, ...withApp, ...withRedis, ...values.flatMap((value) => ['--set', value]))
    expect(kubeconform(checker, text)).toEqual({ problems: [], unknown: [] })
  })

  it('is asked by a check that sees a wrong field', () => {
    const { text } = template(program, ...withApp)
    const wrong = text.replace('enableServiceLinks:', 'enableServiceLink:')
    expect(kubeconform(checker, wrong).problems.join('\n')).toMatch(/enableServiceLink/)
  })
})

/** What Belfry says to a configuration whose apps and Redis come from files. @throws Error when it refuses it */
function notesOf(text: unknown): unknown {
  const files = {
    'belfry.yaml': String(text),
    '/etc/belfry/apps.yaml': '[{ id: "1", key: key-1, secret: a secret of some length }]',
    '/etc/belfry/redis-url': 'redis://redis:6379/0',
  }
  return loaded({ files }).notes
}
