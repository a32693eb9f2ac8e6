import type { DicomClientTls, DicomPeer } from '../dicom/client.ts';
import type { Config } from '../platform/config.ts';
import type { ImageManager } from '../transactions/department.ts';

/** An image manager that we call by DICOM, with what TLS to it needs. */
export interface Called {
  readonly peer: ImageManager;
  readonly tls?: DicomClientTls | undefined;
}

const ANSWER_TIMEOUT_MS = 30_000;

/** How an image manager is called; the signal ends what is under way. */
export function callTo(config: Config, { peer, tls }: Called, signal: AbortSignal): DicomPeer {
  const { host, port, aeTitle } = peer.dicom;
  return {
    host,
    port,
    callingAeTitle: config.dicom.aeTitle,
    calledAeTitle: aeTitle,
    timeoutMs: ANSWER_TIMEOUT_MS,
    signal,
    ...(tls ? { tls } : {}),
  };
}
