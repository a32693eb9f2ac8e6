import { startAsking, stopAsking } from '../store/availability-queries.ts';
import { endTimers } from '../store/timers.ts';
import { askingAfter } from '../workflow/images-due.ts';
import type { StoredMachine } from '../workflow/procedure-machine.ts';
import { imageManagers } from './department.ts';
import { type Within, beginWaiting } from './waiting.ts';

/** A procedure that is being saved: how it stood, and how it stands now. */
interface SavedProcedure {
  readonly procedureId: number;
  readonly before: StoredMachine;
  readonly now: StoredMachine;
  readonly at: Date;
}

/**
 * The asking for images (RAD-11) begins and ends with the state of the procedure, by the same commit, and so does the
 * timer that tells a person when they do not come. They are two rows because they end at different times: the asking
 * has a pace of its own, is put off while nobody answers and goes on after the alarm.
 */
export async function followImages(within: Within, saved: SavedProcedure): Promise<void> {
  const { procedureId, before, now, at } = saved;
  const { tx, department } = within;
  const asking = askingAfter(before, now);
  if (asking === undefined) return;
  await endTimers(tx, 'imagesNotAvailable', [procedureId], at);
  if (asking === 'ends') await stopAsking(tx, procedureId);
  // Where nobody can be asked, a notification (RAD-49) is all there will be, and not every archive sends one.
  if (asking !== 'begins' || imageManagers(department.config).length === 0) return;
  const nextAt = new Date(at.getTime() + department.config.availability.first);
  await startAsking(tx, procedureId, { since: at, nextAt });
  await beginWaiting(within, 'imagesNotAvailable', [{ about: procedureId, since: at }], at);
}
