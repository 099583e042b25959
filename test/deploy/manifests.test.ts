import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IService } from 'kubernetes-models/v1';
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { loadConfig } from '../../src/config.ts';
import { parseBundle } from '../../src/policies/load-bundle.ts';
import { inputTopics } from '../../src/topics.ts';
import { manifestFaults } from '../support/kubernetes-schemas.ts';
import { type Manifest, renderKustomization } from '../support/kustomize.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = [
  'base',
  'overlays/cpu',
  'overlays/gpu',
  'examples/autoscaled-sasl',
  'examples/kind',
];

const rendered = new Map<string, Manifest[]>();
beforeAll(() => {
  for (const folder of FOLDERS) {
    rendered.set(folder, renderKustomization(`${root}deploy/k8s/${folder}`));
  }
}, 300_000);

function manifestsOf(folder: string): Manifest[] {
  return rendered.get(folder) ?? [];
}

function find(folder: string, kind: string, name = 'moderato'): Manifest {
  const manifest = manifestsOf(folder).find(
    (candidate) => candidate.kind === kind && candidate.metadata.name.startsWith(name),
  );
  if (!manifest) throw new Error(`${folder} has no ${kind} ${name}`);
  return manifest;
}

function podOf(folder: string) {
  const { spec } = find(folder, 'Deployment') as IDeployment;
  const container = spec?.template.spec?.containers[0];
  if (!spec?.template.spec || !container) throw new Error(`${folder}: no container`);
  const env = new Map((container.env ?? []).map((variable) => [variable.name, variable]));
  return { spec, pod: spec.template.spec, labels: spec.template.metadata?.labels, container, env };
}

const folderOfConfigs = mkdtempSync(join(tmpdir(), 'moderato-deploy-'));
afterAll(() => rmSync(folderOfConfigs, { recursive: true }));

/** What the pod's Moderato reads: the ConfigMap's file under the pod's variables. */
async function configOf(folder: string) {
  const map = find(folder, 'ConfigMap', 'moderato-config');
  const file = join(folderOfConfigs, 'moderato.yaml');
  const secret = join(folderOfConfigs, 'secret');
  writeFileSync(file, map.data?.['moderato.yaml'] ?? '');
  writeFileSync(secret, 'from the Secret');
  const env = [...podOf(folder).env].map(([name, variable]): [string, string] => {
    if (name.endsWith('_FILE')) return [name, secret];
    // What comes from the Secret or the container's limits.
    return [name, variable.value ?? '2'];
  });
  return (await loadConfig(file, Object.fromEntries(env))).config;
}

describe('the manifests', () => {
  it("are accepted by the API's own schemas, without a key that those do not know", async () => {
    const all = FOLDERS.flatMap(manifestsOf);
    expect(all.length).toBeGreaterThan(30);
    await expect(manifestFaults(all)).resolves.toEqual([]);
  }, 60_000);

  it('are refused when a required key is missing, a type is wrong or a key is misspelt', async () => {
    const broken = (change: (deployment: Record<string, unknown>) => void): Manifest => {
      const deployment = structuredClone(find('base', 'Deployment'));
      change(deployment.spec as Record<string, unknown>);
      return deployment;
    };
    for (const change of [
      (spec: Record<string, unknown>) => delete spec['selector'],
      (spec: Record<string, unknown>) => (spec['replicas'] = 'two'),
      (spec: Record<string, unknown>) => (spec['minReadySecond'] = 10),
    ]) {
      expect(await manifestFaults([broken(change)])).toHaveLength(1);
    }
  }, 60_000);

  it('need no custom resource in the base and the two overlays', () => {
    for (const folder of FOLDERS.slice(0, 3)) {
      const groups = manifestsOf(folder).map(({ apiVersion }) => apiVersion.split('/')[0]);
      expect([...new Set(groups)].sort()).toEqual(['apps', 'networking.k8s.io', 'policy', 'v1']);
    }
  });
});

