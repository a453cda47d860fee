// A control plane of its own on loopback: etcd, kube-apiserver, and of the controllers those that end things.
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buildBinaries } from '../kubernetes/binaries.ts';

export const TOKEN = 'flashpod-transcript';
const READY_WITHIN_MS = 60_000;

export interface Cluster {
  readonly server: URL;
  stop(): Promise<void>;
}

export async function startCluster(directory: string): Promise<Cluster> {
  const programs = buildBinaries(['etcd', 'kube-apiserver', 'kube-controller-manager']);
  const [etcdClient, etcdPeer, secure] = await Promise.all([freePort(), freePort(), freePort()]);
  const file = (name: string) => join(directory, name);
  writeFileSync(file('tokens.csv'), `${TOKEN},admin,admin,system:masters\n`, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(file('accounts.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  const server = new URL(`https://127.0.0.1:${secure}`);
  writeFileSync(file('controllers.kubeconfig'), kubeconfig(server.href), { mode: 0o600 });

  const children: ChildProcess[] = [];
  const start = (program: keyof typeof programs, args: string[]) => {
    const child = spawn(programs[program], args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(file(`${program}.log`));
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    children.push(child);
  };
  const stop = async () => {
    for (const child of children.splice(0).reverse()) await end(child);
  };
  const etcd = `http://127.0.0.1:${etcdClient}`;
  const peer = `http://127.0.0.1:${etcdPeer}`;
  mkdirSync(file('etcd'), { mode: 0o700 });
  start('etcd', [
    '--name=local',
    `--data-dir=${file('etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=local=${peer}`,
  ]);
  start('kube-apiserver', [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${secure}`,
    `--cert-dir=${file('certificates')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://flashpod.local',
    `--service-account-key-file=${file('accounts.key')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    // Adds volumes with tokens to pods, which nobody here could mount.
    '--disable-admission-plugins=ServiceAccount',
    '--endpoint-reconciler-type=none',
  ]);
  try {
    await ready(server);
    start('kube-controller-manager', [
      `--kubeconfig=${file('controllers.kubeconfig')}`,
      `--authentication-kubeconfig=${file('controllers.kubeconfig')}`,
      `--authorization-kubeconfig=${file('controllers.kubeconfig')}`,
      '--controllers=namespace-controller,garbage-collector-controller',
      '--leader-elect=false',
      '--secure-port=0',
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { server, stop };
}

export function kubeconfig(server: string): string {
  const cluster = server.startsWith('https:') ? { server, 'insecure-skip-tls-verify': true } : { server };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'transcript',
    clusters: [{ name: 'transcript', cluster }],
    users: [{ name: 'transcript', user: { token: TOKEN } }],
    contexts: [{ name: 'transcript', context: { cluster: 'transcript', user: 'transcript' } }],
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function ready(server: URL): Promise<void> {
  const limit = Date.now() + READY_WITHIN_MS;
  while (!(await answersOk(new URL('/readyz', server)))) {
    if (Date.now() > limit) throw new Error(`${server.href} is not ready after ${READY_WITHIN_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function answersOk(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(url, { rejectUnauthorized: false, headers: { authorization: `Bearer ${TOKEN}` } });
    call.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.end();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(force);
}
