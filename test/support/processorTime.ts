/**
 * The processor time that `work` takes of this process, and of a server in it: the least of three times, in microseconds.
 * User and system together, because the kernel measures only their sum: it shares it out by where its ticks fell, and a
 * short piece of work may be given none of one.
 */
export async function processorTimeOf(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push(user + system);
  }
  return Math.min(...times);
}