describe.each(FOLDERS)('the kustomization %s', (folder) => {
  it('carries a configuration that Moderato accepts, with every variable the pod sets', async () => {
    const config = await configOf(folder);
    expect(config.policies).toBe(join(folderOfConfigs, 'policies.yaml'));
    expect(config.images.decoders).toBe(2);
  });

  it('carries a policy bundle that Moderato accepts, in which nothing is enforced unmeasured', () => {
    const text = find(folder, 'ConfigMap', 'moderato-policies').data?.['policies.yaml'] ?? '';
    const { policies } = parseBundle(text, 'policies.yaml');
    expect(new Set(policies.map(({ mode }) => mode))).toEqual(new Set(['shadow']));
    const shipped = readFileSync(`${root}policies/example-trust-and-safety.yaml`, 'utf8');
    expect(text).toBe(shipped);
  });

  it('mounts both under the paths that the command and the configuration name', () => {
    const { pod, container } = podOf(folder);
    const volume = pod.volumes?.find(({ name }) => name === 'config');
    const maps = volume?.projected?.sources?.map(({ configMap }) => configMap?.name);
    expect(maps).toEqual(
      manifestsOf(folder)
        .filter(({ kind }) => kind === 'ConfigMap')
        .map(({ metadata }) => metadata.name),
    );
    const mounts = container.volumeMounts ?? [];
    expect(mounts.find(({ name }) => name === 'config')?.mountPath).toBe('/etc/moderato');
    expect(container.args?.at(-1)).toBe('/etc/moderato/moderato.yaml');
  });

  it('names ConfigMaps after their content, so that a changed policy is rolled out', () => {
    for (const { kind, metadata } of manifestsOf(folder)) {
      if (kind === 'ConfigMap') expect(metadata.name).toMatch(/-[a-z0-9]{10}$/);
    }
  });

  it('lets the drain end before the pod is killed', async () => {
    const { pipeline } = await configOf(folder);
    const grace = (podOf(folder).pod.terminationGracePeriodSeconds ?? 30) * 1000;
    expect(grace).toBeGreaterThanOrEqual(pipeline.drainTimeoutMs + 10_000);
  });

  it('probes the port that Moderato listens on', async () => {
    const { http } = (await configOf(folder)).observability;
    const { container } = podOf(folder);
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const port = container.ports?.find(({ name }) => name === 'http')?.containerPort;
    expect(http).toMatchObject({ host: '0.0.0.0', port });
    expect(startupProbe?.httpGet).toEqual({ path: '/livez', port: 'http' });
    expect(livenessProbe?.httpGet).toEqual({ path: '/livez', port: 'http' });
    expect(readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'http' });
  });

  it('selects its own pods with every selector, and none with an empty one', () => {
    const { spec, labels } = podOf(folder);
    const monitor = manifestsOf(folder).find(({ kind }) => kind === 'PodMonitor');
    const selectors = [
      spec.selector.matchLabels,
      spec.template.spec?.topologySpreadConstraints?.[0]?.labelSelector?.matchLabels,
      (find(folder, 'Service', 'moderato-metrics') as IService).spec?.selector,
      (find(folder, 'PodDisruptionBudget') as IPodDisruptionBudget).spec?.selector?.matchLabels,
      (find(folder, 'NetworkPolicy') as INetworkPolicy).spec?.podSelector?.matchLabels,
      ...(monitor ? [(monitor as IPodMonitor).spec.selector.matchLabels] : []),
    ];
    for (const selector of selectors) {
      expect(Object.keys(selector ?? {}).length).toBeGreaterThan(0);
      expect(labels).toMatchObject(selector ?? {});
    }
  });

  it('runs under the restricted pod security standard', () => {
    const { pod, container } = podOf(folder);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    const allowed = ['configMap', 'emptyDir', 'projected', 'secret'];
    for (const volume of pod.volumes ?? []) {
      expect(allowed).toContain(Object.keys(volume).find((key) => key !== 'name'));
    }
  });

  it('keeps the variables of services from being taken for configuration', () => {
    expect(podOf(folder).pod.enableServiceLinks).toBe(false);
  });

  it('pins its image', () => {
    expect(podOf(folder).container.image).toMatch(/moderato:\d+\.\d+\.\d+(-gpu)?$/);
  });

  it('lets out names, Kafka, the registry and telemetry, and lets in probes and metrics only', async () => {
    const policy = (find(folder, 'NetworkPolicy') as INetworkPolicy).spec;
    const open = (port: number, protocol = 'TCP'): boolean =>
      (policy?.egress ?? []).some(({ ports }) =>
        ports?.some(
          (rule) =>
            rule.protocol === protocol &&
            Number(rule.port) <= port &&
            port <= (rule.endPort ?? Number(rule.port)),
        ),
      );
    const { kafka, registry } = await configOf(folder);
    expect(open(53, 'UDP') && open(53)).toBe(true);
    for (const broker of kafka.brokers) expect(open(Number(broker.split(':')[1]))).toBe(true);
    if (registry) expect(open(Number(new URL(registry.url).port))).toBe(true);
    expect(open(4318) && open(4317)).toBe(true);
    expect(open(22)).toBe(false);
    expect(policy?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy?.ingress).toEqual([{ ports: [{ protocol: 'TCP', port: 9464 }] }]);
  });
});

