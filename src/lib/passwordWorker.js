// Plain JavaScript, so that a worker thread can load it from the sources as well as from a build.
import bcrypt from 'bcryptjs';

/**
 * @param {{ password: string, rounds: number }} task
 * @returns {string}
 */
export function hash({ password, rounds }) {
  return bcrypt.hashSync(password, rounds);
}

/**
 * @param {{ password: string, hash: string }} task
 * @returns {boolean}
 */
export function compare(task) {
  return bcrypt.compareSync(task.password, task.hash);
}
