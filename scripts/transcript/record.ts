// One recording: a fresh control plane, the scenes one after the other.
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { kubernetesVersion } from '../kubernetes/binaries.ts';
import { writeBuiltinOpenApi } from './builtin-openapi.ts';
import { kubeconfig, startCluster, TOKEN } from './cluster.ts';
import type { Transcript, Value } from './format.ts';
import { Normaliser } from './normalise.ts';
import { RecordingProxy } from './proxy.ts';
import { Recorder } from './recorder.ts';
import { scenes } from './scenes/index.ts';

export async function record(directory: string, kubectl: string, only?: string): Promise<Transcript> {
  const clusterDirectory = join(directory, 'cluster');
  const workDirectory = join(directory, 'work');
  mkdirSync(clusterDirectory);
  mkdirSync(workDirectory);
  const cluster = await startCluster(clusterDirectory);
  const proxy = await RecordingProxy.start(cluster.server);
  try {
    writeFileSync(join(workDirectory, 'kubeconfig'), kubeconfig(proxy.url), { mode: 0o600 });
    const normaliser = new Normaliser([cluster.server.host, new URL(proxy.url).host]);
    const recorder = new Recorder({
      proxy,
      normaliser,
      directory: workDirectory,
      kubectl,
      ask: (path) => ask(cluster.server, path),
    });
    const recorded: Transcript['scenes'] = [];
    for (const [group, scripts] of Object.entries(scenes)) {
      if (only !== undefined && group !== only) continue;
      for (const script of scripts) {
        const scene = await recorder.scene(script);
        process.stderr.write(`${group}: ${scene.command.replaceAll('\n', ' · ')}\n`);
        recorded.push(scene);
      }
    }
    if (only === undefined) await writeBuiltinOpenApi((path) => ask(cluster.server, path));
    return { kubernetes: kubernetesVersion(), scenes: recorded };
  } finally {
    await proxy.stop();
    await cluster.stop();
  }
}

function ask(server: URL, path: string): Promise<{ status: number; body: Value }> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, server), {
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${TOKEN}`, accept: 'application/json' },
    });
    call.on('error', reject);
    call.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: answer.statusCode ?? 0,
          body: (text.startsWith('{') ? JSON.parse(text) : text) as Value,
        });
      });
    });
    call.end();
  });
}
