// A worker that has lost its runner (killed, or ended by a signal) ends too, whatever its tests still wait for.
process.on('disconnect', () => process.exit(1));
