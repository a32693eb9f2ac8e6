import { describe } from 'vitest';

/** A describe that is skipped when the other's program is not there, and says so in its name. */
export function describeWith(name: string, programs: Readonly<Record<string, boolean>>, body: () => void): void {
  const missing = Object.keys(programs).filter((program) => !programs[program]);
  if (missing.length === 0) describe(name, body);
  else describe.skip(`${name} (skipped, not usable here: ${missing.join(', ')})`, body);
}
