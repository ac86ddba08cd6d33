/** Notifications by the browser's own push service, for when no page is open. */
import { chat } from './page_chat_api.js';
import { t } from './page_words.js';

const WORKER = '/sw.js';

/** Whether this browser can, here: it needs a safe address and no refusal. @returns {'no'|'denied'|'yes'} */
export function pushSupport() {
  if (!globalThis.isSecureContext || !('serviceWorker' in navigator) || !('PushManager' in globalThis)) return 'no';
  return Notification.permission === 'denied' ? 'denied' : 'yes';
}

/** The server's key as the browser wants it. @param {string} text base64url @returns {Uint8Array<ArrayBuffer>} */
export function keyBytes(text) {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/').padEnd(Math.ceil(text.length / 4) * 4, '='));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** The page lets no plain text name a script that it runs: this is the one that may. @returns {any} */
function workerAddress() {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return WORKER;
  policy ??= types.createPolicy('confab-worker', { createScriptURL: () => WORKER });
  return policy.createScriptURL(WORKER);
}
/** @type {any} */
let policy = null;

/** This browser's subscription, if it has one. @returns {Promise<PushSubscription|null>} */
export async function ownSubscription() {
  if (pushSupport() === 'no') return null;
  const registration = await navigator.serviceWorker.getRegistration('/');
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Asks the person, the browser and the server. @throws with a sentence when one of them refuses */
export async function subscribe() {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error(t('the_browser_shows_no_notifications'));
  const { key, public_key: publicKey } = await chat.pushKey();
  const registration = await navigator.serviceWorker.register(workerAddress(), { scope: '/' });
  await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: keyBytes(key ?? publicKey) });
  const { endpoint, keys } = subscription.toJSON();
  try {
    return await chat.subscribePush({ endpoint, keys: { p256dh: keys?.p256dh, auth: keys?.auth } });
  } catch (error) {
    await subscription.unsubscribe();
    throw error;
  }
}

/** @param {{id:string, endpoint?:string}} known as the server lists it */
export async function unsubscribe(known) {
  await chat.unsubscribePush(known.id);
  const own = await ownSubscription();
  if (own && (!known.endpoint || known.endpoint === own.endpoint)) await own.unsubscribe();
}
