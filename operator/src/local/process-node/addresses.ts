import { createServer } from 'node:net';

export const HOST_IP = '127.0.0.1';

/**
 * Loopback addresses for pods: 127.X.Y.Z with X drawn for each node, so that two nodes on a machine rarely meet.
 * Where only 127.0.0.1 exists (macOS), all pods share it.
 */
export class Addresses {
  readonly #second: number;
  readonly #shared: boolean;
  readonly #used = new Set<number>();
  #next = 1;

  private constructor(second: number, shared: boolean) {
    this.#second = second;
    this.#shared = shared;
  }

  static async open(): Promise<Addresses> {
    const second = 1 + Math.floor(Math.random() * 254);
    return new Addresses(second, !(await canBind(`127.${second}.0.1`)));
  }

  take(): string {
    if (this.#shared) return HOST_IP;
    // .0 and .255 look like networks to some tools.
    while (this.#used.has(this.#next) || this.#next % 256 === 0 || this.#next % 256 === 255)
      this.#next = (this.#next + 1) % 65_536;
    this.#used.add(this.#next);
    const address = `127.${this.#second}.${Math.floor(this.#next / 256)}.${this.#next % 256}`;
    this.#next = (this.#next + 1) % 65_536;
    return address;
  }

  release(address: string): void {
    const [, second, third, fourth] = address.split('.').map(Number);
    if (second === this.#second) this.#used.delete((third ?? 0) * 256 + (fourth ?? 0));
  }
}

function canBind(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}
