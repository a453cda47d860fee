import type { Pod } from '../../kube/index.js';

/** Notices when containers are started again, so that a crash does not only show in a log. */
export class RestartWatch {
  readonly #seen = new Map<string, number>();

  /** One line for each container that was restarted since the last look. */
  news(pods: readonly Pod[]): string[] {
    return pods.flatMap(({ metadata, status }) =>
      [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(
        ({ name, restartCount, state, lastState }) => {
          const key = `${metadata?.uid}/${name}`;
          const before = this.#seen.get(key) ?? 0;
          this.#seen.set(key, restartCount);
          if (restartCount <= before) return [];
          const exitCode = (state?.terminated ?? lastState?.terminated)?.exitCode ?? '?';
          return [
            `${metadata?.name}: container ${name} ended with exit code ${exitCode}; start ${restartCount + 1}`,
          ];
        },
      ),
    );
  }
}
