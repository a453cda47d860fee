/** Writes the wire format of protocol buffers: fields one after the other, each with its number. */
export class Message {
  readonly #parts: Buffer[] = [];

  text(field: number, value: unknown): this {
    return typeof value === 'string' && value !== '' ? this.#bytes(field, Buffer.from(value)) : this;
  }

  texts(field: number, values: unknown): this {
    for (const value of Array.isArray(values) ? values : []) this.text(field, value);
    return this;
  }

  message(field: number, value: Message | undefined): this {
    return value === undefined ? this : this.#bytes(field, value.encode());
  }

  integer(field: number, value: unknown): this {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0)
      this.#parts.push(varint(field * 8), varint(value));
    return this;
  }

  boolean(field: number, value: unknown): this {
    return value === true ? this.integer(field, 1) : this;
  }

  number(field: number, value: unknown): this {
    if (typeof value !== 'number') return this;
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#parts.push(varint(field * 8 + 1), bytes);
    return this;
  }

  encode(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #bytes(field: number, bytes: Buffer): this {
    this.#parts.push(varint(field * 8 + 2), varint(bytes.length), bytes);
    return this;
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 0x7f) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  return Buffer.from([...bytes, left]);
}
