import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { isSupported } from './dicom/charset.ts';
import { findCharacterSet } from './hl7/charset.ts';
import { type Config, ConfigError } from './platform/config.ts';

/** Key and certificates, read. */
export interface TlsFiles {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca?: Buffer;
  readonly requireClientCertificate: boolean;
}

/** What the site file points to. */
export interface SiteFiles {
  readonly hl7: TlsFiles | undefined;
  readonly dicom: TlsFiles | undefined;
  /** Peers that are reached by TLS, by protocol and name. */
  readonly peers: { readonly [protocol in 'hl7' | 'dicom']: ReadonlyMap<string, TlsFiles> };
}

type Tls = NonNullable<Config['hl7']['tls']>;

function readTls(place: string, tls: Tls, problems: string[]): TlsFiles | undefined {
  const unreadable: string[] = [];
  const read = (name: 'key' | 'cert' | 'ca', path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch {
      unreadable.push(`${place}.tls.${name}: ${path} cannot be read`);
      return Buffer.alloc(0);
    }
  };
  const { key, cert, ca, requireClientCertificate } = tls;
  const own = { key: read('key', key), cert: read('cert', cert), requireClientCertificate };
  const files = ca === undefined ? own : { ...own, ca: read('ca', ca) };
  if (unreadable.length === 0 && !isUsable(files)) {
    problems.push(`${place}.tls: key, cert and ca are not PEM files, or the key is not the certificate's`);
  }
  problems.push(...unreadable);
  return files;
}

function isUsable({ key, cert, ca }: TlsFiles): boolean {
  try {
    createSecureContext({ key, cert, ...(ca ? { ca } : {}) });
    return true;
  } catch {
    return false;
  }
}

function checkCharacterSets(config: Config, problems: string[]): void {
  const hl7 = (place: string, name: string | undefined): void => {
    if (name !== undefined && !findCharacterSet(name)) {
      problems.push(
        `${place}.characterSet: not a name of HL7 table 0211 that can be written, such as 8859/1 or UNICODE UTF-8`,
      );
    }
  };
  config.peers.forEach((peer, index) => hl7(`peers.${index}.hl7`, peer.hl7?.characterSet));
  config.senders.forEach((sender, index) => hl7(`senders.${index}`, sender.characterSet));
  config.stations.forEach(({ characterSet }, index) => {
    if (characterSet !== undefined && !isSupported(characterSet.split('\\'))) {
      problems.push(`stations.${index}.characterSet: not a DICOM term such as ISO_IR 100 or ISO_IR 192`);
    }
  });
}

/** Reads keys and certificates and checks what only the wire modules know. Throws ConfigError with every problem at once. */
export function readSiteFiles(config: Config): SiteFiles {
  const problems: string[] = [];
  checkCharacterSets(config, problems);
  const { hl7, dicom } = config;
  const peers = { hl7: new Map<string, TlsFiles>(), dicom: new Map<string, TlsFiles>() };
  config.peers.forEach((peer, index) => {
    for (const protocol of ['hl7', 'dicom'] as const) {
      const tls = peer[protocol]?.tls;
      const files = tls && readTls(`peers.${index}.${protocol}`, tls, problems);
      if (files) peers[protocol].set(peer.name, files);
    }
  });
  const files = {
    hl7: hl7.tls && readTls('hl7', hl7.tls, problems),
    dicom: dicom.tls && readTls('dicom', dicom.tls, problems),
    peers,
  };
  if (problems.length > 0)
    throw new ConfigError(problems.map((problem) => `${config.file ?? 'configuration'}: ${problem}`));
  return files;
}
