/** One tab after the other, also where the browser has no locks: plain http to another machine is no secure context. */

const KEY = 'confab-turn';
/** A tab that was closed in the middle keeps nobody waiting for longer. */
const LONGEST_MS = 35_000;
/** Two that write in the same moment see by then who was the last: that one has it. */
const SETTLES_MS = 60;

/** @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
export function inTurn(name, work) {
  return globalThis.navigator?.locks ? /** @type {Promise<any>} */ (navigator.locks.request(name, work)) : byStorage(`${KEY} ${name}`, work);
}

/** @template T @param {string} key @param {() => Promise<T>} work @returns {Promise<T>} */
async function byStorage(key, work) {
  const mine = `${Math.random()}`;
  try {
    while (!(await taken(key, mine))) await pause(SETTLES_MS * (1 + Math.random()));
  } catch {
    // No storage: then no other tab has the cookie either, as a rule.
    return work();
  }
  try {
    return await work();
  } finally {
    if (holder(key) === mine) localStorage.removeItem(key);
  }
}

/** @param {string} key @param {string} mine */
async function taken(key, mine) {
  if (holder(key)) return false;
  claim(key, mine);
  await pause(SETTLES_MS);
  // In a hidden tab that may have been a minute: whoever wrote last has it, and it begins now.
  if (JSON.parse(localStorage.getItem(key) ?? '{}').mine !== mine) return false;
  claim(key, mine);
  return true;
}

/** @param {string} key @param {string} mine */
function claim(key, mine) {
  localStorage.setItem(key, JSON.stringify({ mine, until: Date.now() + LONGEST_MS }));
}

/** Who has it now; '' for nobody. @param {string} key @returns {string} */
function holder(key) {
  const { mine, until } = JSON.parse(localStorage.getItem(key) ?? '{}');
  // A clock that was set back must not keep everybody out.
  return until > Date.now() && until <= Date.now() + LONGEST_MS ? mine : '';
}

/** @param {number} forMs */
function pause(forMs) {
  return new Promise((resolve) => { setTimeout(resolve, forMs); });
}
