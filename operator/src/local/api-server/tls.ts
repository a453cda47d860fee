import { createHash, generateKeyPairSync, sign } from 'node:crypto';

/** A key and a certificate of its own for 127.0.0.1, in PEM. */
export interface Identity {
  readonly key: string;
  readonly certificate: string;
}

const YEAR_MS = 365 * 86_400_000;
/** Clocks of one machine agree, but a certificate that begins this very second is refused when they step back. */
const SLACK_MS = 3_600_000;

/**
 * A self-signed certificate for this machine's loopback. Clients are told to trust exactly it; the key is in memory
 * only, so it ends with the process.
 */
export function makeIdentity(now: Date): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8('flashpod-local'))));
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const validity = sequence(time(now.getTime() - SLACK_MS), time(now.getTime() + YEAR_MS));
  const extensions = sequence(
    // subjectAltName: localhost and 127.0.0.1; basicConstraints: it signs itself; keyUsage; serverAuth.
    extension(
      '2.5.29.17',
      sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))),
    ),
    extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff])))),
    extension('2.5.29.15', bits(Buffer.from([0x84]), 2)),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
  );
  const serial = createHash('sha256').update(spki).digest().subarray(0, 16);
  serial.writeUInt8(serial.readUInt8(0) & 0x7f || 1, 0);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    validity,
    name,
    spki,
    der(0xa3, extensions),
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/** Distinguished encoding: tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...items: Buffer[]): Buffer => der(0x30, Buffer.concat(items));
const set = (...items: Buffer[]): Buffer => der(0x31, Buffer.concat(items));
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const bits = (content: Buffer, unused = 0): Buffer =>
  der(0x03, Buffer.concat([Buffer.from([unused]), content]));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

/** UTCTime, which holds until 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