describe('the GPU overlay', () => {
  it('asks for one GPU, the CUDA image and the CUDA provider', async () => {
    const { container, pod } = podOf('overlays/gpu');
    expect(container.image).toMatch(/-gpu$/);
    expect(container.resources?.limits?.['nvidia.com/gpu']).toBe('1');
    expect((await configOf('overlays/gpu')).model.executionProvider).toBe('cuda');
    expect(pod.tolerations?.[0]).toMatchObject({ key: 'nvidia.com/gpu', operator: 'Exists' });
  });

  it('batches more than the CPU one', async () => {
    const [cpu, gpu] = [await configOf('overlays/cpu'), await configOf('overlays/gpu')];
    expect(gpu.batching.maxBatchSize).toBeGreaterThan(cpu.batching.maxBatchSize);
    expect(gpu.pipeline.maxInFlight).toBeGreaterThanOrEqual(gpu.batching.maxBatchSize * 2);
  });
});

describe('the example for kind', () => {
  const folder = 'examples/kind';

  it('makes the topics from the configuration that Moderato reads, as no pod of Moderato', () => {
    const template = (find(folder, 'Job', 'moderato-topics') as IJob).spec?.template;
    const volume = template?.spec?.volumes?.find(({ name }) => name === 'config');
    expect(volume?.configMap?.name).toBe(
      find(folder, 'ConfigMap', 'moderato-config').metadata.name,
    );
    expect(template?.metadata?.labels).not.toMatchObject(
      podOf(folder).spec.selector.matchLabels ?? {},
    );
  });

  it('runs a broker under the name that the configuration gives', async () => {
    const service = find(folder, 'Service', 'kafka') as IService;
    const { brokers } = (await configOf(folder)).kafka;
    expect(brokers).toEqual([`${service.metadata?.name ?? ''}:9092`]);
    const { labels } = (find(folder, 'Deployment', 'kafka') as IDeployment).spec?.template
      .metadata ?? { labels: {} };
    expect(labels).toMatchObject(service.spec?.selector ?? { none: 'given' });
  });
});

describe('the KEDA component', () => {
  const folder = 'examples/autoscaled-sasl';

  it('watches the group, the topic and the brokers that Moderato reads', async () => {
    const { kafka, topics } = await configOf(folder);
    const { spec } = find(folder, 'ScaledObject') as IScaledObject;
    // A trigger for each lane.
    expect(spec.triggers.map(({ metadata }) => metadata['topic'])).toEqual(inputTopics(topics));
    expect(spec.triggers[0]?.metadata).toMatchObject({
      consumerGroup: kafka.groupId,
      bootstrapServers: kafka.brokers.join(','),
      sasl: kafka.sasl?.mechanism === undefined ? undefined : 'scram_sha512',
      tls: 'enable',
    });
    expect(spec.scaleTargetRef.name).toBe(find(folder, 'Deployment').metadata.name);
  });

  it('leaves the count of replicas to KEDA', () => {
    expect(podOf(folder).spec.replicas).toBeUndefined();
    expect(podOf('overlays/cpu').spec.replicas).toBe(2);
  });
});
