import type { Config } from '../src/platform/config.ts';
import { type Hl7Answerer, type ListenerDeps, type Listening, listenForHl7 } from './hl7-listener.ts';
import { listenForDicom } from './image-manager.ts';
import { answerAsOrderPlacer } from './order-placer.ts';

export type Peer = Config['peers'][number];

/** The ports of every peer of the site, held while scenarios are played. */
export interface Listeners {
  /** Stops listening as this peer, on all its ports. */
  offline(peer: string): Promise<void>;
  /** Closes its ports and every connection at once, in the middle of whatever it does. */
  kill(peer: string): Promise<void>;
  /** Starts again; nothing when it listens already. */
  online(peer: string): Promise<void>;
  stop(): Promise<void>;
}

/** A port of the site file that an actor cannot have: the sentence says which, its setting, and what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

/** How each kind of peer answers HL7, where it says more than an acknowledgement. */
export type Answerers = Readonly<Partial<Record<Peer['actor'], Hl7Answerer>>>;

const usualAnswerers: Answerers = { 'order-placer': answerAsOrderPlacer };

/** One port of a peer. */
interface Door {
  readonly peer: string;
  /** `peers[1].dicom.port` */
  readonly setting: string;
  readonly host: string;
  readonly port: number;
  readonly open: () => Promise<Listening>;
}

function doorsOf(peer: Peer, index: number, deps: ListenerDeps, answer: Hl7Answerer | undefined): Door[] {
  const { hl7, dicom, name } = peer;
  const door = (protocol: string, address: { host: string; port: number }, open: Door['open']): Door => ({
    peer: name,
    setting: `peers[${index}].${protocol}.port`,
    host: address.host,
    port: address.port,
    open,
  });
  return [
    ...(hl7 ? [door('hl7', hl7, () => listenForHl7(name, { host: hl7.host, port: hl7.port, answer }, deps))] : []),
    ...(dicom ? [door('dicom', dicom, () => listenForDicom(name, { host: dicom.host, port: dicom.port }, deps))] : []),
  ];
}

/** Listens as every peer of the site. Rejects with CannotListen, then nothing listens. */
export async function startListeners(
  peers: readonly Peer[],
  deps: ListenerDeps,
  answerers: Answerers = usualAnswerers,
): Promise<Listeners> {
  const doors = peers.flatMap((peer, index) => doorsOf(peer, index, deps, answerers[peer.actor]));
  const open = new Map<Door, Listening>();
  const take = (door: Door): Listening | undefined => {
    const listening = open.get(door);
    open.delete(door);
    return listening;
  };
  const close = async (door: Door): Promise<void> => take(door)?.stop();
  const kill = async (door: Door): Promise<void> => take(door)?.kill();
  const ofPeer = (name: string): Door[] => doors.filter((door) => door.peer === name);
  const openAll = async (wanted: readonly Door[]): Promise<void> => {
    for (const door of wanted) if (!open.has(door)) open.set(door, await openDoor(door));
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...open.keys()].map(close));
  };
  try {
    await openAll(doors);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    offline: async (peer) => void (await Promise.all(ofPeer(peer).map(close))),
    kill: async (peer) => void (await Promise.all(ofPeer(peer).map(kill))),
    online: (peer) => openAll(ofPeer(peer)),
    stop,
  };
}

async function openDoor(door: Door): Promise<Listening> {
  try {
    return await door.open();
  } catch (error) {
    throw new CannotListen(reasonOf(door, (error as { code?: unknown }).code));
  }
}

function reasonOf({ peer, host, port, setting }: Door, code: unknown): string {
  const where = `${peer} cannot listen on ${host} port ${port} (${setting} in the site file)`;
  if (code === 'EADDRINUSE') return `${where}: the port is taken; stop what listens there, or change the setting`;
  if (code === 'EACCES') return `${where}: not permitted; choose a port above 1023`;
  return `${where}: ${typeof code === 'string' ? code : 'the address is not usable'}; is it one of this machine?`;
}
