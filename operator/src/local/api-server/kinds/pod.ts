import { timestamp } from '../../../kube/conditions.js';
import { at, type FieldError, fieldError } from '../field-errors.js';
import { deepEqual, isObject, type Json, type JsonObject } from '../json.js';
import type { ApiObject, KindRules } from './kind.js';
import { admittedPodSpec, defaultPodSpec } from './pod-defaults.js';

const DEFAULT_GRACE_SECONDS = 30;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export const podRules: KindRules = {
  admit: (pod) => ({
    ...pod,
    spec: defaultPodSpec(isObject(pod['spec']) ? pod['spec'] : {}),
    ...(isObject(pod['status']) ? { status: completeStatus(pod['status']) } : {}),
  }),
  mutate: (pod) => ({ ...pod, spec: admittedPodSpec(pod['spec'] as JsonObject) }),
  create: (pod) => ({ ...pod, status: { phase: 'Pending', qosClass: qosClass(pod) } }),
  validate: (pod, old) => [
    ...specErrors(pod['spec'] as JsonObject),
    ...(old === undefined ? [] : changeErrors(pod, old)),
  ],
  validateStatus: () => [],
  grace: (pod, requested) => {
    const spec = pod['spec'] as JsonObject;
    const phase = (pod['status'] as JsonObject | undefined)?.['phase'];
    // Nobody runs it (any more): there is nothing to wait for.
    if (spec['nodeName'] === undefined || phase === 'Succeeded' || phase === 'Failed') return 0;
    return requested ?? Number(spec['terminationGracePeriodSeconds'] ?? DEFAULT_GRACE_SECONDS);
  },
};

/** Times of conditions are told also when there are none. */
function completeStatus(status: JsonObject): JsonObject {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return status;
  const complete = conditions.map((condition) =>
    isObject(condition) ? { lastProbeTime: null, lastTransitionTime: null, ...condition } : condition,
  );
  return { ...status, conditions: complete };
}

/** POST …/pods/NAME/binding: what a scheduler does. */
export function bind(pod: ApiObject, nodeName: string, now: Date): ApiObject {
  const status = pod['status'] as JsonObject;
  const conditions = ((status['conditions'] ?? []) as Json[]).filter(
    (condition) => !isObject(condition) || condition['type'] !== 'PodScheduled',
  );
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(now),
  };
  return {
    ...pod,
    spec: { ...(pod['spec'] as JsonObject), nodeName },
    status: { ...status, conditions: [...conditions, scheduled] },
  };
}

function containersOf(spec: JsonObject, field: 'containers' | 'initContainers'): JsonObject[] {
  const list = spec[field];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function specErrors(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  if (containersOf(spec, 'containers').length === 0) errors.push(fieldError.required('spec.containers'));
  const names = new Set<string>();
  const volumes = new Set(
    (Array.isArray(spec['volumes']) ? spec['volumes'] : []).filter(isObject).map((volume) => volume['name']),
  );
  for (const field of ['initContainers', 'containers'] as const) {
    for (const [index, container] of containersOf(spec, field).entries()) {
      const path = at.index(`spec.${field}`, index);
      errors.push(...containerErrors(container, path, names, volumes));
    }
  }
  if (!['Always', 'OnFailure', 'Never'].includes(String(spec['restartPolicy']))) {
    errors.push(
      fieldError.unsupported('spec.restartPolicy', spec['restartPolicy'], ['Always', 'OnFailure', 'Never']),
    );
  }
  const grace = spec['terminationGracePeriodSeconds'];
  if (!Number.isInteger(grace) || Number(grace) < 0) {
    errors.push(
      fieldError.invalid(
        'spec.terminationGracePeriodSeconds',
        grace,
        'must be an integer that is greater than or equal to 0',
      ),
    );
  }
  return errors;
}

function containerErrors(
  container: JsonObject,
  path: string,
  names: Set<string>,
  volumes: ReadonlySet<Json | undefined>,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, image } = container;
  if (typeof name !== 'string' || name === '') errors.push(fieldError.required(at.child(path, 'name')));
  else if (!DNS_LABEL.test(name) || name.length > 63)
    errors.push(fieldError.invalid(at.child(path, 'name'), name, 'must be a DNS label'));
  else if (names.has(name)) errors.push(fieldError.duplicate(at.child(path, 'name'), name));
  else names.add(name);
  if (typeof image !== 'string' || image === '') errors.push(fieldError.required(at.child(path, 'image')));
  const mounts = Array.isArray(container['volumeMounts']) ? container['volumeMounts'].filter(isObject) : [];
  for (const [index, mount] of mounts.entries()) {
    const mountPath = at.index(at.child(path, 'volumeMounts'), index);
    if (!volumes.has(mount['name'])) {
      errors.push({
        reason: 'FieldValueInvalid',
        field: at.child(mountPath, 'name'),
        message: `Not found: ${JSON.stringify(mount['name'])}`,
      });
    }
    if (typeof mount['mountPath'] !== 'string' || mount['mountPath'] === '')
      errors.push(fieldError.required(at.child(mountPath, 'mountPath')));
  }
  return errors;
}

/** A running pod is what it is: of its spec only images may change, and the wish to end it sooner. */
function changeErrors(pod: ApiObject, old: ApiObject): FieldError[] {
  const fixed = (object: ApiObject): JsonObject => {
    const spec = { ...(object['spec'] as JsonObject) };
    delete spec['activeDeadlineSeconds'];
    delete spec['tolerations'];
    for (const field of ['containers', 'initContainers'] as const) {
      if (spec[field] !== undefined)
        spec[field] = containersOf(spec, field).map((container) => ({ ...container, image: '' }));
    }
    return spec;
  };
  if (deepEqual(fixed(pod), fixed(old))) return [];
  return [
    fieldError.forbidden(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
    ),
  ];
}

function qosClass(pod: ApiObject): string {
  const spec = pod['spec'] as JsonObject;
  const all = [...containersOf(spec, 'initContainers'), ...containersOf(spec, 'containers')];
  const resources = all.map((container) => (isObject(container['resources']) ? container['resources'] : {}));
  if (resources.every((item) => item['requests'] === undefined && item['limits'] === undefined))
    return 'BestEffort';
  const guaranteed = resources.every((item) => {
    const limits = item['limits'];
    if (!isObject(limits) || limits['cpu'] === undefined || limits['memory'] === undefined) return false;
    return item['requests'] === undefined || deepEqual(item['requests'], limits);
  });
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
