// Preloaded into a process whose memory is measured, which runs with --expose-gc: what is garbage already says nothing of its needs.
process.on('SIGUSR2', () => globalThis.gc?.());
