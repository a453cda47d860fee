// Takes out of a recording what is different in every run: identities, versions, times, addresses.
import type { Value } from './format.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/g;
const MICRO_TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z/g;
const AGE = /^(\d+[smhdy])+$/;

/** Numbers each distinct value by its first appearance, over the whole transcript. */
export class Names {
  readonly #known = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  of(sort: string, value: string): string {
    const key = `${sort} ${value}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(sort) ?? 0) + 1;
    this.#counts.set(sort, count);
    const name = `<${sort}:${count}>`;
    this.#known.set(key, name);
    return name;
  }

  /** The name of a value that was seen before. */
  known(sort: string, value: string): string | undefined {
    return this.#known.get(`${sort} ${value}`);
  }
}

export class Normaliser {
  readonly #names = new Names();
  readonly #addresses: readonly string[];

  /** `addresses`: HOST:PORT of the server, and of the proxy before it. */
  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  /** What a client made up by itself stays what it is. */
  url(text: string): string {
    const url = new URL(text, 'http://server');
    const path = this.#sentText(decodeURIComponent(url.pathname));
    const query = [...url.searchParams].map(([key, value]) => `${key}=${this.#parameter(key, value)}`);
    return query.length === 0 ? path : `${path}?${query.join('&')}`;
  }

  #parameter(key: string, value: string): string {
    const sort = { resourceVersion: 'rv', continue: 'continue', hash: 'hash' }[key];
    return (sort === undefined ? undefined : this.#names.known(sort, value)) ?? this.#sentText(value);
  }

  /** The body of a request: of what it names, only what a server said before is known by a number. */
  sent(value: Value, key = ''): Value {
    if (typeof value === 'string')
      return (
        (key === 'resourceVersion' ? this.#names.known('rv', value) : undefined) ?? this.#sentText(value)
      );
    if (Array.isArray(value)) return value.map((item) => this.sent(item));
    if (typeof value !== 'object' || value === null) return value;
    // An operation of a JSON patch.
    const field =
      typeof value['path'] === 'string' ? value['path'].slice(value['path'].lastIndexOf('/') + 1) : '';
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.sent(inner, name === 'value' ? field : name)]),
    );
  }

  #sentText(text: string): string {
    return text
      .replaceAll(UUID, (uid) => this.#names.known('uid', uid) ?? uid)
      .replaceAll(/^[a-z]+-[a-z0-9]{5}$/g, (name) => this.#names.known('name', name) ?? name);
  }

  /** A body, a header, or a line of output. */
  value(value: Value, key = ''): Value {
    if (typeof value === 'string') return this.#string(value, key);
    if (Array.isArray(value)) return value.map((item) => this.value(item, key));
    if (typeof value !== 'object' || value === null) return value;
    if (typeof value['generateName'] === 'string' && typeof value['name'] === 'string')
      this.#names.of('name', value['name']);
    if (value['kind'] === 'Table') return this.#table(value);
    return this.#fields(value);
  }

  text(text: string): string {
    const placeless = this.#addresses.reduce((rest, address) => rest.replaceAll(address, '<address>'), text);
    return placeless
      .replaceAll(MICRO_TIME, '<microtime>')
      .replaceAll(TIME, '<time>')
      .replaceAll(UUID, (uid) => this.#names.of('uid', uid))
      .replaceAll(/(in the precondition|in record) \(\d+\)/g, '$1 (<version>)')
      .replaceAll(
        /(old resource version: |large resource version: |current: )\d+( \(\d+\))?/g,
        (_, words, more) => (more === undefined ? `${words}<version>` : `${words}<version> (<version>)`),
      );
  }

  etag(value: string): string {
    return this.#names.of('etag', value);
  }

  #fields(value: { [key: string]: Value }): Value {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [this.text(name), this.value(inner, name)]),
    );
  }

  #string(value: string, key: string): string {
    if (key === 'resourceVersion' && value !== '' && value !== '0') return this.#names.of('rv', value);
    if (key === 'continue' && value !== '') return this.#names.of('continue', value);
    if (key === 'name' || key === 'names') return this.#names.known('name', value) ?? this.text(value);
    if (key === 'serverRelativeURL')
      return value.replace(/hash=.*$/, (hash) => `hash=${this.#names.of('hash', hash.slice(5))}`);
    return this.text(value);
  }

  /** Ages stand in cells of any column. */
  #table(table: { [key: string]: Value }): Value {
    const rows = table['rows'];
    const aged = (Array.isArray(rows) ? rows : []).map((row) => {
      if (typeof row !== 'object' || row === null || Array.isArray(row)) return row;
      const cells = row['cells'];
      const fresh = (Array.isArray(cells) ? cells : []).map((cell) => {
        if (typeof cell !== 'string') return cell;
        if (AGE.test(cell)) return '<age>';
        return this.#names.known('name', cell) ?? cell;
      });
      return { ...row, cells: fresh };
    });
    return this.#fields({ ...table, ...(rows === undefined || rows === null ? {} : { rows: aged }) });
  }
}
