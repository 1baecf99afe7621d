import { apiTime } from './kubernetes-objects.ts';

const NODES = 110;

/** Address of the pod of a number. */
export function podAddress(number: number): string {
  return `10.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * A pod of a Deployment as an API server writes it, with all that this agent has no use for: 6 KB, which is what such a
 * pod has with one container, one probe, one mounted volume and the fields that its managers own.
 */
export function podJson(number: number, perNode = NODES): string {
  const name = `checkout-service-${(number >> 4).toString(16).padStart(9, '5')}-${number.toString(36).padStart(5, 'x')}`;
  const set = name.slice(0, -6);
  const node = `ip-10-0-${Math.floor(number / perNode) >> 8}-${Math.floor(number / perNode) & 255}.example.internal`;
  const since = apiTime(1_790_000_000 + (number % 100_000));
  const uid = `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  const managed = (manager: string, subresource?: string) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: since,
    fieldsType: 'FieldsV1',
    fieldsV1: subresource ? STATUS_FIELDS : SPEC_FIELDS,
    ...(subresource && { subresource }),
  });
  const condition = (type: string) => ({
    type,
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: since,
  });
  return JSON.stringify({
    metadata: {
      name,
      generateName: `${set}-`,
      namespace: `team-${number % 200}`,
      uid,
      resourceVersion: String(1_000_000 + number),
      creationTimestamp: since,
      labels: { app: 'checkout-service', 'pod-template-hash': set.slice(-9), team: `team-${number % 200}` },
      annotations: {
        'cni.projectcalico.org/podIPs': `${podAddress(number)}/32`,
        'prometheus.io/scrape': 'true',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: set,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [
        managed('kube-controller-manager'),
        managed('calico', 'status'),
        managed('kubelet', 'status'),
      ],
    },
    spec: {
      volumes: [
        {
          name: 'kube-api-access-x7k2p',
          projected: {
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            ],
            defaultMode: 420,
          },
        },
      ],
      containers: [
        {
          name: 'main',
          image: 'registry.example.com/shop/checkout-service:2026.11.21-4f2c9d1',
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          env: Array.from({ length: 12 }, (_, i) => ({
            name: `CHECKOUT_SETTING_${i}`,
            value: `value-of-setting-${i}`,
          })),
          resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
          volumeMounts: [
            {
              name: 'kube-api-access-x7k2p',
              readOnly: true,
              mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
            },
          ],
          readinessProbe: {
            httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'checkout-service',
      nodeName: node,
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {
      phase: 'Running',
      conditions: [
        'PodReadyToStartContainers',
        'Initialized',
        'Ready',
        'ContainersReady',
        'PodScheduled',
      ].map(condition),
      hostIP: '10.0.0.7',
      hostIPs: [{ ip: '10.0.0.7' }],
      podIP: podAddress(number),
      podIPs: [{ ip: podAddress(number) }],
      startTime: since,
      containerStatuses: [
        {
          name: 'main',
          state: { running: { startedAt: since } },
          lastState: {},
          ready: true,
          restartCount: 0,
          image: 'registry.example.com/shop/checkout-service:2026.11.21-4f2c9d1',
          imageID: `registry.example.com/shop/checkout-service@sha256:${uid.replaceAll('-', '').repeat(2)}`,
          containerID: `containerd://${uid.replaceAll('-', '').repeat(2)}`,
          started: true,
        },
      ],
      qosClass: 'Burstable',
    },
  });
}

const field = (names: string) => Object.fromEntries(names.split(' ').map((name) => [`f:${name}`, {}]));
const SPEC_FIELDS = {
  'f:metadata': {
    'f:generateName': {},
    'f:labels': field('app pod-template-hash team'),
    'f:ownerReferences': {},
  },
  'f:spec': {
    'f:containers': {
      'k:{"name":"main"}': field(
        'env image imagePullPolicy name ports readinessProbe resources terminationMessagePath terminationMessagePolicy',
      ),
    },
    ...field(
      'dnsPolicy enableServiceLinks restartPolicy schedulerName securityContext serviceAccountName terminationGracePeriodSeconds',
    ),
  },
};
const STATUS_FIELDS = {
  'f:status': {
    'f:conditions': Object.fromEntries(
      ['ContainersReady', 'Initialized', 'PodReadyToStartContainers', 'Ready'].map((type) => [
        `k:{"type":"${type}"}`,
        field('lastProbeTime lastTransitionTime status type'),
      ]),
    ),
    ...field('containerStatuses hostIP hostIPs phase podIP podIPs startTime'),
  },
};
