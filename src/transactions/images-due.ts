import type { Config } from '../platform/config.ts';
import { startAsking, stopAsking } from '../store/availability-queries.ts';
import type { Tx } from '../store/prisma.ts';
import { askingAfter } from '../workflow/images-due.ts';
import type { StoredMachine } from '../workflow/procedure-machine.ts';
import { imageManagers } from './department.ts';

/** A procedure that is being saved: how it stood, and how it stands now. */
interface SavedProcedure {
  readonly procedureId: number;
  readonly before: StoredMachine;
  readonly now: StoredMachine;
  readonly at: Date;
}

/** The asking for images (RAD-11) begins and ends with the state of the procedure, by the same commit. */
export async function followImages(tx: Tx, config: Config, saved: SavedProcedure): Promise<void> {
  const { procedureId, before, now, at } = saved;
  const asking = askingAfter(before, now);
  if (asking === 'ends') await stopAsking(tx, procedureId);
  // Where nobody can be asked, a notification (RAD-49) is all there will be.
  if (asking !== 'begins' || imageManagers(config).length === 0) return;
  const nextAt = new Date(at.getTime() + config.availability.first);
  await startAsking(tx, procedureId, { since: at, nextAt });
}
