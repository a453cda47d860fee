import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { badRequest } from './api-error.js';
import type { Call, Reply } from './http-server.js';
import { isObject, type Json, type JsonObject } from './json.js';
import type { ApiObject } from './kinds/kind.js';
import { type LogLines, logLines } from './log-lines.js';
import { pour } from './log-stream.js';
import type { Named } from './objects.js';
import type { Services } from './services.js';

interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly lines: LogLines;
}

/** GET …/pods/NAME/log */
export async function serveLog(
  { api, podLogs }: Services,
  call: Call,
  { kind, namespace, name }: Named & { readonly namespace: string },
): Promise<Reply | undefined> {
  const pod = api.get(kind, namespace, name);
  const options = logOptions(pod, call.query);
  const file =
    podLogs === undefined ? undefined : join(podLogs, `${namespace}_${name}`, `${options.container}.log`);
  const runs = file === undefined ? [] : runsOf(file);
  const current = runs.at(-1);
  // Nobody runs it yet: as in a cluster, there is nothing to tell.
  if (!isObject(pod['spec']) || pod['spec']['nodeName'] === undefined) return { status: 204 };
  if (options.previous && (runs.length < 2 || restartsOf(pod, options.container) === 0))
    throw badRequest(`previous terminated container "${options.container}" in pod "${name}" not found`);
  if (file === undefined || current === undefined)
    throw badRequest(
      `container "${options.container}" in pod "${name}" is waiting to start: ContainerCreating`,
    );
  const now = statSync(file).size;
  const part = {
    from: options.previous ? (runs.at(-2) ?? 0) : current,
    // Who follows a run sees the end of that run, not the next one.
    end: () => (options.previous ? current : options.follow ? runsOf(file)[runs.length] : now),
    over: () => isOver(api.storage.get(kind.storage, `${namespace}/${name}`), pod),
  };
  await pour(file, part, options.lines, call.response);
  return undefined;
}

function logOptions(pod: ApiObject, query: URLSearchParams): LogOptions {
  const spec = isObject(pod['spec']) ? pod['spec'] : {};
  const names = [...containers(spec, 'initContainers'), ...containers(spec, 'containers')];
  const main = containers(spec, 'containers');
  const { name } = pod.metadata;
  const asked = query.get('container') ?? '';
  if (asked === '' && main.length !== 1)
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`,
    );
  const container = asked === '' ? (main[0] ?? '') : asked;
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  return {
    container,
    follow: query.get('follow') === 'true',
    previous: query.get('previous') === 'true',
    lines: logLines(query),
  };
}

function containers(spec: JsonObject, field: string): string[] {
  const list: Json | undefined = spec[field];
  return (Array.isArray(list) ? list : []).filter(isObject).map((container) => String(container['name']));
}

function restartsOf(pod: ApiObject, container: string): number {
  const status = isObject(pod['status']) ? pod['status'] : {};
  const all = ['initContainerStatuses', 'containerStatuses'].flatMap((field) => {
    const list: Json | undefined = status[field];
    return Array.isArray(list) ? list.filter(isObject) : [];
  });
  return Number(all.find((one) => one['name'] === container)?.['restartCount'] ?? 0);
}

/** Offsets at which the runs of a container begin: the node notes them beside its log. */
function runsOf(file: string): number[] {
  if (!existsSync(file)) return [];
  const notes = `${file}.runs`;
  if (!existsSync(notes)) return [0];
  return readFileSync(notes, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

function isOver(now: ApiObject | undefined, pod: ApiObject): boolean {
  if (now === undefined || now.metadata['uid'] !== pod.metadata['uid']) return true;
  const phase = isObject(now['status']) ? now['status']['phase'] : undefined;
  return phase === 'Succeeded' || phase === 'Failed';
}
