// The objects that the scenes handle. Fixed here, so that the transcript does not follow the samples about.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NAMESPACE = 'desk';
export const API = '/apis/trading.flashpod.dev/v1alpha1/namespaces/desk';

const crds = join(import.meta.dirname, '../../../crds');
export const crd = (plural: string): string => readFileSync(join(crds, `${plural}.yaml`), 'utf8');
export const CRDS = [
  'tradingstrategies',
  'strategyinstances',
  'tradingaccounts',
  'executioncores',
  'halts',
] as const;

export const account = `apiVersion: trading.flashpod.dev/v1alpha1
kind: TradingAccount
metadata:
  name: main
spec:
  venue: mexc-spot
  environment: Simulated
  endpoints: { rest: "https://127.0.0.1:8443", ws: "wss://127.0.0.1:8443/ws" }
  credentialsSecretRef: { name: mexc-credentials }
  limits: { maxExposure: "200000", maxOpenOrders: 100 }
`;

export const core = `apiVersion: trading.flashpod.dev/v1alpha1
kind: ExecutionCore
metadata:
  name: core
  labels: { app: flashpod }
spec:
  accounts: [main]
  pollMode: Park
`;

export const strategy = (
  name: string,
  {
    notional = '2000',
    symbols = 'BTCUSDC, ETHUSDC',
    extra = '',
  }: { notional?: string; symbols?: string; extra?: string } = {},
): string => `apiVersion: trading.flashpod.dev/v1alpha1
kind: TradingStrategy
metadata:
  name: ${name}
  labels: { app: flashpod, team: blue }
spec:
  strategy: momentum-taker
  symbols: [${symbols}]
  accountRef: { name: main }
  mode: Paper
  capital:
    - { asset: USDC, amount: "50000" }
    - { asset: BTC, amount: "0.5" }
  parameters: { orderNotional: "200", stopBps: 3 }
  risk: { maxOrderNotional: "${notional}", maxPositionNotional: "10000" }
${extra}`;

export const pod = `apiVersion: v1
kind: Pod
metadata:
  name: waiting
  labels: { app: flashpod }
spec:
  nodeSelector: { nowhere: "true" }
  initContainers:
    - name: agent
      image: flashpod/agent:0.1.0
      restartPolicy: Always
      args: ["--core", "core"]
  containers:
    - name: core
      image: flashpod/core:0.1.0
      args: ["run"]
      ports: [{ name: metrics, containerPort: 9464 }]
      env:
        - { name: MODE, value: paper }
        - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
      readinessProbe: { httpGet: { path: /readyz, port: 9464 } }
      resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { cpu: 100m, memory: 64Mi } }
      volumeMounts: [{ name: token, mountPath: /etc/flashpod/token }]
  volumes:
    - { name: token, secret: { secretName: keys } }
    - { name: config, configMap: { name: settings } }
    - { name: state, hostPath: { path: /var/lib/flashpod } }
`;
